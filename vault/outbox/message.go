package outbox

import (
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Channel is the way a message takes.
type Channel string

// The channels.
const (
	Mail    Channel = "mail"
	Webhook Channel = "webhook"
)

// Kind says what a message is about: "verify_email", "share_invite".
type Kind string

// State says how far a message got.
type State string

// The states.
const (
	Pending State = "pending"
	Sent    State = "sent"   // its body is gone
	Failed  State = "failed" // given up; LastError says why
)

// Message is something to tell somebody.
type Message struct {
	ID  id.ID `json:"id"` // stable over all attempts; receivers see it
	Org id.ID `json:"org,omitzero"`
	// User is the member of Org whom a message is for, if it is one who may
	// read it here, body and all, instead of in their mailbox.
	User    id.ID             `json:"user,omitzero"`
	Channel Channel           `json:"channel"`
	Kind    Kind              `json:"kind"`
	To      string            `json:"to"`                // an address, or the subscription of a webhook
	Subject string            `json:"subject,omitempty"` // mail
	Body    string            `json:"body,omitempty"`    // plain text, or the JSON of a webhook
	Headers map[string]string `json:"headers,omitempty"` // webhooks
	// Personal says that whoever knows the body can pass for the addressee: an
	// organisation's owner must not see it.
	Personal bool `json:"personal,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	NotAfter  time.Time `json:"not_after"` // given up then
	// NextAt is when the message is tried next; when it is removed, once it is
	// sent or failed.
	NextAt    time.Time `json:"next_at"`
	SettledAt time.Time `json:"settled_at,omitzero"` // when it was sent or failed
	State     State     `json:"state"`
	Attempts  int       `json:"attempts,omitzero"`
	LastError string    `json:"last_error,omitempty"` // safe to show
}

// Lifetimes.
const (
	DefaultLifetime = 72 * time.Hour     // from CreatedAt to NotAfter
	KeptSettled     = 7 * 24 * time.Hour // what is sent or failed is removed then
)

// String shows nothing that the message says, so that it cannot leave by way of
// a log line.
func (m Message) String() string { return fmt.Sprintf("message %s (%s, %s)", m.ID, m.Channel, m.Kind) }

// GoString is for %#v.
func (m Message) GoString() string { return m.String() }

// LogValue implements slog.LogValuer.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", m.ID.String()),
		slog.String("channel", string(m.Channel)), slog.String("kind", string(m.Kind)))
}

// Sizes beyond which a message is refused.
const (
	maxSubject = 250
	maxBody    = 256 << 10
)

// CheckAddress refuses what is not one bare e-mail address, the part before the
// at sign and the domain, without a display name, comment or line break.
func CheckAddress(s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 || strings.ContainsFunc(s, unfit) || strings.ContainsAny(s, "<>,;:\"") {
		return ErrAddress
	}
	return nil
}

// unfit reports whether r has no place in an address.
func unfit(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
}

// Line makes one short line of a text that somebody chose, fit for a subject or
// a sentence: control characters and line breaks, those that change the
// direction of writing included, become spaces, as does what would make it a
// link.
func Line(s string) string {
	const most = 80 // runes
	var b strings.Builder
	n, gap := 0, false
	for _, r := range strings.ReplaceAll(strings.ToValidUTF8(s, ""), "://", " ") {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`<>"`, r) {
			gap = n > 0
			continue
		}
		if n++; n > most {
			return b.String() + "…"
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// check refuses a message that could never be delivered.
func (m Message) check() error {
	switch {
	case m.Channel != Mail && m.Channel != Webhook || m.Kind == "" || m.To == "":
		return ErrMessage
	case len(m.Subject) > maxSubject || len(m.Body) > maxBody || strings.ContainsFunc(m.Subject, unicode.IsControl):
		return ErrMessage
	case m.Channel == Mail:
		return CheckAddress(m.To)
	}
	return nil
}
