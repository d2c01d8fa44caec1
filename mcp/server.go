package mcp

import (
	"context"
	"errors"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const instructions = `Secrets for AI agents. list_secrets shows what there is, without values; get_secret fetches one value when it is needed, and no sooner. Do not repeat a value in an answer, a file or the arguments of another tool: such calls are refused. Transactions are signed by the appliance under limits that its owner has set.`

// server is the tools, resources and prompts, for one transport or another.
type server struct {
	cfg   Config
	sdk   *sdk.Server
	tools map[string]registered
	guard *guard
	fixed *caller // of a transport that has one client; nil elsewhere
	told  listeners
}

func newServer(cfg Config, g *guard, fixed *caller) *server {
	s := &server{cfg: cfg, fixed: fixed, guard: g, tools: map[string]registered{}}
	o := &sdk.ServerOptions{Instructions: instructions, SetCacheable: private}
	if cfg.API != nil {
		o.CompletionHandler, o.SubscribeHandler, o.UnsubscribeHandler = s.complete, s.subscribe, s.unsubscribe
	}
	s.sdk = sdk.NewServer(s.about(), o)
	s.addTools()
	if cfg.API != nil {
		s.addResources()
		s.addPrompts()
	}
	if cfg.Extend != nil {
		cfg.Extend(s.sdk)
	}
	s.sdk.AddReceivingMiddleware(s.identify, s.guard.around)
	s.sdk.AddSendingMiddleware(s.told.quiet)
	return s
}

// about is what the server says of itself.
func (s *server) about() *sdk.Implementation {
	return &sdk.Implementation{Name: name, Title: "1Claw", Version: s.cfg.Version}
}

// private keeps answers out of caches that others share. What a vault holds is
// never as it was.
func private(_ context.Context, _ sdk.Request, c *sdk.Cacheable) {
	c.CacheScope, c.TTLMs = "private", 0
}

type callerKey struct{}

var errNobody = errors.New("mcp: a request without a caller")

// callerOf is who sent the request that ctx is of.
func callerOf(ctx context.Context) (*caller, error) {
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return nil, errNobody
	}
	return c, nil
}

// identify puts the caller into the context of each request. The context of a
// session is that of the request which began it: its caller may have come from
// elsewhere, with a credential that has ended since.
func (s *server) identify(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		c := s.fixed
		if x := req.GetExtra(); x != nil && x.TokenInfo != nil {
			c, _ = x.TokenInfo.Extra[callerIn].(*caller)
		}
		if c == nil {
			ctx = context.WithValue(ctx, callerKey{}, nil)
		} else {
			ctx = context.WithValue(c.peer.in(ctx), callerKey{}, c)
		}
		return next(ctx, method, req)
	}
}
