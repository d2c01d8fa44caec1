package webhook

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Subscription is a wish to be told.
type Subscription struct {
	ID          id.ID     `json:"id"`
	Org         id.ID     `json:"org"`
	URL         string    `json:"url"`
	Events      []string  `json:"events"` // names of Events, or "*"
	Description string    `json:"description,omitempty"`
	Active      bool      `json:"active"`
	CreatedBy   id.ID     `json:"created_by"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`

	// From is the index of the first event it is told of: what happened before,
	// or while it was inactive, is not sent.
	From uint64 `json:"from"`

	FailingSince time.Time `json:"failing_since,omitzero"` // zero: the last delivery arrived
	Failures     int       `json:"failures,omitzero"`      // deliveries refused in a row
	Dropped      uint64    `json:"dropped,omitzero"`       // events that found the outbox full
	DisabledAt   time.Time `json:"disabled_at,omitzero"`   // when it was given up
}

// host is what of the URL may be written down elsewhere: paths and queries of
// webhooks are often credentials.
func (s Subscription) host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// wants reports whether s is to be told of an event at an index of the log.
func (s Subscription) wants(event string, index uint64) bool {
	return s.Active && index >= s.From && (slices.Contains(s.Events, event) || slices.Contains(s.Events, All))
}

// All stands for every event.
const All = "*"

// Events are the events there are. Those that end in a star are families: one
// may subscribe to secret.read or to all of share.*.
var families = []string{"share.", "agent.", "policy.", "transaction."}

var single = []string{"secret.read", "secret.write", "secret.delete", "auth.failure", "shroud.threat"}

// eventOf names the event that an audit action is to those outside; "" if
// nobody is told of it.
func eventOf(a audit.Action) string {
	switch a {
	case audit.SecretRotate:
		return "secret.write"
	default:
	}
	name := string(a)
	if slices.Contains(single, name) || slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(name, f) }) {
		return name
	}
	return ""
}
