package identity

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Kind tells people from agents. The values are those of the API.
type Kind string

// The kinds of principal.
const (
	KindUser  Kind = "user"
	KindAgent Kind = "agent"
)

// Role is what a user may do in the organisation.
type Role string

// The roles, strongest first.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
)

// IsName reports whether a vault, an agent or a key may be called s: something
// that is seen, and harmless in a terminal.
func IsName(s string) bool {
	return utf8.RuneCountInString(s) <= 255 && strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, unicode.IsControl)
}

// Peer is where a request came from, known before anyone is authenticated.
type Peer struct {
	IP      netip.Addr
	Request string // request id
	// Throttled is what a wrong key gets for an answer, in place of being told
	// and recorded as wrong, where too many came from this address. Right keys
	// do not see it: one client's wrong key must not lock out its neighbours.
	Throttled error
}

// Principal is who asks.
type Principal struct {
	Kind Kind
	ID   id.ID
	Org  id.ID
	Role Role // users only

	Scopes   []policy.Pattern // agents: paths the token covers at most
	VaultIDs []id.ID          // agents: vaults the token is bound to; empty means all
	Intents  bool             // agents: uses the Intents API, so must never see a signing key
	Signs    bool             // agents: the token was made for the Intents API; without, nothing is signed

	Token        string    // id (jti) of the JWT, "" when a 1ck_ key was the proof
	TokenExpires time.Time // when the JWT ends by itself

	IP        netip.Addr
	RequestID string
}

// IsAgent reports whether p is an agent.
func (p Principal) IsAgent() bool { return p.Kind == KindAgent }

// Manages reports whether p is an owner or admin of its organisation: they
// manage what others made, which is not the same as reading it.
func (p Principal) Manages() bool {
	return p.Kind == KindUser && (p.Role == RoleOwner || p.Role == RoleAdmin)
}

// BoundTo reports whether p's vault binding lets it reach vault.
func (p Principal) BoundTo(vault id.ID) bool {
	return len(p.VaultIDs) == 0 || slices.Contains(p.VaultIDs, vault)
}

// Reach is the same for principals that may reach the same: of one agent, two tokens
// may cover different paths and vaults, and policies look at where it asks from.
// Whoever keeps what one was shown keeps it under its reach.
type Reach struct {
	who    id.ID
	from   netip.Addr
	covers [sha256.Size]byte
}

// Reach returns what p may reach at most, as something to compare.
func (p Principal) Reach() Reach {
	h := sha256.New()
	for _, s := range p.Scopes {
		fmt.Fprintf(h, "scope %q\n", s.String())
	}
	for _, v := range p.VaultIDs {
		fmt.Fprintf(h, "vault %s\n", v)
	}
	r := Reach{who: p.ID, from: p.IP}
	h.Sum(r.covers[:0])
	return r
}

// Policy names p the way policies do.
func (p Principal) Policy() policy.Principal {
	return policy.Principal{Type: string(p.Kind), ID: p.ID}
}

// Event starts an audit event about something p attempted.
func (p Principal) Event(action audit.Action, resource, resourceID string) audit.Event {
	e := audit.Event{
		Org:      p.Org,
		Actor:    audit.Actor{Type: string(p.Kind), ID: p.ID},
		Action:   action,
		Resource: audit.Resource{Type: resource, ID: resourceID},
		Request:  p.RequestID,
	}
	if p.IP.IsValid() {
		e.IP = p.IP.String()
	}
	return e
}

// event starts an audit event about someone who is not authenticated.
func (p Peer) event(action audit.Action, resource, resourceID string) audit.Event {
	e := audit.Event{
		Actor:    audit.Actor{Type: "anonymous"},
		Action:   action,
		Resource: audit.Resource{Type: resource, ID: resourceID},
		Request:  p.Request,
	}
	if p.IP.IsValid() {
		e.IP = p.IP.String()
	}
	return e
}
