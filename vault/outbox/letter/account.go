package letter

import (
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// Welcome greets somebody whose account is ready.
func (w Writer) Welcome(to To) outbox.Message {
	return mail(to, KindWelcome, "Welcome to 1Claw",
		"your account is ready. Sign in here:", "", "    "+w.page("/", ""), "",
		"A good first step is to make a vault, put a secret into it, and give an agent",
		"a policy that lets it read just that.")
}

// VerifyEmail asks somebody who signed up whether this is their address.
func (w Writer) VerifyEmail(to To, token string, valid time.Duration) outbox.Message {
	return personal(mail(to, KindVerifyEmail, "Confirm your e-mail address",
		"somebody, hopefully you, signed up with this address. To confirm it, open",
		"this page and press the button:", "", "    "+w.page("/verify-email", token), "",
		"or paste this there:", "", "    "+token, "",
		"It works for "+within(valid)+". If it was not you, do nothing: without it the",
		"account stays unusable."), valid)
}

// ResetPassword gives somebody who forgot their password the way to a new one.
func (w Writer) ResetPassword(to To, token string, valid time.Duration) outbox.Message {
	return personal(mail(to, KindResetPassword, "Choose a new password",
		"somebody, hopefully you, asked for a new password for this address. Choose it",
		"on this page:", "", "    "+w.page("/reset-password", token), "",
		"or paste this there:", "", "    "+token, "",
		"It works once, for "+within(valid)+". If it was not you, do nothing: your",
		"password stays as it is."), valid)
}

// PasswordChanged tells somebody that their password was changed at a time.
func (w Writer) PasswordChanged(to To, at time.Time, ip string) outbox.Message {
	return mail(to, KindPasswordChanged, "Your password was changed",
		"your password was changed on "+about(at)+from(ip)+".",
		"Everybody who was signed in with the old one has been signed out.", "",
		"If that was not you, ask for a new password at once, and tell the owner of",
		"your organisation:", "", "    "+w.page("/reset-password", ""))
}

// APIKeyCreated tells somebody that a key that acts for them was made. The prefix
// is what lists of keys show.
func (w Writer) APIKeyCreated(to To, name, prefix string, at time.Time, ip string) outbox.Message {
	return mail(to, KindAPIKeyCreated, "A new API key was made",
		fmt.Sprintf("an API key named %q, beginning with %s, was made for your account", outbox.Line(name), outbox.Line(prefix)),
		"on "+about(at)+from(ip)+". Whoever has it can do what you can.", "",
		"Your keys are here:", "", "    "+w.page("/settings", ""), "", notYou)
}

// Invite invites somebody into an organisation.
func (w Writer) Invite(to To, inviter, organisation, token string, valid time.Duration) outbox.Message {
	return personal(mail(to, KindInvite, "You are invited to "+outbox.Line(organisation),
		fmt.Sprintf("%s invites you to the organisation %q. To", outbox.Line(inviter), outbox.Line(organisation)),
		"accept, open this page and choose a password:", "", "    "+w.page("/accept-invite", token), "",
		"or paste this there:", "", "    "+token, "",
		"It works once, for "+within(valid)+". If you do not know them, do nothing."), valid)
}

// Enrol gives somebody the key of an agent that enrolled itself with their
// address. The agent chose its name.
func (w Writer) Enrol(to To, name string, agent id.ID, key string) outbox.Message {
	m := personal(mail(to, KindEnrol, "An agent asks to work for you",
		fmt.Sprintf("a program that calls itself %q enrolled as an agent and named you as", outbox.Line(name)),
		"the person it works for. These are its credentials:", "",
		"    agent id   "+agent.String(), "    api key    "+key, "",
		"It may do nothing yet. If you know it, give it the key and a policy:", "",
		"    "+w.page("/agents", ""), "",
		"If you do not, deactivate it there, and give the key to nobody."), 0)
	m.User = to.User
	return m
}
