package policy

import "github.com/oneclaw/oneclawd/internal/fault"

// What Evaluate refuses with. Code and phrase are published: clients search
// the lower-cased text for "no scopes" and "scopes do not cover" and then ask
// for a new token. The texts name neither path nor vault, so a refusal does
// not tell what exists.
var (
	// ErrNotBound: the agent's binding lacks the vault.
	ErrNotBound = fault.New(fault.Denied, "vault_not_bound",
		"Access denied: this agent is not bound to the vault")
	// ErrNoScopes: the agent's token was issued without any scope.
	ErrNoScopes = fault.New(fault.Denied, "no_scopes",
		"Access denied: the token has no scopes")
	// ErrScopes: the agent's token has scopes, none of which matches the path.
	ErrScopes = fault.New(fault.Denied, "scopes_do_not_cover",
		"Access denied: the token's scopes do not cover this path")
	// ErrInsufficient: no policy grants what was asked.
	ErrInsufficient = fault.New(fault.Denied, "insufficient_permissions",
		"Insufficient permissions")
)

// What the parsing constructors refuse with; the message says what is wrong.
var (
	ErrPermissions = fault.New(fault.Invalid, "invalid_permissions",
		"permissions must be a non-empty list of read, write, delete, use")
	ErrPattern    = fault.New(fault.Invalid, "invalid_pattern", "not a valid path pattern")
	ErrConditions = fault.New(fault.Invalid, "invalid_conditions", "not valid policy conditions")
)
