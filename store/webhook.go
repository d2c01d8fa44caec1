package store

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// The tables of vault/webhook. An organisation has few subscriptions, so they
// are one record; their keys are apart, so that no list of subscriptions can
// show one.
var (
	webhooks       = table[[]webhook.Subscription]{name: "webhook", version: 1}
	webhookSecrets = rawTable{name: "webhook-secret"}
	webhookCursor  = table[uint64]{name: "webhook-cursor", version: 1}
)

// webhookCursorKey is the one key of its table.
var webhookCursorKey = []byte("cursor")

var _ webhook.Tx = (*Tx)(nil)

// Webhooks implements webhook.Tx.
func (t *Tx) Webhooks(org id.ID) ([]webhook.Subscription, error) {
	subs, _, err := webhooks.get(t, org[:])
	return subs, err
}

// PutWebhooks implements webhook.Tx.
func (t *Tx) PutWebhooks(org id.ID, subs []webhook.Subscription) error {
	if len(subs) == 0 {
		return webhooks.delete(t, org[:])
	}
	return webhooks.put(t, org[:], subs)
}

// AllWebhooks implements webhook.Tx.
func (t *Tx) AllWebhooks() (all []webhook.Subscription, err error) {
	err = webhooks.scan(t, page{}, func(_ []byte, subs []webhook.Subscription) error {
		all = append(all, subs...)
		return nil
	})
	return all, err
}

// WebhookSecret implements webhook.Tx.
func (t *Tx) WebhookSecret(sub id.ID) ([]byte, bool, error) { return webhookSecrets.get(t, sub[:]) }

// PutWebhookSecret implements webhook.Tx.
func (t *Tx) PutWebhookSecret(sub id.ID, secret []byte) error {
	return webhookSecrets.put(t, sub[:], secret)
}

// DeleteWebhookSecret implements webhook.Tx.
func (t *Tx) DeleteWebhookSecret(sub id.ID) error { return webhookSecrets.delete(t, sub[:]) }

// WebhookCursor implements webhook.Tx.
func (t *Tx) WebhookCursor() (uint64, error) {
	next, _, err := webhookCursor.get(t, webhookCursorKey)
	return next, err
}

// PutWebhookCursor implements webhook.Tx.
func (t *Tx) PutWebhookCursor(next uint64) error {
	return webhookCursor.put(t, webhookCursorKey, next)
}

// WebhookReaders implements webhook.Tx.
func (t *Tx) WebhookReaders(org id.ID) (out []identity.User, err error) {
	err = users.scan(t, page{Prefix: org[:]}, func(_ []byte, u identity.User) error {
		if u.Role == identity.RoleOwner {
			out = append(out, u)
		}
		return nil
	})
	return out, err
}
