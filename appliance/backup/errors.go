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
