package update

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors that callers tell apart.
var (
	// ErrDamaged: the file is not, byte for byte, a bundle that was made.
	ErrDamaged = fault.New(fault.Unprocessable, "update_damaged", "the bundle is damaged")
	// ErrUntrusted: none of the trusted keys signed it.
	ErrUntrusted = fault.New(fault.Unprocessable, "update_untrusted", "the bundle is not signed by a key that is trusted")
	// ErrKey: a key is not in the form of one.
	ErrKey = fault.New(fault.Invalid, "update_key", "not a key; a line such as name+1f2e3d4c+AbCd… is needed")
	// ErrDowngrade: it is not newer than what is here.
	ErrDowngrade = fault.New(fault.Conflict, "update_downgrade", "the bundle is not newer than this oneclawd")
	// ErrUnfit: it is genuine, and not for this machine or this version.
	ErrUnfit = fault.New(fault.Unprocessable, "update_unfit", "the bundle cannot be installed here")
)

func damaged(format string, args ...any) *fault.Error {
	return ErrDamaged.Detail("the bundle is damaged: "+format, args...)
}
