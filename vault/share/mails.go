package share

import (
	"time"

	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Mails is the Notifier that writes mails into the outbox. For an agent, whoever
// registered it is told what became of its offers; what it is offered, it sees
// where it looks. What a mail tells of does not fail for it: where too many wait
// already, or an account's address is none, nobody is told.
type Mails struct{ Letters letter.Writer }

var _ Notifier = Mails{}

// ShareOffered implements Notifier.
func (m Mails) ShareOffered(tx Tx, s Share, at time.Time) error {
	sharer, err := s.sharer(tx)
	if err != nil {
		return err
	}
	to, err := s.recipient(tx, at)
	if err != nil {
		return err
	}
	return send(tx, m.Letters.ShareInvite(to, sharer, s.ExpiresAt))
}

// ShareAnswered implements Notifier.
func (m Mails) ShareAnswered(tx Tx, s Share, at time.Time) error {
	to, err := s.creator(tx, at)
	if err != nil {
		return err
	}
	return send(tx, m.Letters.ShareAnswered(to, s.ID, s.DeclinedAt == nil, at))
}

// ShareRevoked implements Notifier.
func (m Mails) ShareRevoked(tx Tx, s Share, at time.Time) error {
	sharer, err := s.sharer(tx)
	if err != nil {
		return err
	}
	to, err := s.recipient(tx, at)
	if err != nil {
		return err
	}
	return send(tx, m.Letters.ShareRevoked(to, sharer, at))
}

// ShareAccessed implements Notifier.
func (m Mails) ShareAccessed(tx Tx, s Share, at time.Time, ip string) error {
	to, err := s.creator(tx, at)
	if err != nil {
		return err
	}
	return send(tx, m.Letters.ShareAccessed(to, s.ID, int(s.Accesses), at, ip))
}

func send(tx Tx, m outbox.Message) error {
	if outbox.CheckAddress(m.To) != nil {
		return nil // nobody, or an account that an operator made up
	}
	return outbox.Notify(tx, m)
}

// creator addresses a mail to who made the share, or registered the agent that
// did; to nobody if they are gone.
func (s Share) creator(tx Tx, at time.Time) (letter.To, error) {
	who := s.Creator.ID
	if s.Creator.Type == policy.Agent {
		a, _, err := tx.Agent(s.Org, who)
		if err != nil {
			return letter.To{}, err
		}
		who = a.CreatedBy
	}
	u, _, err := tx.User(s.Org, who)
	return s.to(u, at), err
}

// recipient addresses a mail to who the share is for; to nobody if that is an
// agent or anyone.
func (s Share) recipient(tx Tx, at time.Time) (letter.To, error) {
	if s.Type == ToEmail { // whoever has claimed it, elsewhere perhaps, has this address
		return letter.To{Address: s.Email, Org: s.Org, At: at}, nil
	}
	if s.Recipient.Type != policy.User {
		return letter.To{}, nil
	}
	u, _, err := tx.User(s.Org, s.Recipient.ID)
	return s.to(u, at), err
}

func (s Share) to(u identity.User, at time.Time) letter.To {
	return letter.To{Address: u.Email, Org: s.Org, User: u.ID, At: at}
}

// sharer is how whoever made the share is called.
func (s Share) sharer(tx Tx) (string, error) {
	if s.Creator.Type == policy.Agent {
		a, _, err := tx.Agent(s.Org, s.Creator.ID)
		return "The agent " + a.Name, err
	}
	u, ok, err := tx.User(s.Org, s.Creator.ID)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "Somebody whose account is gone", nil
	case u.DisplayName != "":
		return u.DisplayName, nil
	}
	return u.Email, nil
}
