package webhook

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. The texts are published: clients show them and tests match them.
var (
	ErrNotFound    = fault.New(fault.NotFound, "webhook_not_found", "No such webhook")
	ErrURL         = fault.New(fault.Invalid, "invalid_webhook_url", "A webhook needs an https URL without user or fragment")
	ErrEvents      = fault.New(fault.Invalid, "invalid_webhook_events", "A webhook needs events: \"*\", or names such as secret.read and share.*")
	ErrDescription = fault.New(fault.Invalid, "invalid_webhook_description", "A description has at most 500 characters")
	ErrSecret      = fault.New(fault.Invalid, "invalid_webhook_secret", "A secret of your own has 24 to 256 printable ASCII characters")
	ErrTooMany     = fault.New(fault.Conflict, "too_many_webhooks", "An organisation has at most 20 webhooks")
	ErrSignature   = fault.New(fault.Unauthenticated, "invalid_webhook_signature", "The signature does not fit")
)
