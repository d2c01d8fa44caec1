package people

import (
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

// Kinds of mail that are only about accounts.
const (
	kindSignupAgain outbox.Kind = "signup_again"
	kindMFAChanged  outbox.Kind = "mfa_changed"
)

// notify tells a user something they need not know: what it tells of does not
// fail for it.
func notify(tx Tx, m outbox.Message) error {
	if outbox.CheckAddress(m.To) != nil {
		return nil // an account that an operator made up
	}
	return outbox.Notify(tx, m)
}

// to addresses a mail to a user.
func to(u identity.User, now time.Time) letter.To {
	return letter.To{Address: u.Email, Org: u.Org, User: u.ID, At: now}
}

// short is a mail of a few lines.
func short(to letter.To, kind outbox.Kind, subject, body string) outbox.Message {
	return outbox.Message{
		Org: to.Org, Channel: outbox.Mail, Kind: kind, To: to.Address, Subject: subject, CreatedAt: to.At,
		Body: "Hello,\n\n" + body + "\n\n-- \n1Claw, the secrets appliance of your organisation.\nThis mail was written by a machine; answers are not read.\n",
	}
}

// signupAgain tells somebody that their address was used to sign up although it
// has an account.
func (s *Service) signupAgain(u identity.User, now time.Time) outbox.Message {
	return short(to(u, now), kindSignupAgain, "You have an account already",
		"somebody, hopefully you, tried to sign up with this address. It has an account\n"+
			"already, which stays as it is. If you forgot its password, choose a new one:\n\n"+
			"    "+s.mails.Base+"/reset-password\n\nIf it was not you, do nothing.")
}

// Mails are what happens to accounts elsewhere and their owners are told of.
type Mails struct{ Letters letter.Writer }

// KeyMade tells somebody that a key that acts for them was made. It is for
// identity.Config: in the transaction that makes it.
func (m Mails) KeyMade(tx identity.Tx, p identity.Principal, k identity.APIKey) error {
	whole, ok := tx.(Tx)
	if !ok {
		return fmt.Errorf("people: a transaction of type %T has no mails", tx)
	}
	u, err := user(whole, p)
	if err != nil {
		return err
	}
	ip := ""
	if p.IP.IsValid() {
		ip = p.IP.String()
	}
	return notify(whole, m.Letters.APIKeyCreated(to(u, k.CreatedAt), k.Name, k.Prefix, k.CreatedAt, ip))
}

// mfaChanged tells somebody that their second factor was switched on or off.
func (s *Service) mfaChanged(u identity.User, on bool, now time.Time) outbox.Message {
	what := "off"
	if on {
		what = "on"
	}
	return short(to(u, now), kindMFAChanged, "Two-factor authentication was switched "+what,
		"two-factor authentication of your account was switched "+what+".\n\n"+
			"If that was not you, change your password and tell the owner of your organisation.")
}
