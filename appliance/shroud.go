package appliance

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/shroud/forwardproxy"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
)

// ShroudConfig sets the proxy between agents and models.
type ShroudConfig struct {
	Listen         string   `toml:"listen" doc:"Address of Shroud, the proxy between agents and models: 127.0.0.1:8201, say. Empty: there is none."`
	Providers      []string `toml:"providers" doc:"Model servers besides the public ones, as NAME=URL with the version that an OpenAI-compatible server has in its URL: ollama=http://127.0.0.1:11434/v1. A name that is known, such as openai, goes there instead; STYLE+URL says what else it speaks: anthropic+https://gateway.internal."`
	ProviderCAFile string   `toml:"provider_ca_file" doc:"Certificates, PEM, that those of the providers have to be of. Empty: those that the system trusts."`
	Silence        Duration `toml:"silence" doc:"How long a provider may say nothing, before its answer and in a stream, until it is given up."`
	ListenerConfig
}

func defaultShroud() ShroudConfig {
	return ShroudConfig{Providers: []string{}, Silence: Duration(2 * time.Minute)}
}

func (c Config) checkShroud() error {
	s := c.Shroud
	if s.Silence < Duration(time.Second) || s.Silence > Duration(time.Hour) {
		return bad("shroud.silence", "must be between 1s and 1h")
	}
	for _, p := range s.Providers {
		if _, err := parseVendor(p); err != nil {
			return bad("shroud.providers", "%v", err)
		}
	}
	if s.Listen == "" {
		return nil
	}
	return on("shroud", s.Listen, s.ListenerConfig).check(c)
}

// parseVendor reads NAME=URL or NAME=STYLE+URL.
func parseVendor(setting string) (provider.Vendor, error) {
	name, base, ok := strings.Cut(setting, "=")
	if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return provider.Vendor{}, fmt.Errorf("%q is not NAME=URL, with a name of lower-case letters, digits, - and _", setting)
	}
	v := provider.Vendor{Name: provider.Canonical(name)}
	styles := map[string]provider.Style{}
	for _, known := range provider.Vendors() {
		styles[known.Name] = known.Style
		if known.Name == v.Name {
			v.Style = known.Style
		}
	}
	if style, rest, ok := strings.Cut(base, "+"); ok && !strings.Contains(style, ":") {
		if v.Style, ok = styles[style]; !ok {
			return v, fmt.Errorf("%q names no style that is known: openai, anthropic, google, mistral or cohere", setting)
		}
		base = rest
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return v, fmt.Errorf("%q has no http or https URL without user, query and fragment", setting)
	}
	v.Base = strings.TrimSuffix(base, "/")
	return v, nil
}

// proxy is Shroud with what it keeps in memory.
type proxy struct {
	keys    *providerKeys
	forward *forwardproxy.Proxy // nil without its listener
}

// close ends what goes on, and lets go of all secrets.
func (p *proxy) close() {
	if p == nil {
		return
	}
	if p.forward != nil {
		_ = p.forward.Close()
	}
	p.keys.forget()
}

// openShroud lets calls through to models, if there is a listener for them.
func (d *daemon) openShroud(ctx context.Context, c *core, api *httpapi.Server) (*proxy, error) {
	if d.shroud == nil && d.forward == nil {
		return nil, nil
	}
	upstreams, err := c.upstreams()
	if err != nil {
		return nil, err
	}
	rights := c.db.Generation
	p := &proxy{
		keys: &providerKeys{vaults: c.vaults, rights: rights, now: time.Now},
	}
	door := api.Door(rights)
	models := &shroud.Server{
		Agents: shroudAgents{c, door}, Manifests: c.manifests, Keys: p.keys, Meter: c.llm, Upstreams: upstreams,
		Recorder: newRecorder(c, d.metrics, upstreams), Log: d.log, Now: time.Now,
	}
	if d.forward != nil {
		if p.forward, err = d.openForward(ctx, c, models); err != nil {
			return nil, err
		}
	}
	if d.shroud != nil {
		d.shroud.open(models, api, door)
	}
	return p, nil
}

// upstreams are the providers that everybody knows and those of the settings.
func (c *core) upstreams() (map[string]*shroud.Upstream, error) {
	cas, err := readCAs("shroud.provider_ca_file", c.cfg.Shroud.ProviderCAFile)
	if err != nil {
		return nil, err
	}
	out := map[string]*shroud.Upstream{}
	add := func(v provider.Vendor, own bool) error {
		u, err := url.Parse(v.Base)
		if err != nil {
			return err
		}
		var named []string
		if own { // a setting says so, whatever the policy of egress
			named = []string{hostPort(u)}
		}
		ways, err := c.cfg.Egress.waysOut(c.allowsPrivate, named...)
		if err != nil {
			return err
		}
		out[v.Name] = &shroud.Upstream{
			Vendor: v, Keyless: own, Silence: time.Duration(c.cfg.Shroud.Silence),
			Client: ways.streamer(egress.ClientOptions{RootCAs: cas}),
		}
		return nil
	}
	for _, v := range provider.Vendors() {
		if err := add(v, false); err != nil {
			return nil, err
		}
	}
	for _, setting := range c.cfg.Shroud.Providers {
		v, err := parseVendor(setting) // checked with the configuration
		if err == nil {
			err = add(v, true)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readCAs reads certificates, nil for no file.
func readCAs(setting, name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	return pool, addCAs(pool, setting, name)
}

// addCAs adds the certificates of a file.
func addCAs(to *x509.CertPool, setting, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	if !to.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s: %s holds no certificate, PEM", setting, name)
	}
	return nil
}

// shroudAgents lets agents in at Shroud's listener. It implements shroud.Agents.
type shroudAgents struct {
	core *core
	door *httpapi.Door
}

// Enter implements shroud.Agents.
func (a shroudAgents) Enter(ctx context.Context, r *http.Request, cred shroud.Credentials) (out shroud.Agent, err error) {
	if cred.Token != "" {
		_, out.Principal, err = a.door.Enter(r, cred.Token)
	} else {
		_, out.Principal, err = a.door.EnterWithKey(r, cred.Agent, cred.Key)
	}
	if err != nil || !out.IsAgent() {
		return out, err
	}
	err = store.Runner[vault.Tx](a.core.db).View(ctx, func(tx vault.Tx) error {
		agent, _, err := tx.Agent(out.Org, out.ID)
		out.Enabled, out.Config = agent.ShroudEnabled, agent.ShroudConfig
		return err
	})
	return out, err
}

// shroudFront is the handler of Shroud's listener. The routes of the API that
// agents use are there as well.
type shroudFront struct {
	listener *listener
	behind   atomic.Pointer[shroudOpen]
}

type shroudOpen struct {
	models http.Handler
	api    http.Handler
	door   *httpapi.Door
}

func (f *shroudFront) open(models, api http.Handler, door *httpapi.Door) {
	f.behind.Store(&shroudOpen{models, api, door})
}

func (f *shroudFront) base() string {
	if f == nil {
		return ""
	}
	return f.listener.url
}

// drain lets no more calls in and waits for those under way.
func (f *shroudFront) drain(ctx context.Context) error {
	if f == nil {
		return nil
	}
	return f.listener.drain(ctx)
}

var errShroudSealed = fault.New(fault.Sealed, "sealed", "the appliance is sealed; an operator unseals it with `oneclawd unseal`")

// ServeHTTP implements http.Handler.
func (f *shroudFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	behind := f.behind.Load()
	switch {
	case r.URL.Path == "/livez":
		w.WriteHeader(http.StatusOK)
	case behind == nil:
		shroud.Refuse(w, errShroudSealed)
	case r.URL.Path == "/readyz":
		w.WriteHeader(http.StatusOK)
	case ofAPI(r.URL.Path):
		behind.serveAPI(w, r)
	default:
		behind.models.ServeHTTP(w, r)
	}
}

// ofAPI reports whether a path is the API's, not a provider's.
func ofAPI(path string) bool {
	for _, prefix := range []string{"/v1/agents/", "/v1/approvals", "/v1/chains", "/v1/attestation", "/v1/shroud/", "/v1/inspect"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// serveAPI passes a call on to the API, with a token in the place of an agent's
// key.
func (o *shroudOpen) serveAPI(w http.ResponseWriter, r *http.Request) {
	cred, err := shroud.ReadCredentials(r.Header)
	if err == nil && cred.Key != "" {
		var token string
		if token, err = o.door.Token(r, cred.Agent, cred.Key); err == nil {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
			err = nil
		}
	} else {
		err = nil // the API says what is wrong with a token
	}
	if err != nil {
		shroud.Refuse(w, err)
		return
	}
	o.api.ServeHTTP(w, r)
}
