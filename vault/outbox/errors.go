package outbox

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors.
var (
	ErrMessage  = fault.New(fault.Internal, "invalid_message", "the message cannot be sent as it is")
	ErrAddress  = fault.New(fault.Invalid, "invalid_email", "Not an e-mail address")
	ErrFull     = fault.New(fault.Unavailable, "outbox_full", "Too many messages of this organisation are waiting to be delivered")
	ErrNotFound = fault.New(fault.NotFound, "message_not_found", "No such message")
)
