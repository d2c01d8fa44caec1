package httpapi

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// Admitter says whether a request may be looked at by where it comes from and
// whether it changes something. *site.Service is one.
type Admitter interface {
	Admit(ctx context.Context, p identity.Principal, changes bool) error
	AdmitAnyone(ctx context.Context, changes bool) error
}

// signingIn are the routes that stay open during maintenance: whoever may read
// then has to be let in, and whoever ends it too.
var signingIn = map[string]bool{
	"/v1/auth/token":          true,
	"/v1/auth/agent-token":    true,
	"/v1/auth/api-key-token":  true,
	"/v1/auth/refresh":        true,
	"/v1/auth/google":         true,
	"/v1/auth/mfa/verify":     true,
	"/v1/auth/device/code":    true,
	"/v1/auth/device/token":   true,
	"/v1/auth/device/approve": true,
	"/v1/auth/device/deny":    true,
}

// changes reports whether a request is one that maintenance keeps out.
func changes(method, route string) bool {
	return method != http.MethodGet && method != http.MethodHead && !signingIn[route]
}
