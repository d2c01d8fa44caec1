package envelope

import (
	"errors"

	"github.com/oneclaw/oneclawd/internal/fault"
)

var (
	// ErrDamaged: the envelope is not one that Seal made for this KEK and
	// Binding. It does not say which part is wrong.
	ErrDamaged = fault.New(fault.Internal, "secret_damaged", "the stored secret is damaged or belongs elsewhere")
	// ErrTooLarge: the value is longer than MaxValue.
	ErrTooLarge = fault.New(fault.TooLarge, "secret_too_large", "the value is larger than 5 MiB")
)

// errIncomplete: the caller left out what the envelope is to be bound to.
var errIncomplete = errors.New("envelope: incomplete binding")
