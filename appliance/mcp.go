package appliance

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/mcp"
)

// MCPConfig sets the MCP server.
type MCPConfig struct {
	Listen     string `toml:"listen" doc:"Address of the MCP server, for the clients of models: 127.0.0.1:8202, say. Empty: there is none."`
	Inspection string `toml:"inspection" doc:"What becomes of a call of a tool whose arguments look like an attack: block, surgical (what was found is taken out), log_only, or off (nothing is inspected)."`
	ListenerConfig
}

// inspectNothing is the value of mcp.inspection that is no mode.
const inspectNothing = "off"

func defaultMCP() MCPConfig { return MCPConfig{Inspection: string(mcp.Block)} }

func (c Config) checkMCP() error {
	m := c.MCP
	if m.Inspection != inspectNothing && !mcp.Mode(m.Inspection).Known() {
		return bad("mcp.inspection", "%q is not block, surgical, log_only or off", m.Inspection)
	}
	if m.Listen == "" {
		return nil
	}
	return on("mcp", m.Listen, m.ListenerConfig).check(c)
}

// mcpFront is the handler of the MCP server's listener.
type mcpFront struct {
	listener *listener
	behind   atomic.Pointer[mcp.Handler]
}

// openMCP lets calls through to the tools, if there is a listener for them. They
// call the API in this process, as whoever called them.
func (d *daemon) openMCP(c *core, api *httpapi.Server) error {
	if d.mcp == nil {
		return nil
	}
	as, err := mcp.InProcess(api, d.publicURL())
	if err != nil {
		return err
	}
	d.mcp.behind.Store(mcp.NewHandler(mcp.Config{
		Version: d.o.Version, API: as, Rights: c.db.Generation, Log: d.log,
		Guard: mcp.Guard{Off: c.cfg.MCP.Inspection == inspectNothing, Mode: mcp.Mode(c.cfg.MCP.Inspection), Log: d.log},
	}))
	return nil
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
