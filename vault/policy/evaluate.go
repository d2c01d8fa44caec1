package policy

import (
	"net/netip"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// Request is the question that Evaluate answers.
type Request struct {
	Principal Principal
	Vault     id.ID
	// Owner: the principal created this vault. Scopes and policies are not
	// needed then; the binding still is.
	Owner bool
	// Scoped: Scopes and Bound apply. An agent is scoped even if this was
	// forgotten.
	Scoped bool
	Scopes []Pattern // the ceiling frozen in the token; empty = nothing
	Bound  []id.ID   // the vaults within reach; empty = all
	Path   string    // a canonical secret path, else nothing is allowed
	// Any lists permissions of which one is enough: deleting needs Write or
	// Delete. Empty is never enough.
	Any []Permission
	IP  netip.Addr // where the request came from
	Now time.Time
}

// Decision is the answer.
type Decision struct {
	Allowed bool
	// Refusal says why not; nil exactly if Allowed.
	Refusal *fault.Error
	// Policies are all that granted the request, for the audit record.
	Policies []id.ID
	// Owner: allowed because the principal created the vault.
	Owner bool
}

// Evaluate decides r. grants may hold policies of other principals and vaults;
// they are ignored. Binding comes before scopes, scopes before policies, and
// the first to refuse names the reason.
func Evaluate(r Request, grants []Policy) Decision {
	scoped := r.Scoped || r.Principal.Type == Agent
	if scoped && !Reaches(r.Bound, r.Vault) {
		return Decision{Refusal: ErrNotBound}
	}
	if !r.wellFormed() {
		return Decision{Refusal: ErrInsufficient}
	}
	if r.Owner {
		return Decision{Allowed: true, Owner: true}
	}
	if scoped {
		if len(r.Scopes) == 0 {
			return Decision{Refusal: ErrNoScopes}
		}
		covers := func(p Pattern) bool { return p.matchCanonical(r.Path) }
		if !slices.ContainsFunc(r.Scopes, covers) {
			return Decision{Refusal: ErrScopes}
		}
	}
	var granted []id.ID
	for i := range grants {
		if grants[i].grants(&r) {
			granted = append(granted, grants[i].ID)
		}
	}
	if len(granted) == 0 {
		return Decision{Refusal: ErrInsufficient}
	}
	return Decision{Allowed: true, Policies: granted}
}

// Reaches reports whether an agent bound to these vaults may touch vault at
// all. An empty binding reaches every vault. Routes that name a vault but no
// secret path need this check alone.
func Reaches(bound []id.ID, vault id.ID) bool {
	return len(bound) == 0 || slices.Contains(bound, vault)
}

// wellFormed reports whether r asks something that can be allowed. It holds
// for owners too: that only canonical paths are ever allowed is a promise to
// whoever stores or logs the path afterwards.
func (r *Request) wellFormed() bool {
	return r.Principal.known() && !r.Vault.IsZero() && len(r.Any) > 0 && CanonicalPath(r.Path)
}

// grants reports whether p alone allows r, whose path is canonical. What
// rejects most policies for the least work comes first.
func (p *Policy) grants(r *Request) bool {
	return p.Vault == r.Vault &&
		p.Principal == r.Principal &&
		p.permits(r.Any) &&
		p.active(r.Now) &&
		p.Pattern.matchCanonical(r.Path) &&
		p.Conditions.hold(r.IP, r.Now)
}

func (p *Policy) permits(wanted []Permission) bool {
	for _, w := range wanted {
		if slices.Contains(p.Permissions, w) {
			return true
		}
	}
	return false
}
