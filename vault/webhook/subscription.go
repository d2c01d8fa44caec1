package webhook

import (
	"net/url"
	"regexp"
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
	Events      []string  `json:"events"` // All, or those of Events
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
	return s.Active && index >= s.From && slices.ContainsFunc(s.Events, func(w string) bool { return covers(w, event) })
}

// All stands for every event.
const All = "*"

// Events are what one may subscribe to, besides All. A name that ends in a star
// is a family; so are the names in it, one by one.
var Events = []string{
	"secret.read", "secret.write", "secret.delete", "share.*", "agent.*", "policy.*",
	"auth.failure", "shroud.threat", "transaction.*",
}

// covers reports whether what was subscribed to includes an event.
func covers(wanted, event string) bool {
	family, whole := strings.CutSuffix(wanted, "*")
	return wanted == event || whole && strings.HasPrefix(event, family)
}

// known reports whether one may subscribe to this: All, an event, a family, or
// an event that is in a family.
func known(wanted string) bool {
	if wanted == All {
		return true
	}
	name := strings.TrimSuffix(wanted, ".*")
	if len(name) > 64 || !eventName.MatchString(name) {
		return false
	}
	return slices.ContainsFunc(Events, func(e string) bool { return covers(e, wanted) || covers(wanted, e) })
}

var eventName = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`)

// eventOf names the event that an audit action is to those outside; "" if nobody
// is told of it. A rotation is a write.
func eventOf(a audit.Action) string {
	name := string(a)
	if a == audit.SecretRotate {
		name = string(audit.SecretWrite)
	}
	if slices.ContainsFunc(Events, func(e string) bool { return covers(e, name) }) {
		return name
	}
	return ""
}
