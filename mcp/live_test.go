package mcp_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// site is an appliance with keys in a file, in this process.
type site struct {
	url    string // of the MCP server
	apiURL string
	api    *client.Client
	own    *client.Client // as the owner
	logs   *buffer
	idp    *mockoidc.MockOIDC // whose clients are agents
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

var live *site

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" { // no target needs an appliance
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "mcp")
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	live, err = open(ctx, dir, ended)
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	stop()
	if err := <-ended; err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if strings.Contains(live.logs.String(), canary) {
		fmt.Fprintln(os.Stderr, "a secret is in the log")
		code = 1
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// origin is the name by which clients are led to the identity provider.
const origin = "mcp.example.test"

// canary is in every secret of the tests.
const canary = "CANARY-5d1f7a90c3e2"

// open starts an appliance and waits until it answers.
func open(ctx context.Context, dir string, ended chan error) (*site, error) {
	s := &site{logs: &buffer{}}
	idp, err := mockoidc.Run()
	if err != nil {
		ended <- nil
		return s, err
	}
	context.AfterFunc(ctx, func() { _ = idp.Shutdown() })
	s.idp = idp
	log := slog.New(slog.NewTextHandler(s.logs, nil))
	cfg := appliance.Defaults()
	cfg.Data, cfg.API.Listen, cfg.MCP.Listen = dir+"/data", "127.0.0.1:0", "127.0.0.1:0"
	cfg.HSM.Module, cfg.Attest.Mode, cfg.Store.BallastMB = "local", "none", 0
	cfg.Passwords.MemoryKiB, cfg.Passwords.Time, cfg.Egress.AllowLoopback = 8, 1, true
	cfg.Limits.AuthBurst = 1000 // wrong credentials are part of the tests
	cfg.OIDC.Issuers, cfg.MCP.ResourceOrigin, cfg.MCP.AuthorizationServer = []string{idp.Issuer()}, "https://"+origin, idp.Issuer()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return s, err
	}
	made, err := appliance.Init(ctx, cfg, appliance.Owner{Email: "owner@localhost", Password: "A long enough passw0rd!", Org: "Test"}, log)
	if err != nil {
		ended <- nil
		return s, err
	}
	ready := make(chan appliance.Running, 1)
	go func() {
		ended <- appliance.Run(ctx, cfg, appliance.Options{Version: "test", Log: log, Ready: func(r appliance.Running) { ready <- r }})
	}()
	select {
	case r := <-ready:
		s.url, s.apiURL = r.MCP+"/mcp", r.API
		s.api, err = client.New(client.Options{BaseURL: r.API})
		s.own = s.api.As(made.APIKey)
		return s, err
	case err := <-ended:
		ended <- err
		return s, err
	}
}

// agent is an agent with a vault of its own to read and write.
type agent struct {
	t              testing.TB
	id, key, vault string
}

func newAgent(t testing.TB, permissions ...string) *agent {
	t.Helper()
	if len(permissions) == 0 {
		permissions = []string{"read", "write", "delete"}
	}
	v, err := live.own.CreateVault(t.Context(), api.CreateVaultRequest{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	a, err := live.own.CreateAgent(t.Context(), api.CreateAgentRequest{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = live.own.CreatePolicy(t.Context(), v.ID, api.CreatePolicyRequest{
		SecretPathPattern: "**", PrincipalType: "agent", PrincipalID: a.Agent.ID, Permissions: permissions,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &agent{t, a.Agent.ID, a.APIKey, v.ID}
}

// keep stores a secret in the agent's vault, as the owner.
func (a *agent) keep(path, kind, value string) {
	a.t.Helper()
	if _, err := live.own.PutSecret(a.t.Context(), a.vault, path, api.PutSecretRequest{Value: value, Type: kind}); err != nil {
		a.t.Fatal(err)
	}
}

// as is an HTTP client that sends a credential.
func as(credential string, more ...string) *http.Client {
	return &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+credential)
		for i := 0; i < len(more); i += 2 {
			r.Header.Set(more[i], more[i+1])
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// session is a client's.
type session struct {
	*sdk.ClientSession
	t testing.TB
}

// connect begins a session in one era of the protocol or the other.
func (a *agent) connect(era string, o *sdk.ClientOptions, more ...string) session {
	a.t.Helper()
	return dial(a.t, &sdk.StreamableClientTransport{Endpoint: live.url, HTTPClient: as(a.key, more...), MaxRetries: -1}, era, o)
}

const (
	ancient = "2025-06-18"
	recent  = "2026-07-28"
)

func dial(t testing.TB, over sdk.Transport, era string, o *sdk.ClientOptions) session {
	t.Helper()
	c, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, o).Connect(t.Context(), over, &sdk.ClientSessionOptions{ProtocolVersion: era})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return session{c, t}
}

type args = map[string]any

// call calls a tool and returns its text.
func (s session) call(tool string, in args) (text string, failed bool) {
	s.t.Helper()
	r, err := s.CallTool(s.t.Context(), &sdk.CallToolParams{Name: tool, Arguments: in})
	if err != nil {
		s.t.Fatalf("%s: %v", tool, err)
	}
	for _, c := range r.Content {
		if c, ok := c.(*sdk.TextContent); ok {
			text += c.Text
		}
	}
	return text, r.IsError
}

// says calls a tool that is to succeed.
func (s session) says(tool string, in args) string {
	s.t.Helper()
	text, failed := s.call(tool, in)
	if failed {
		s.t.Errorf("%s: %s", tool, text)
	}
	return text
}

// fails calls a tool that is to fail, with a text.
func (s session) fails(tool string, in args, want string) {
	s.t.Helper()
	if text, failed := s.call(tool, in); !failed || text != want {
		s.t.Errorf("%s: %q (failed: %v), want %q", tool, text, failed, want)
	}
}

// post sends a body to the server as it is.
func post(t testing.TB, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
