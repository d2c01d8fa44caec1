package seal

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors of a file.
var (
	// ErrRefused is every failed try to open, whatever the reason.
	ErrRefused = fault.New(fault.Denied, "seal_refused",
		"the sealed PIN did not open: it was sealed for another chip or image, passphrase, code or set of shares; use a recovery slot")
	// ErrNoSlot: the file has no slot of the kind that was tried.
	ErrNoSlot = fault.New(fault.NotFound, "seal_no_slot", "the file has no such slot")
	// ErrNoRecovery: the file would be left to one machine.
	ErrNoRecovery = fault.New(fault.Conflict, "seal_no_recovery",
		"a sealed PIN needs a passphrase or shares by which people can open it when the machine is gone")
	// ErrFile: the file is not one of this package, or others can read it.
	ErrFile = fault.New(fault.Invalid, "seal_file", "the file is not a sealed PIN of this version")
	// ErrOther: the file belongs to another instance, or is for another purpose.
	ErrOther = fault.New(fault.Conflict, "seal_other_instance", "the sealed PIN is of another instance")
	// ErrExists: there is a file already.
	ErrExists = fault.New(fault.Conflict, "seal_exists", "there is a sealed PIN already")
	// ErrChanged: somebody else wrote the file after it was opened.
	ErrChanged = fault.New(fault.Conflict, "seal_changed", "the file changed meanwhile; try again")
	// ErrSlot: a slot cannot be made or used as asked.
	ErrSlot = fault.New(fault.Invalid, "seal_slot", "the slot is not possible")
)

// Errors of shares and codes that people type.
var (
	// ErrTyped: what was typed is damaged.
	ErrTyped = fault.New(fault.Invalid, "seal_mistyped", "what was typed has a mistake in it; compare it with what was written down")
	// ErrShareSet: the share is of another set than this file's, or than those before it.
	ErrShareSet = fault.New(fault.Invalid, "seal_share_set", "the share is of another set")
	// ErrShareTwice: this share was given before.
	ErrShareTwice = fault.New(fault.Conflict, "seal_share_twice", "the share was given already; another person's is needed")
	// ErrShareWrong: the share is well-formed, and was not made with this set.
	ErrShareWrong = fault.New(fault.Denied, "seal_share_wrong", "the share is not the one that was made for this set")
	// ErrSplit: a secret cannot be shared like that.
	ErrSplit = fault.New(fault.Invalid, "seal_split", "of at least 2 and at most 32 shares, at least two and at most all are needed")
	// ErrMissing: more shares are needed.
	ErrMissing = fault.New(fault.Sealed, "seal_shares_missing", "more shares are needed")
)
