package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Scopes returns the ceiling to freeze into an agent's token.
//
// The agent's explicit scopes count if any of them is a path pattern. Clients
// also use scopes as labels ("vaults:read", "vault.read", "tx:sign"), which
// taken as patterns would shut the agent out; those are left aside. With no
// pattern among them, the ceiling is every pattern of the agent's active
// policies, over all vaults. With none of those either it is empty, and the
// token opens nothing.
//
// An explicit scope that is meant as a path but is not a valid pattern is
// dropped, and still counts as explicit: a typing error must narrow the
// ceiling, not widen it to everything the policies allow.
//
// grants must be this agent's own. The result is never nil, has no duplicates,
// and is sorted if derived; explicit scopes keep their order.
func Scopes(explicit []string, grants []Policy, now time.Time) []Pattern {
	out := []Pattern{}
	paths := false
	for _, s := range explicit {
		if informational(s) {
			continue
		}
		paths = true
		if p, err := ParsePattern(s); err == nil && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if paths {
		return out
	}
	for i := range grants {
		if p := grants[i].Pattern; p.src != "" && grants[i].active(now) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Pattern) int { return cmp.Compare(a.src, b.src) })
	return slices.Compact(out)
}

// informational reports whether an explicit scope is a label, not a pattern.
// No canonical path has a colon or a dot, so nothing usable is lost.
func informational(s string) bool {
	return strings.Contains(s, ":") ||
		strings.HasPrefix(s, "vault.") || strings.HasPrefix(s, "vaults.")
}
