package webhook

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// Tx is what this package reads and writes. A read of something absent reports
// nothing, not an error. Methods marked (scan) work in a View only.
type Tx interface {
	identity.Tx
	outbox.Tx

	// Webhooks are the subscriptions of an organisation, oldest first.
	Webhooks(org id.ID) ([]Subscription, error)
	// PutWebhooks replaces them; an empty list removes the record.
	PutWebhooks(org id.ID, subs []Subscription) error
	// AllWebhooks are those of every organisation. (scan)
	AllWebhooks() ([]Subscription, error)

	// WebhookSecret is the key that signs what is sent to a subscription.
	WebhookSecret(sub id.ID) ([]byte, bool, error)
	PutWebhookSecret(sub id.ID, secret []byte) error
	DeleteWebhookSecret(sub id.ID) error

	// WebhookCursor is the index of the first event that was not looked at.
	WebhookCursor() (uint64, error)
	PutWebhookCursor(next uint64) error

	// WebhookReaders are the people of org to tell when a subscription is given
	// up. (scan)
	WebhookReaders(org id.ID) ([]identity.User, error)
}
