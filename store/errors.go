package store

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	berrors "go.etcd.io/bbolt/errors"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Errors that callers tell apart.
var (
	ErrSealed      = fault.New(fault.Sealed, "sealed", "the appliance is sealed")
	ErrClosed      = fault.New(fault.Unavailable, "store_closed", "the appliance is shutting down")
	ErrFull        = fault.New(fault.StorageFull, "storage_full", "no space left to record this change; free disk space, then try again")
	ErrUnwritable  = fault.New(fault.Unavailable, "storage_unavailable", "the change could not be recorded; nothing was changed")
	ErrInDoubt     = fault.New(fault.Unavailable, "storage_in_doubt", "the disk failed while the change was recorded; whether it took effect is not known")
	ErrDamaged     = audit.ErrUnreadable
	ErrFileDamaged = fault.New(fault.Internal, "store_damaged", "the data file is damaged; restore a backup")
	ErrWrongKey    = fault.New(fault.Unprocessable, "wrong_store_key", "the store key does not fit this data")
	ErrInUse       = fault.New(fault.Unavailable, "store_in_use", "another oneclawd is using this data")
	ErrNewer       = fault.New(fault.Unprocessable, "store_newer", "the data was written by a newer oneclawd")
	ErrOutdated    = fault.New(fault.Unavailable, "store_outdated", "the data is of an older oneclawd and has not been upgraded yet; `oneclawd serve` does that")
	ErrEmpty       = fault.New(fault.Unprocessable, "store_empty", "the data file is not initialised yet")
	ErrNotEmpty    = fault.New(fault.Conflict, "store_not_empty", "the data file is initialised already")
)

// errBroken means that bbolt panicked in a commit: what it holds in memory may
// not match the file any more, so nothing is written until the next start.
var errBroken = ErrUnwritable.Detail("the data file cannot be written until the appliance is restarted")

// Programming faults. They are plain errors: nothing for a caller to see.
var (
	errScanInUpdate = errors.New("store: a scan in Update; closures touch known keys only")
	errReadOnly     = errors.New("store: a write in View")
	errTxDone       = errors.New("store: use of a transaction that has ended")
	errKeySize      = errors.New("store: a record key is empty or too long")
	errUnknownTable = errors.New("store: a table that is not in the list of the schema")
)

// classify turns the error of a commit that changed nothing into a fault.
// bbolt formats some causes with %s, so the text is looked at as well.
func classify(err error) error {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) || strings.Contains(err.Error(), full.Error()) {
			return ErrFull.Because(err)
		}
	}
	if fault.As(err) != nil {
		return err
	}
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return ErrUnwritable.Because(err)
}

// panicError is a panic made into an error. The value is left out unless it is
// a runtime error or bbolt's: what a closure panics with may hold a secret.
type panicError struct {
	what  string
	stack []byte
}

func (e *panicError) Error() string { return "panic: " + e.what }

func newPanicError(v any) *panicError {
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	return &panicError{what, debug.Stack()}
}

// guard runs fn, which reads or writes pages of the file, and turns the panic
// that bbolt answers damage with into an error; also the SIGBUS of a page that
// the disk cannot deliver.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = ErrFileDamaged.Because(fmt.Errorf("bbolt: %v", v))
		}
	}()
	return fn()
}
