package mcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// stateless is the first revision of the protocol without sessions.
const stateless = "2026-07-28"

const (
	defaultMaxSessions = 4096
	// An agent has one of so many parts of the sessions.
	shares = 16
	// sessionTimeout is how long a session waits for another request. A client that
	// comes later is told so, and begins a new one.
	sessionTimeout = 4 * time.Hour
)

var (
	errOrigin   = fault.New(fault.Denied, "foreign_origin", "Pages of other origins may not call this server")
	errSessions = fault.New(fault.Unavailable, "too_many_sessions", "There are as many sessions as there may be")
	errDraining = fault.New(fault.Unavailable, "draining", "The appliance is shutting down")
	errNoRoute  = fault.New(fault.NotFound, "not_found", "There is no such route: the server is at /mcp")
	errTooLarge = fault.New(fault.TooLarge, "too_large", "A message has at most 5 MB")
	errSealed   = fault.New(fault.Sealed, "sealed", "the appliance is sealed; an operator unseals it with `oneclawd unseal`")
)

// Handler is the server over streamable HTTP: /mcp for clients of every revision
// of the protocol, and /health.
//
// Who calls says so in each request, with an agent's token or key as a bearer. There
// is no document that speaks of OAuth but at the origin that was set for it.
type Handler struct {
	accounts *accounts
	oauth    OAuth
	origins  *http.CrossOriginProtection
	guard    *guard
	seats    *seats
	ancient  era // of clients with sessions
	recent   era // of clients without
	inside   *underWay
}

// era is the server for clients of one era of the protocol. Each has one of its own: for
// a request without a session the SDK begins one, among all others of the same server.
type era struct {
	*server
	http   http.Handler
	direct sdk.MethodHandler // calls of tools that take the shortcut
}

func newEra(c Config, g *guard, o sdk.StreamableHTTPOptions) era {
	var fixed *caller
	signed := auth.RequireBearerToken(verified, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})
	if c.API == nil {
		fixed, signed = anybody, func(h http.Handler) http.Handler { return h }
	}
	s := newServer(c, g, fixed)
	o.MaxRequestBodyBytes, o.DisableLocalhostProtection = -1, true // both are seen to before
	over := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s.sdk }, &o)
	return era{server: s, http: signed(over), direct: s.identify(g.around(s.callTool))}
}

// anybody calls a server without an appliance.
var anybody = &caller{account: &account{user: "anybody"}}

// NewHandler returns a Handler.
func NewHandler(c Config) *Handler {
	rights := c.Rights
	if rights == nil {
		rights = func() uint64 { return 0 }
	}
	g := newGuard(c.Guard)
	h := &Handler{
		accounts: &accounts{api: c.API, oauth: c.OAuth, rights: rights, known: map[[32]byte]*account{}}, oauth: c.OAuth,
		origins: http.NewCrossOriginProtection(), guard: g, inside: newUnderWay(),
		ancient: newEra(c, g, sdk.StreamableHTTPOptions{}),
		recent:  newEra(c, g, sdk.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true}),
	}
	most := cmp.Or(c.MaxSessions, defaultMaxSessions)
	h.seats = &seats{
		most: most, share: max(1, most/shares), idle: sessionTimeout,
		live: h.ancient.sdk.Sessions, taken: map[string]*seat{}, held: map[string]int{},
	}
	return h
}

// Close lets nobody in any more, waits for calls under way, and ends all sessions,
// and with them the streams that would never end by themselves. If ctx ends first,
// it does not wait for calls either.
func (h *Handler) Close(ctx context.Context) error {
	err := h.inside.close(ctx)
	for _, e := range []era{h.ancient, h.recent} {
		for s := range e.sdk.Sessions() {
			_ = s.Close()
		}
	}
	h.seats.close()
	h.guard.forget()
	return err
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "✓ Ok")
	case "/mcp":
		if err := h.serve(w, r); err != nil {
			refuse(w, err, h.oauth.challenge(r))
		}
	case metadataPath, metadataPath + "/mcp":
		if !h.oauth.here(r) || r.Method != http.MethodGet && r.Method != http.MethodHead {
			Refuse(w, errNoRoute)
			return
		}
		h.oauth.describe(w)
	default:
		Refuse(w, errNoRoute)
	}
}

// serve lets a request in, or says why not.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	if !h.oauth.ownHost(r) {
		return errHost
	}
	if err := h.sameOrigin(r); err != nil {
		return err
	}
	counted, ok := h.inside.begin(r)
	if !ok {
		return errDraining.After(time.Second)
	}
	if counted {
		defer h.inside.end()
	}
	c, err := h.enter(r)
	if err != nil {
		return err
	}
	var body []byte
	if r.Method == http.MethodPost {
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
			return errTooLarge
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	// What the listener waits for is here. The answer may take longer than that.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("Mcp-Protocol-Version") >= stateless {
		if !h.shortcut(w, r, body, c) {
			h.recent.http.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
		}
		return nil
	}
	return h.inSession(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)), body, c)
}

// inSession serves a request of a session, or the one that begins it.
func (h *Handler) inSession(w http.ResponseWriter, r *http.Request, body []byte, c *caller) error {
	if id := r.Header.Get(sessionHeader); id != "" || r.Method != http.MethodPost {
		session := h.seats.use(c.user, id)
		if session == nil || r.Method != http.MethodPost || !h.shortcutInSession(w, r, body, c, session) {
			h.ancient.http.ServeHTTP(w, r)
		}
		return nil
	}
	if err := h.seats.hold(c.user); err != nil {
		return err
	}
	defer func() { h.seats.begun(c.user, w.Header().Get(sessionHeader)) }()
	h.ancient.http.ServeHTTP(w, r)
	return nil
}

const sessionHeader = "Mcp-Session-Id"

// sameOrigin refuses requests of pages from elsewhere, whatever their method: a
// stream is read with GET.
func (h *Handler) sameOrigin(r *http.Request) error {
	as := *r
	as.Method = http.MethodPost
	if h.origins.Check(&as) != nil {
		return errOrigin
	}
	return nil
}

// enter says who sent a request. Without an appliance it does not matter.
func (h *Handler) enter(r *http.Request) (*caller, error) {
	if h.accounts.api == nil {
		return anybody, nil
	}
	scheme, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if credential = strings.TrimSpace(credential); !strings.EqualFold(scheme, "bearer") || credential == "" {
		return nil, errNoCredential
	}
	from := peerOf(r)
	k, err := h.accounts.enter(from.in(r.Context()), credential)
	if err != nil {
		return nil, err
	}
	return &caller{account: k, peer: from, named: r.Header.Get("X-Vault-ID")}, nil
}

const callerIn = "caller" // in the Extra of a TokenInfo

// verified hands the caller on to where the SDK shows it to handlers. A session
// is its user's: with the credential of another it cannot be used.
func verified(ctx context.Context, _ string, _ *http.Request) (*auth.TokenInfo, error) {
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return nil, auth.ErrInvalidToken
	}
	return tokenOf(c), nil
}

func tokenOf(c *caller) *auth.TokenInfo {
	return &auth.TokenInfo{UserID: c.user, Extra: map[string]any{callerIn: c}}
}

// Refuse answers with an error in the form of the API's.
func Refuse(w http.ResponseWriter, err error) { refuse(w, err, `Bearer realm="`+name+`"`) }

func refuse(w http.ResponseWriter, err error, challenge string) {
	p, wait := problem(err)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	w.Header().Set("Content-Type", api.ProblemContentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(p)
}

// Sealed answers while the keys are closed.
func Sealed(w http.ResponseWriter, _ *http.Request) { Refuse(w, errSealed) }

var statuses = map[fault.Kind]int{
	fault.Unauthenticated: http.StatusUnauthorized, fault.Denied: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
	fault.TooLarge: http.StatusRequestEntityTooLarge, fault.Sealed: http.StatusServiceUnavailable, fault.Unavailable: http.StatusServiceUnavailable,
}

// problem is an error of this package, or of the API in its own words.
func problem(err error) (api.Problem, time.Duration) {
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Problem, refused.RetryAfter
	}
	if f := fault.As(err); f != nil && statuses[f.Kind] != 0 {
		status := statuses[f.Kind]
		return api.Problem{Type: api.TypeBlank, Title: http.StatusText(status), Status: status, Detail: f.Msg, Code: f.Code}, f.RetryAfter
	}
	status := http.StatusBadGateway
	return api.Problem{Type: api.TypeBlank, Title: http.StatusText(status), Status: status, Detail: "The appliance does not answer"}, 0
}
