package letter

import (
	"fmt"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// ShareInvite tells somebody, outside perhaps, that a secret is shared with them.
// It says neither which nor where it is: they sign in with this address to see
// that.
func (w Writer) ShareInvite(to To, sharer string, expires time.Time) outbox.Message {
	m := mail(to, KindShareInvite, "A secret is shared with you",
		outbox.Line(sharer)+" shares a secret with you. Sign in, or sign up, with this",
		"address to accept it:", "", "    "+w.page("/shares", ""), "",
		"The offer ends on "+about(expires)+". If you do not know them, do nothing.")
	if expires.After(m.CreatedAt) && expires.Before(m.CreatedAt.Add(outbox.DefaultLifetime)) {
		m.NotAfter = expires
	}
	return m
}

// ShareAnswered tells somebody what became of their offer of a share.
func (w Writer) ShareAnswered(to To, share id.ID, accepted bool, at time.Time) outbox.Message {
	kind, what, then := KindShareDeclined, "declined", "Nobody can open it any more."
	if accepted {
		kind, what, then = KindShareAccepted, "accepted", "They can read the secret until the share ends."
	}
	return mail(to, kind, "A secret that you shared was "+what,
		fmt.Sprintf("your share %s was %s on %s.", share, what, about(at)),
		then, "", "What you share is here:", "", "    "+w.page("/shares", ""))
}

// ShareRevoked tells somebody that a secret is no longer shared with them.
func (w Writer) ShareRevoked(to To, sharer string, at time.Time) outbox.Message {
	return mail(to, KindShareRevoked, "A secret is no longer shared with you",
		outbox.Line(sharer)+" shared a secret with you. The offer was taken back on",
		about(at)+", and it cannot be read any more.", "",
		"You need do nothing. What is shared with you is here:", "", "    "+w.page("/shares", ""))
}

// ShareAccessed tells somebody that what they shared was read for the count-th
// time.
func (w Writer) ShareAccessed(to To, share id.ID, count int, at time.Time, ip string) outbox.Message {
	return mail(to, KindShareAccessed, "A secret that you shared was read",
		fmt.Sprintf("your share %s was read on %s%s.", share, about(at), from(ip)),
		fmt.Sprintf("That makes %d so far.", count), "",
		"If you did not expect it, end the share here and change the secret:", "",
		"    "+w.page("/shares", ""))
}

// CreditsExpiring tells somebody that credits run out unused.
func (w Writer) CreditsExpiring(to To, amount string, expires time.Time) outbox.Message {
	return mail(to, KindCreditsExpiring, "Credits are about to expire",
		"credits worth "+outbox.Line(amount)+" expire on "+about(expires)+".", "",
		"What is left of them is here:", "", "    "+w.page("/settings/billing", ""))
}

// ApprovalAsked asks somebody to decide whether an agent may do something. What
// it is stays in the appliance: mails are read along.
func (w Writer) ApprovalAsked(to To, agent string, approval id.ID, why []string, expires time.Time) outbox.Message {
	return mail(to, KindApprovalAsked, "An agent waits for your approval",
		"the agent "+outbox.Line(agent)+" wants to send a transaction that people have to agree to ("+outbox.Line(strings.Join(why, ", "))+").", "",
		"Look at it and decide before "+about(expires)+":", "", "    "+w.page("/approvals/"+approval.String(), ""))
}

// WebhookDisabled tells somebody that deliveries to a host were given up.
func (w Writer) WebhookDisabled(to To, host string, since time.Time) outbox.Message {
	return mail(to, KindWebhookDisabled, "A webhook was switched off",
		"the webhook to "+outbox.Line(host)+" has failed since "+about(since)+",",
		"so it was switched off. What happened meanwhile is in the audit log.", "",
		"When the receiver works again, switch it on here:", "", "    "+w.page("/settings/webhooks", ""))
}
