package httpapi

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// canary stands for a secret: it may be sent, and never come back.
const canary = "CANARY7f3a9c"

// scenario is one request and what must be true of the answer.
type scenario struct {
	name   string
	method string // GET if empty
	url    string
	as     string // bearer token: "human", "agent", "" for none
	header map[string]string
	body   string

	status int
	has    []string          // in the body
	lacks  []string          // anywhere in the answer; the canary always is
	want   map[string]string // headers
}

// fakeIdentity knows two tokens.
type fakeIdentity struct {
	seen chan identity.Peer
	fail error
}

func (f *fakeIdentity) Authenticate(ctx context.Context, bearer string, peer identity.Peer) (identity.Principal, error) {
	if f.seen != nil {
		f.seen <- peer
	}
	if f.fail != nil {
		return identity.Principal{}, f.fail
	}
	p := identity.Principal{ID: id.New(), Org: id.New(), IP: peer.IP, RequestID: peer.Request}
	switch bearer {
	case "human":
		p.Kind, p.Role = identity.KindUser, identity.RoleOwner
	case "agent":
		p.Kind = identity.KindAgent
	default:
		audit.Collect(ctx, audit.Receipt{Event: id.New(), Index: 41})
		return identity.Principal{}, identity.ErrToken
	}
	return p, nil
}

type fakeModule struct{ status hsm.Status }

func (m *fakeModule) Describe() hsm.Description { return hsm.Description{Kind: "pkcs11", HSM: true} }
func (m *fakeModule) State() hsm.State          { return hsm.State{Status: m.status} }

// lockedBuffer is a log that requests may write to at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// take is what was logged since the last take.
func (l *lockedBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

// world is a server with the test's own routes and what it logged.
type world struct {
	*Server
	log      *lockedBuffer
	identity *fakeIdentity
	module   *fakeModule
}

func newWorld(t testing.TB, edit ...func(*Config)) *world {
	t.Helper()
	w := &world{log: &lockedBuffer{}, identity: &fakeIdentity{}, module: &fakeModule{status: hsm.StatusOK}}
	c := Config{
		Version: "1.2.3", PublicURL: "https://vault.example", HSM: w.module,
		Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	for _, e := range edit {
		e(&c)
	}
	w.Server = New(c)
	w.Server.identity = w.identity
	for _, r := range testRoutes() {
		r(w.Server)
	}
	return w
}

func unlimited(c *Config) { c.Limits = Limits{Global: Rate{Burst: -1}, Auth: Rate{Burst: -1}} }

type thingInput struct {
	Vault string `path:"vault"`
	Path  string `path:"path"`
}

type versionInput struct {
	Vault   string `path:"vault"`
	Path    string `path:"path"`
	Version int64  `path:"version"`
}

type putInput struct {
	ID     id.ID  `path:"id" format:"uuid"`
	Limit  int64  `query:"limit" minimum:"1" maximum:"100"`
	Header string `header:"X-Thing" maxLength:"8"`
	Body   api.PutSecretRequest
}

type agentBodyInput struct{ Body api.UpdateAgentRequest }

type policyBodyInput struct{ Body api.CreatePolicyRequest }

type optionalInput struct{ Body *api.RotateSecretRequest }

type thing struct {
	Vault   string `json:"vault"`
	Path    string `json:"path"`
	Version int    `json:"version"`
}

func testRoutes() []route {
	return []route{
		handle(get, "/v1/t/{vault}/things/{path}", "readThing", func(_ context.Context, in *thingInput) (*reply[thing], error) {
			return answer(thing{Vault: in.Vault, Path: in.Path})
		}, slashes("path"), public),
		handle(get, "/v1/t/{vault}/version/{path}/{version}", "readVersion", func(_ context.Context, in *versionInput) (*reply[thing], error) {
			return answer(thing{in.Vault, in.Path, int(in.Version)})
		}, slashes("path"), public),
		handle(put, "/v1/t/puts/{id}", "putThing", func(context.Context, *putInput) (*none, error) { return nil, nil }, public, maxBody(2000)),
		handle(patch, "/v1/t/agent", "patchAgent", func(_ context.Context, in *agentBodyInput) (*reply[api.UpdateAgentRequest], error) {
			return answer(in.Body)
		}, public),
		handle(post, "/v1/t/policy", "newPolicy", func(_ context.Context, in *policyBodyInput) (*reply[map[string]string], error) {
			out := in.Body.Unsupported()
			out["pattern"] = in.Body.Pattern()
			return answer(out)
		}, public, status(201)),
		handle(post, "/v1/t/optional", "optional", func(_ context.Context, in *optionalInput) (*reply[bool], error) {
			return answer(in.Body != nil)
		}, public),
		handle(post, "/v1/t/none", "bodyless", func(context.Context, *none) (*none, error) { return nil, nil }),
		handle(get, "/v1/t/fault/{code}", "failing", failing),
		handle(get, "/v1/t/agents-only", "agentsOnly", whoami, who(agent)),
		handle(get, "/v1/t/humans-only", "humansOnly", whoami, who(human)),
		handle(post, "/v1/t/login", "guess", func(ctx context.Context, in *struct {
			Body api.AgentTokenRequest
		}) (*none, error) {
			if deref(in.Body.APIKey) != "right" {
				if p := peer(ctx); p.Throttled != nil {
					return nil, p.Throttled
				}
				return nil, identity.ErrCredentials
			}
			keyWasRight(ctx)
			return nil, nil
		}, keyed),
		handle(get, "/v1/t/empty", "empty", func(context.Context, *none) (*none, error) { return nil, nil }, public),
		handle(get, "/v1/t/authed", "authed", func(context.Context, *none) (*none, error) { return nil, nil }),
	}
}

func whoami(ctx context.Context, _ *none) (*reply[string], error) {
	audit.Collect(ctx, audit.Receipt{Event: id.New(), Index: 7})
	return answer(string(caller(ctx).Kind))
}

func failing(ctx context.Context, in *struct {
	Code string `path:"code"`
}) (*none, error) {
	audit.Collect(ctx, audit.Receipt{Event: id.New(), Index: 6})
	audit.Collect(ctx, audit.Receipt{Event: id.New(), Index: 9})
	return nil, faults[in.Code]()
}

// do serves one scenario's request.
func (w *world) do(s scenario) *httptest.ResponseRecorder {
	method := s.method
	if method == "" {
		method = get
	}
	var body io.Reader
	if s.body != "" {
		body = strings.NewReader(s.body)
	}
	r := httptest.NewRequest(method, s.url, body)
	if s.as != "" {
		r.Header.Set("Authorization", "Bearer "+s.as)
	}
	for k, v := range s.header {
		if k == "Remote" {
			r.RemoteAddr = v
			continue
		}
		r.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

func (w *world) check(t *testing.T, s scenario) {
	t.Helper()
	rec := w.do(s)
	got := rec.Body.String()
	if rec.Code != s.status {
		t.Errorf("status %d, want %d: %s", rec.Code, s.status, got)
	}
	if rec.Code >= 400 && rec.Header().Get("Content-Type") != api.ProblemContentType {
		t.Errorf("a refusal of type %q", rec.Header().Get("Content-Type"))
	}
	for _, has := range s.has {
		if !strings.Contains(got, has) {
			t.Errorf("answer %s lacks %s", got, has)
		}
	}
	var all strings.Builder
	_ = rec.Header().Write(&all)
	all.WriteString(got)
	for _, lacks := range append(s.lacks, canary) {
		if strings.Contains(all.String(), lacks) {
			t.Errorf("answer has %s:\n%s", lacks, all.String())
		}
	}
	for k, want := range s.want {
		if v := rec.Header().Get(k); v != want {
			t.Errorf("header %s is %q, want %q", k, v, want)
		}
	}
}

// run checks scenarios in a world of their own and that the log stays clean.
func run(t *testing.T, scenarios []scenario, edit ...func(*Config)) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, append([]func(*Config){unlimited}, edit...)...)
			w.check(t, s)
			if strings.Contains(w.log.String(), canary) {
				t.Errorf("the log has the canary:\n%s", w.log.String())
			}
		})
	}
}

// faults are what the failing route answers with, by name.
var faults = map[string]func() error{
	"plain":    func() error { return io.ErrUnexpectedEOF },
	"internal": func() error { return fault.New(fault.Internal, "internal_thing", "a text for the log") },
	"limit": func() error {
		return fault.New(fault.Denied, "resource_limit_exceeded", "Vault limit reached (3/3)")
	},
	"fields": func() error {
		e := *fault.New(fault.Invalid, "invalid_name", "Not a name")
		e.Fields = map[string]string{"name": "is too long"}
		return &e
	},
	"deadline": func() error { return context.DeadlineExceeded },
	"panic":    func() error { panic(canary) },
	"index":    func() error { var s []int; _ = s[len(s)]; return nil },
	"abort":    func() error { panic(http.ErrAbortHandler) },
}
