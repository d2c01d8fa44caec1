// Package letter writes the mails that the appliance sends. It has their texts
// and nothing else: who gets one, and when, is decided where it happens.
//
// A mail is read by whoever reads the mailbox, and by programs that open its
// links before its owner does. So a link shows a page and decides nothing, a
// token is in the part of a link that browsers keep to themselves, for the page
// to hand in when somebody says so, and no mail holds the value of a secret.
package letter

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// The kinds of mail.
const (
	KindWelcome         outbox.Kind = "welcome"
	KindVerifyEmail     outbox.Kind = "verify_email"
	KindResetPassword   outbox.Kind = "reset_password"
	KindPasswordChanged outbox.Kind = "password_changed"
	KindAPIKeyCreated   outbox.Kind = "api_key_created"
	KindInvite          outbox.Kind = "invite"
	KindEnrol           outbox.Kind = "enrol"
	KindShareInvite     outbox.Kind = "share_invite"
	KindShareAccepted   outbox.Kind = "share_accepted"
	KindShareDeclined   outbox.Kind = "share_declined"
	KindShareRevoked    outbox.Kind = "share_revoked"
	KindShareAccessed   outbox.Kind = "share_accessed"
	KindCreditsExpiring outbox.Kind = "credits_expiring"
	KindWebhookDisabled outbox.Kind = "webhook_disabled"
	KindApprovalAsked   outbox.Kind = "approval_asked"
)

// Writer writes mails whose links begin with Base, the appliance's public URL
// without a slash at the end.
type Writer struct{ Base string }

// To says who gets a mail and when it is written.
type To struct {
	Address string
	Org     id.ID // whose message it is
	User    id.ID // the member of Org with this address; zero if there is none
	At      time.Time
}

// page is the link to a page of the dashboard. The token, if any, comes behind
// a #: it reaches neither the server's log nor a Referer header.
func (w Writer) page(path, token string) string {
	link := strings.TrimRight(w.Base, "/") + path
	if token != "" {
		link += "#token=" + url.QueryEscape(token)
	}
	return link
}

func mail(to To, kind outbox.Kind, subject string, lines ...string) outbox.Message {
	return outbox.Message{
		Org: to.Org, Channel: outbox.Mail, Kind: kind, To: to.Address, Subject: subject,
		Body:      "Hello,\n\n" + strings.Join(lines, "\n") + "\n\n-- \n1Claw, the secrets appliance of your organisation.\nThis mail was written by a machine; answers are not read.\n",
		CreatedAt: to.At,
	}
}

// personal marks a mail whose token proves that its reader has the mailbox, and
// which is no use once the token is not.
func personal(m outbox.Message, valid time.Duration) outbox.Message {
	m.Personal = true
	if valid > 0 {
		m.NotAfter = m.CreatedAt.Add(valid)
	}
	return m
}

// about writes a time for people.
func about(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// within writes how long something is valid.
func within(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	default:
		return fmt.Sprintf("%d minutes", max(int(d.Minutes()), 1))
	}
}

// from writes where a request came from; nothing if it is not known.
func from(ip string) string {
	if ip == "" {
		return ""
	}
	return " from " + outbox.Line(ip)
}

const notYou = "If that was not you, change your password and tell the owner of your organisation."
