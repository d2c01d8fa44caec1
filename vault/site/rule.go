package site

import (
	"net/netip"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// RuleType says what a rule does to the addresses it covers.
type RuleType string

// The types of rules. One deny that covers an address refuses it; where there
// is any allow, what none covers is refused.
const (
	Allow RuleType = "allow"
	Deny  RuleType = "deny"
)

// block is how some clients write Deny.
const block RuleType = "block"

// Audience says whose requests a rule is for.
type Audience string

// The audiences.
const (
	All    Audience = "all"
	Users  Audience = "users"
	Agents Audience = "agents"
)

// Rule is one IP rule of an organisation.
type Rule struct {
	ID        id.ID            `json:"id"`
	Type      RuleType         `json:"type"`
	Network   netip.Prefix     `json:"network"`
	Label     string           `json:"label,omitempty"`
	AppliesTo Audience         `json:"applies_to"`
	CreatedBy policy.Principal `json:"created_by"`
	CreatedAt time.Time        `json:"created_at"`
}

// NewRule is a rule to make, as it was asked for.
type NewRule struct {
	Type      string // allow, deny or block
	CIDR      string // a block or one address
	Label     string
	AppliesTo string // all if empty
}

func (n NewRule) parse() (r Rule, err error) {
	switch r.Type = RuleType(n.Type); r.Type {
	case Allow, Deny:
	case block:
		r.Type = Deny
	default:
		return r, ErrRuleType
	}
	switch r.AppliesTo = Audience(n.AppliesTo); r.AppliesTo {
	case All, Users, Agents:
	case "":
		r.AppliesTo = All
	default:
		return r, ErrAppliesTo
	}
	if r.Label = n.Label; len(n.Label) > 255 {
		return r, ErrLabel
	}
	var ok bool
	if r.Network, ok = parseNetwork(n.CIDR); !ok {
		return r, ErrCIDR
	}
	return r, nil
}

// parseNetwork reads a block or an address. Host bits may be set; what is
// IPv4 written as IPv6 becomes IPv4, as addresses of requests do.
func parseNetwork(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s) // refuses zones
	if !strings.Contains(s, "/") {
		var a netip.Addr
		if a, err = netip.ParseAddr(s); a.Zone() != "" {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false // IPv4 and other addresses at once; nobody means that
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// For reports whether the rule is for requests of this kind of principal. Who
// sends no token, and so has no kind, is under every rule: leaving it out gets
// nobody around one.
func (r Rule) For(kind identity.Kind) bool {
	if kind == "" {
		return true
	}
	switch r.AppliesTo {
	case Users:
		return kind == identity.KindUser
	case Agents:
		return kind == identity.KindAgent
	}
	return true
}

// Allowed decides about one address. One that is not known, as behind a unix
// socket, is covered by no rule.
func Allowed(rules []Rule, kind identity.Kind, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	listed, named := false, false
	for _, r := range rules {
		if !r.For(kind) {
			continue
		}
		covers := r.Network.Contains(addr)
		if r.Type != Allow {
			if covers {
				return false
			}
			continue
		}
		listed, named = true, named || covers
	}
	return named || !listed
}
