package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/client"
)

// Environment of a server in a process of its own: the names are those of the published one.
const (
	EnvKey       = "ONECLAW_AGENT_API_KEY"
	EnvAgent     = "ONECLAW_AGENT_ID"
	EnvToken     = "ONECLAW_AGENT_TOKEN"
	EnvVault     = "ONECLAW_VAULT_ID"
	EnvBaseURL   = "ONECLAW_BASE_URL"
	EnvLocalOnly = "ONECLAW_LOCAL_ONLY"
	EnvTransport = "MCP_TRANSPORT"
	EnvPort      = "PORT"
	EnvGuard     = "ONECLAW_MCP_SECURITY_ENABLED"
	EnvMode      = "ONECLAW_MCP_SANITIZATION_MODE"
	EnvRedact    = "ONECLAW_MCP_REDACT_SECRETS"
	EnvPII       = "ONECLAW_MCP_PII_DETECTION"
	EnvExfil     = "ONECLAW_MCP_EXFIL_PROTECTION"
)

// Standalone is a server in a process of its own: for one client over pipes, or over
// HTTP for those of this machine, who say themselves which agent they are.
type Standalone struct {
	Config
	Port  string // of the loopback, for HTTP; "" for pipes
	Vault string // that the tools use over pipes; found out when empty
	agent string // whose token it is; found out when empty
}

// ErrUsage is an environment that says too little, or what cannot be.
var ErrUsage = errors.New("mcp: the environment is not enough")

// Local reports whether the environment asks for a server without an appliance.
func Local(getenv func(string) string) bool { return yes(getenv(EnvLocalOnly)) }

func yes(s string) bool { return s == "true" || s == "1" }

// FromEnvironment is the server that the environment asks for. Options are those of the
// client, but for what the environment says; version is the program's.
func FromEnvironment(getenv func(string) string, o client.Options, version string) (Standalone, error) {
	out := Standalone{Config: Config{Version: version}, Vault: getenv(EnvVault)}
	var err error
	if out.Port, err = portOf(getenv); err != nil {
		return out, err
	}
	if out.Guard, err = guardOf(getenv); err != nil || Local(getenv) {
		return out, err
	}
	if url := getenv(EnvBaseURL); url != "" {
		o.BaseURL = url
	}
	if out.Port != "" {
		out.API, err = client.New(o)
		return out, err
	}
	o.Key, o.AgentID, o.Token = getenv(EnvKey), getenv(EnvAgent), getenv(EnvToken)
	switch {
	case o.Key == "" && o.Token == "":
		return out, usage("set " + EnvKey + " to the key of an agent (ocv_…), or " + EnvLocalOnly + "=true to inspect texts only")
	case o.Token != "" && out.Vault == "":
		return out, usage(EnvToken + " needs " + EnvVault + " beside it")
	}
	if o.Token != "" {
		said, err := readClaims(o.Token)
		if err != nil {
			return out, usage(EnvToken + " is not the token of an agent")
		}
		out.agent = said.agent()
	}
	out.API, err = client.New(o)
	return out, err
}

// OverHTTP reports whether the environment asks for a server over HTTP. Its clients
// bring their own credentials.
func OverHTTP(getenv func(string) string) bool { return getenv(EnvTransport) == "httpStream" }

// portOf is where to serve HTTP, or "" for pipes.
func portOf(getenv func(string) string) (string, error) {
	switch transport := getenv(EnvTransport); {
	case OverHTTP(getenv):
		port := cmp.Or(getenv(EnvPort), "8080")
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", usage(EnvPort + " is not the number of a port")
		}
		return port, nil
	case transport == "" || transport == "stdio":
		return "", nil
	}
	return "", usage(EnvTransport + " is stdio or httpStream")
}

func usage(text string) error { return errors.Join(ErrUsage, errors.New(text)) }

// guardOf reads the settings of the guard. What is not set is on.
func guardOf(getenv func(string) string) (Guard, error) {
	off := func(name string) bool { v := getenv(name); return v == "false" || v == "0" }
	g := Guard{Off: off(EnvGuard), Mode: Mode(getenv(EnvMode)), ShowSecrets: off(EnvRedact), IgnorePII: off(EnvPII), LetOut: off(EnvExfil)}
	if g.Mode != "" && !g.Mode.Known() {
		return g, usage(EnvMode + " is block, surgical or log_only")
	}
	return g, nil
}

// Serve serves until ctx ends or, over pipes, until the client at the other end of in and
// out closes them. Nothing else may be written to out. A credential that is not taken is
// reported by the tools, when they are called: clients show that, and not why a
// server did not start.
func (c Standalone) Serve(ctx context.Context, in io.ReadCloser, out io.WriteCloser, notes io.Writer) error {
	if c.Port != "" {
		return c.serveHTTP(ctx, notes)
	}
	var fixed *caller
	if c.API != nil {
		fixed = &caller{account: &account{api: c.API, agent: c.agent}, named: c.Vault}
	}
	s := newServer(c.Config, newGuard(c.Guard), fixed)
	err := s.sdk.Run(ctx, &sdk.IOTransport{Reader: in, Writer: out, MaxLineLength: maxBody})
	s.guard.forget()
	if errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

const (
	headTime  = 10 * time.Second // for the headers of a request
	graceTime = 5 * time.Second  // for calls under way, at the end
)

// serveHTTP serves those of this machine: nothing here encrypts what they send.
func (c Standalone) serveHTTP(ctx context.Context, notes io.Writer) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", c.Port))
	if err != nil {
		return err
	}
	h := NewHandler(c.Config)
	srv := &http.Server{Handler: h, ReadHeaderTimeout: headTime, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
		defer cancel()
		err := h.Close(grace)
		if srv.Shutdown(grace) != nil {
			_ = srv.Close() // calls are answered: what is left are connections that never asked for anything
		}
		ended <- err
	}()
	_, _ = fmt.Fprintf(notes, "serving MCP at http://%s/mcp\n", l.Addr())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
