package intents

import (
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

// Notifier tells people that they are asked. It is called in the transaction that
// asks, and its error undoes that: it puts a message into an outbox, and sends
// nothing itself.
type Notifier interface {
	ApprovalAsked(tx Tx, a Approval, managers []identity.User) error
}

type silent struct{}

func (silent) ApprovalAsked(Tx, Approval, []identity.User) error { return nil }

// Mails is the Notifier that writes mails into the outbox, to all who may decide.
// Where too many wait already, or an address is none, that one is not told.
type Mails struct{ Letters letter.Writer }

var _ Notifier = Mails{}

// ApprovalAsked implements Notifier.
func (m Mails) ApprovalAsked(tx Tx, a Approval, managers []identity.User) error {
	agent, _, err := tx.Agent(a.Org, a.Agent)
	if err != nil {
		return err
	}
	for _, u := range managers {
		if u.ID == a.Asked || outbox.CheckAddress(u.Email) != nil {
			continue
		}
		to := letter.To{Address: u.Email, Org: a.Org, User: u.ID, At: a.CreatedAt}
		if err := outbox.Notify(tx, m.Letters.ApprovalAsked(to, agent.Name, a.ID, a.Why, a.ExpiresAt)); err != nil {
			return err
		}
	}
	return nil
}
