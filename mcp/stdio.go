package mcp

import (
	"context"
	"errors"
	"io"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/client"
)

// Environment of the server over stdio: the names are those of the published one.
const (
	EnvKey       = "ONECLAW_AGENT_API_KEY"
	EnvAgent     = "ONECLAW_AGENT_ID"
	EnvToken     = "ONECLAW_AGENT_TOKEN"
	EnvVault     = "ONECLAW_VAULT_ID"
	EnvBaseURL   = "ONECLAW_BASE_URL"
	EnvLocalOnly = "ONECLAW_LOCAL_ONLY"
	EnvGuard     = "ONECLAW_MCP_SECURITY_ENABLED"
	EnvMode      = "ONECLAW_MCP_SANITIZATION_MODE"
	EnvRedact    = "ONECLAW_MCP_REDACT_SECRETS"
	EnvPII       = "ONECLAW_MCP_PII_DETECTION"
	EnvExfil     = "ONECLAW_MCP_EXFIL_PROTECTION"
)

// Stdio is who speaks to a server over pipes.
type Stdio struct {
	Config
	Vault string // that the tools use; found out when empty
	agent string // whose token it is; found out when empty
}

// ErrUsage is an environment that says too little, or what cannot be.
var ErrUsage = errors.New("mcp: the environment is not enough")

// Local reports whether the environment asks for a server without an appliance.
func Local(getenv func(string) string) bool { return yes(getenv(EnvLocalOnly)) }

func yes(s string) bool { return s == "true" || s == "1" }

// FromEnvironment is what the environment asks for. Options are those of the
// client, but for what the environment says; version is the program's.
func FromEnvironment(getenv func(string) string, o client.Options, version string) (Stdio, error) {
	out := Stdio{Config: Config{Version: version}, Vault: getenv(EnvVault)}
	var err error
	if out.Guard, err = guardOf(getenv); err != nil || Local(getenv) {
		return out, err
	}
	o.Key, o.AgentID, o.Token = getenv(EnvKey), getenv(EnvAgent), getenv(EnvToken)
	if url := getenv(EnvBaseURL); url != "" {
		o.BaseURL = url
	}
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

// ServeStdio serves the client at the other end of in and out until it closes them
// or ctx ends. Nothing else may be written to out. A credential that is not taken is
// reported by the tools, when they are called: clients show that, and not why a
// server did not start.
func ServeStdio(ctx context.Context, c Stdio, in io.ReadCloser, out io.WriteCloser) error {
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
