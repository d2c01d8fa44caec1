package share

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Type is the kind of recipient.
type Type string

// The types. The values are those of the API.
const (
	ToUser    Type = "user"
	ToAgent   Type = "agent"
	ToEmail   Type = "external_email"
	ToAnyone  Type = "anyone_with_link"
	ToCreator Type = "creator" // the person who registered the agent that shares
)

func (t Type) known() bool {
	switch t {
	case ToUser, ToAgent, ToEmail, ToAnyone, ToCreator:
		return true
	}
	return false
}

// Share is an offer of one secret.
type Share struct {
	ID      id.ID            `json:"id"`
	Org     id.ID            `json:"org"` // of the secret and the creator
	Vault   id.ID            `json:"vault"`
	Secret  id.ID            `json:"secret"`
	Path    vault.SecretPath `json:"path"`
	Creator policy.Principal `json:"creator"`

	Type Type `json:"type"`
	// Recipient is who may accept; zero for anyone, and for an address that
	// nobody has claimed.
	Recipient policy.Principal `json:"recipient"`
	Email     string           `json:"email,omitempty"` // as the creator wrote it

	ExpiresAt  time.Time         `json:"expires_at"`
	MaxAccess  uint32            `json:"max_access,omitempty"` // 0: any number
	Accesses   uint32            `json:"accesses,omitempty"`
	Passphrase string            `json:"passphrase,omitempty"` // its hash
	Conditions policy.Conditions `json:"conditions"`           // where from

	CreatedAt  time.Time  `json:"created_at"`
	AcceptedAt *time.Time `json:"accepted_at,omitempty"`
	DeclinedAt *time.Time `json:"declined_at,omitempty"`

	Guesses    uint32    `json:"guesses,omitempty"`    // wrong passphrases so far
	GuessAfter time.Time `json:"guess_after,omitzero"` // no guess is looked at before
}

// Status is how a share stands.
type Status string

// The statuses.
const (
	Pending   Status = "pending" // to be accepted
	Accepted  Status = "accepted"
	Active    Status = "active" // open to anyone with the link
	Declined  Status = "declined"
	Expired   Status = "expired"
	Exhausted Status = "exhausted"
)

// Status is the share's at now.
func (s Share) Status(now time.Time) Status {
	switch {
	case s.DeclinedAt != nil:
		return Declined
	case s.expired(now):
		return Expired
	case s.exhausted():
		return Exhausted
	case s.Type == ToAnyone:
		return Active
	case s.AcceptedAt != nil:
		return Accepted
	}
	return Pending
}

// IsFor reports whether p is who the share is offered to.
func (s Share) IsFor(p identity.Principal) bool {
	return !s.Recipient.ID.IsZero() && s.Recipient == p.Policy()
}

// MadeBy reports whether p made the share.
func (s Share) MadeBy(p identity.Principal) bool { return s.Creator == p.Policy() }

func (s Share) expired(now time.Time) bool { return !now.Before(s.ExpiresAt) }

func (s Share) exhausted() bool { return s.MaxAccess > 0 && s.Accesses >= s.MaxAccess }

// dead says why nobody can open the share any more, or nil.
func (s Share) dead(now time.Time) error {
	switch {
	case s.expired(now):
		return ErrExpired
	case s.exhausted():
		return ErrExhausted
	}
	return nil
}

// refuses says why p may not open the share, its passphrase aside, or nil. Who
// it is not for learns that and nothing else.
func (s Share) refuses(p identity.Principal, now time.Time) error {
	switch {
	case s.DeclinedAt != nil:
		return ErrNotFound
	case s.Type != ToAnyone && !s.IsFor(p):
		return ErrNotRecipient
	}
	switch why := s.dead(now); {
	case why != nil:
		return why
	case s.Type != ToAnyone && s.AcceptedAt == nil:
		return ErrNotAccepted
	case !s.Conditions.Hold(p.IP, now):
		return ErrAddress
	}
	return nil
}

// event starts an event about a share that p attempts something with; found is
// the share if there is one. It is of the organisation whose secret it is,
// whoever asks.
func event(p identity.Principal, action audit.Action, share id.ID, found *Share, now time.Time) audit.Event {
	e := p.Event(action, "share", share.String())
	e.Time, e.Details = now, audit.Details{"share_id": share.String()}
	if p.Kind == "" {
		e.Actor = audit.Actor{Type: "anonymous"}
	}
	if found != nil {
		found.describe(&e)
	}
	return e
}

// describe puts the share into an event, without the address it is for.
func (s Share) describe(e *audit.Event) {
	e.Org = s.Org
	d := e.Details
	d["vault_id"], d["secret_id"], d["path"] = s.Vault.String(), s.Secret.String(), s.Path.String()
	d["recipient_type"], d["access_count"] = string(s.Type), s.Accesses
	if s.MaxAccess > 0 {
		d["max_access_count"] = s.MaxAccess
	}
	if !s.Recipient.ID.IsZero() {
		d["recipient_id"] = s.Recipient.ID.String()
	}
}
