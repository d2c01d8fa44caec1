package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// Authenticator says who bears a token. *identity.Service is one.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string, peer identity.Peer) (identity.Principal, error)
}

// access is who may ask for an operation at all.
type access struct {
	public    bool
	optional  bool            // public, but whoever sends a token is asked who they are
	guessable bool            // under the limiter that slows guessing down
	keyed     bool            // and only wrong keys count: right ones may come in any number at once
	kinds     []identity.Kind // none: any
}

// String is the last column of docs/surface.txt.
func (a access) String() string {
	switch {
	case a.keyed:
		return "public,keyed"
	case a.guessable:
		return "public,guessable"
	case a.optional:
		return "public,optional"
	case a.public:
		return "public"
	case len(a.kinds) == 0:
		return "any"
	}
	names := make([]string, len(a.kinds))
	for i, k := range a.kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ",")
}

// admission is the stage between route and handler.
func (s *Server) admission(path, operation string, a access) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		ctx := hc.Context()
		c := callFrom(ctx)
		c.route, c.op = path, operation
		if a.guessable {
			wait, ok := s.guesses.take(c.ip)
			if !ok && !a.keyed {
				s.refuse(ctx, hc.BodyWriter().(http.ResponseWriter), errTooMany.After(wait))
				return
			}
			if !ok {
				c.throttled = errTooMany.After(wait)
			}
		}
		if err := s.letIn(hc, c, a); err != nil {
			s.refuse(ctx, hc.BodyWriter().(http.ResponseWriter), err)
			return
		}
		next(hc)
		if c.rightKey && c.throttled == nil {
			s.guesses.refund(c.ip)
		}
	}
}

// letIn authenticates a request where that is needed, and asks whether it may
// come from where it comes from, now.
func (s *Server) letIn(hc huma.Context, c *call, a access) error {
	if !a.public || a.optional && len(hc.(*request).gin.Request.Header["Authorization"]) > 0 {
		return s.authenticate(hc, c, a)
	}
	if s.admit == nil {
		return nil
	}
	return s.admit.AdmitAnyone(hc.Context(), changes(hc.Method(), c.route))
}

func (s *Server) authenticate(hc huma.Context, c *call, a access) error {
	token, ok := bearer(hc.(*request).gin.Request.Header)
	if !ok {
		return errNoBearer
	}
	p, err := s.identity.Authenticate(hc.Context(), token, identity.Peer{IP: c.ip, Request: c.id})
	if err != nil {
		return err
	}
	c.principal = p
	if s.admit != nil {
		if err := s.admit.Admit(hc.Context(), p, changes(hc.Method(), c.route)); err != nil {
			return err
		}
	}
	switch {
	case len(a.kinds) == 0 || slices.Contains(a.kinds, p.Kind):
		return nil
	case p.IsAgent():
		return identity.ErrUsersOnly
	}
	return identity.ErrAgentsOnly
}

// maxToken is well over what any token of ours takes.
const maxToken = 16 << 10

// bearer reads the one Authorization header there may be. The scheme may be
// written in any case.
func bearer(h http.Header) (string, bool) {
	v := h["Authorization"]
	if len(v) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(v[0], " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return "", false
	}
	token = strings.Trim(token, " ")
	if token == "" || len(token) > maxToken || strings.ContainsAny(token, " \t,") {
		return "", false
	}
	return token, true
}
