package appliance

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/mcp"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// MCPConfig sets the MCP server.
type MCPConfig struct {
	Listen     string `toml:"listen" doc:"Address of the MCP server, for the clients of models: 127.0.0.1:8202, say. Empty: there is none."`
	Inspection string `toml:"inspection" doc:"What becomes of a call of a tool whose arguments look like an attack: block, surgical (what was found is taken out), log_only, or off (nothing is inspected)."`
	ListenerConfig

	ResourceOrigin      string `toml:"resource_origin" doc:"Origin at which the MCP server leads clients to an identity provider, https://mcp.example.com, say. Clients whose key is a header come to another name. Empty: it leads nobody."`
	AuthorizationServer string `toml:"authorization_server" doc:"The identity provider that they are led to: one of oidc.issuers."`
}

// oauth is what clients are told at resource_origin.
func (m MCPConfig) oauth() mcp.OAuth {
	return mcp.OAuth{Origin: m.ResourceOrigin, Issuer: m.AuthorizationServer}
}

// inspectNothing is the value of mcp.inspection that is no mode.
const inspectNothing = "off"

func defaultMCP() MCPConfig { return MCPConfig{Inspection: string(mcp.Block)} }

func (c Config) checkMCP() error {
	m := c.MCP
	if m.Inspection != inspectNothing && !mcp.Mode(m.Inspection).Known() {
		return bad("mcp.inspection", "%q is not block, surgical, log_only or off", m.Inspection)
	}
	switch {
	case m.ResourceOrigin != "" && !mcp.CheckOrigin(m.ResourceOrigin):
		return bad("mcp.resource_origin", "%q is not https://host, in small letters and without a path", m.ResourceOrigin)
	case (m.ResourceOrigin == "") != (m.AuthorizationServer == ""):
		return bad("mcp.authorization_server", "resource_origin and authorization_server come together")
	case m.AuthorizationServer != "" && !slices.Contains(c.OIDC.Issuers, m.AuthorizationServer):
		return bad("mcp.authorization_server", "%q is none of oidc.issuers, whose tokens are believed", m.AuthorizationServer)
	case m.Listen == "":
		return nil
	}
	return on("mcp", m.Listen, m.ListenerConfig).check(c)
}

// mcpFront is the handler of the MCP server's listener.
type mcpFront struct {
	listener *listener
	make     func() (*mcp.Handler, error) // makes it when it is first called
	behind   atomic.Pointer[mcp.Handler]
}

// newMCP makes the MCP server. Its tools call the API in this process, as whoever
// called them, and it needs nothing of the core: making it takes as long as the HSM
// takes to open, so that is when it is made.
func (d *daemon) newMCP() (*mcp.Handler, error) {
	as, err := mcp.InProcess(d.front, d.publicURL())
	if err != nil {
		return nil, err
	}
	return mcp.NewHandler(mcp.Config{
		Version: d.o.Version, API: as, Rights: d.front.generation, Log: d.log,
		Followed: true, OAuth: d.cfg.MCP.oauth(),
		Guard: mcp.Guard{Off: d.cfg.MCP.Inspection == inspectNothing, Mode: mcp.Mode(d.cfg.MCP.Inspection), Log: d.log},
	}), nil
}

// prepareMCP begins to make the MCP server, if there is a listener for it.
func (d *daemon) prepareMCP() error {
	if d.mcp == nil {
		return nil
	}
	_, err := d.mcp.make()
	return err
}

// openMCP lets calls through to the tools, if there is a listener for them.
func (d *daemon) openMCP() error {
	if d.mcp == nil {
		return nil
	}
	h, err := d.mcp.make()
	d.mcp.behind.Store(h)
	return err
}

// newsEvery is how often the MCP server's clients are told what changed.
const newsEvery = time.Second

// listed are the events after which somebody sees another list of a vault's secrets.
var listed = map[audit.Action]bool{
	audit.SecretWrite: true, audit.SecretRotate: true, audit.SecretDelete: true, audit.SecretDisable: true,
	audit.PolicyCreate: true, audit.PolicyUpdate: true, audit.PolicyDelete: true, audit.VaultDelete: true,
}

// follow tells the MCP server's clients what changed in vaults that they listen to,
// whoever changed it. It looks at the audit log where something may have changed and
// somebody listens, and so at what is durable.
func (f *mcpFront) follow(ctx context.Context, c *core) error {
	if f == nil {
		return nil
	}
	n := &news{db: c.db, log: c.audit}
	every := time.NewTicker(newsEvery)
	defer every.Stop()
	for h := f.behind.Load(); ; {
		vaults, err := n.since(ctx, h.Listening)
		if err != nil && ctx.Err() == nil {
			c.log.Error("what changed in vaults cannot be said to who listens; it will be tried again", "err", err)
		}
		for vault := range vaults {
			h.Changed(ctx, vault)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// news is how far the audit log was followed.
type news struct {
	db     *store.DB
	log    *audit.Log
	begun  bool
	rights uint64 // what Generation was
	at     uint64 // everything below was looked at, or nobody listened
}

// since returns the vaults in which something changed since it was last asked.
func (n *news) since(ctx context.Context, listening func() bool) (map[string]bool, error) {
	rights := n.db.Generation()
	if n.begun && rights == n.rights {
		return nil, nil
	}
	size, err := n.log.Figures(ctx)
	if err != nil {
		return nil, err
	}
	vaults := map[string]bool{}
	for n.begun && listening() && n.at < size.Events {
		records, next, err := n.log.Since(ctx, n.at)
		if err != nil {
			return vaults, err
		}
		for _, r := range records {
			if vault, ok := r.Details["vault_id"].(string); ok && listed[r.Action] && r.Outcome == audit.Success {
				vaults[vault] = true
			}
		}
		n.at = next
	}
	n.begun, n.rights, n.at = true, rights, max(n.at, size.Events)
	return vaults, nil
}

// ServeHTTP implements http.Handler.
func (f *mcpFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	behind := f.behind.Load()
	switch {
	case r.URL.Path == "/livez":
		w.WriteHeader(http.StatusOK)
	case behind == nil:
		mcp.Sealed(w, r)
	default:
		behind.ServeHTTP(w, r)
	}
}

func (f *mcpFront) base() string {
	if f == nil {
		return ""
	}
	return f.listener.url
}

// drain lets no more calls in, waits for those under way, and ends sessions.
func (f *mcpFront) drain(ctx context.Context) error {
	if f == nil {
		return nil
	}
	var err error
	if h := f.behind.Load(); h != nil {
		err = h.Close(ctx)
	}
	return andThen(err, f.listener.drain(ctx))
}
