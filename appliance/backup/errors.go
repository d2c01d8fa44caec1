package backup

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/store/events"
)

// Errors that callers tell apart.
var (
	// ErrDamaged: the file is not, byte for byte, a backup that was made. The
	// message says what is wrong at which offset.
	ErrDamaged = fault.New(fault.Unprocessable, "backup_damaged", "the backup is damaged")
	// ErrUntrusted: the file is whole, but another key than the pinned one signed it.
	ErrUntrusted = fault.New(fault.Unprocessable, "backup_untrusted", "the backup is not signed by the appliance whose verifier key was given")
	// ErrNewer: a newer oneclawd made it.
	ErrNewer = fault.New(fault.Unprocessable, "backup_newer", "the backup was made by a newer oneclawd")
	// ErrWrongKeys: the HSM at hand is healthy and does not open it.
	ErrWrongKeys = fault.New(fault.Unprocessable, "backup_wrong_hsm", "this HSM does not open the backup; it takes the token that the appliance was made with, or a copy of it")
	// ErrRecoveryKey: what was given is not the public half of a recovery key.
	ErrRecoveryKey = fault.New(fault.Invalid, "recovery_key", "this is not a recovery key: it begins with age1pq1, as `oneclawd recovery init` wrote it")
	// ErrNoEscrow: there was no recovery key when the backup was made.
	ErrNoEscrow = fault.New(fault.Unprocessable, "backup_no_recovery", "the backup was made without a recovery key: only the HSM that it was made with, or a copy of its token, opens it")
	// ErrOtherRecovery: the private half is of another recovery key.
	ErrOtherRecovery = fault.New(fault.Unprocessable, "backup_other_recovery", "the shares do not make the recovery key that the backup is sealed to")
	// ErrEscrow: the keys in the backup are not those of its values.
	ErrEscrow = fault.New(fault.Unprocessable, "backup_escrow", "the recovery keys in the backup are not those of its values")
	// ErrHSMInUse: the HSM to recover onto is that of an appliance.
	ErrHSMInUse = fault.New(fault.Conflict, "recovery_hsm_in_use", "the HSM belongs to an appliance already; recover onto a new token")
	// ErrTarget: something is in the folder already.
	ErrTarget = fault.New(fault.Conflict, "backup_target", "the folder to restore into is not empty")
	// ErrFull: the disk that is written to has no space left.
	ErrFull = fault.New(fault.StorageFull, "backup_no_space", "no space left to write to; nothing was kept of what was written")
	// ErrDrill: the backup was restored on trial and is not what it claims.
	ErrDrill = fault.New(fault.Unprocessable, "backup_drill_failed", "the backup did not pass the drill")
)

// damage says what is wrong at an offset of the file.
func damage(at int64, format string, args ...any) error {
	return ErrDamaged.Detail("at byte %d: %s", at, fmt.Sprintf(format, args...))
}

// writing gives an error of the destination its place; a full disk is ErrFull.
func writing(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, events.ErrNoRoom):
		return ErrFull.Because(fmt.Errorf("%s: %w", what, err))
	}
	return fmt.Errorf("backup: %s: %w", what, err)
}
