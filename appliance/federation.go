package appliance

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/appliance/oidc"
	"github.com/oneclaw/oneclawd/appliance/tlsconf"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// TLSConfig says how the API's listener is encrypted. All empty: it is not.
type TLSConfig struct {
	CertFile    string   `toml:"cert_file" doc:"Certificate of the listener, PEM, with its intermediates. A file that changes is used without a restart."`
	KeyFile     string   `toml:"key_file" doc:"Its private key, PEM."`
	LocalCA     bool     `toml:"local_ca" doc:"Instead: certificates of a CA that the appliance makes for itself; oneclawd tls ca prints what clients have to trust."`
	Names       []string `toml:"names" doc:"local_ca: further host names and addresses of this appliance. Those of api.public_url, api.listen and localhost are there."`
	MinVersion  string   `toml:"min_version" doc:"1.3, or 1.2 for clients that know nothing newer."`
	ClientCerts bool     `toml:"client_certs" doc:"Ask clients for a certificate, with which agents can sign in. Browsers whose owner has one ask which to send."`
}

// OIDCConfig says which identity providers are believed, and for what.
type OIDCConfig struct {
	Issuers   []string `toml:"issuers" doc:"Identity providers whose access tokens agents may sign in with, as their tokens say it: https://idp.example.com/realm. No others are contacted."`
	KeyFiles  []string `toml:"key_files" doc:"Files with the JWK set of an issuer, as ISSUER=PATH. Such an issuer is never contacted."`
	Audience  string   `toml:"audience" doc:"What access tokens have to be for. Empty: api.public_url."`
	SignIn    string   `toml:"signin_issuer" doc:"The identity provider with which people sign in at /v1/auth/google."`
	SignInFor string   `toml:"signin_client_id" doc:"The client id that it has given to this appliance. Empty: people do not sign in that way."`
}

// Values of tls.min_version.
const (
	tls13 = "1.3"
	tls12 = "1.2"
)

const (
	google      = "https://accounts.google.com"
	googleShort = "accounts.google.com" // as some of its tokens say
)

func defaultOIDC() OIDCConfig {
	return OIDCConfig{Issuers: []string{}, KeyFiles: []string{}, SignIn: google}
}

func (c Config) checkTLS() error {
	t := c.TLS
	switch {
	case (t.CertFile == "") != (t.KeyFile == ""):
		return bad("tls.cert_file", "cert_file and key_file come together")
	case t.LocalCA && t.CertFile != "":
		return bad("tls.local_ca", "either a certificate or a CA of the appliance's own")
	}
	if t.MinVersion != tls13 && t.MinVersion != tls12 {
		return bad("tls.min_version", "%q is neither 1.3 nor 1.2", t.MinVersion)
	}
	for _, n := range t.Names {
		if !isName(n) {
			return bad("tls.names", "%q is neither a host name in lower case nor an address", n)
		}
	}
	return nil
}

func isName(n string) bool {
	if _, err := netip.ParseAddr(n); err == nil {
		return true
	}
	n = strings.TrimPrefix(n, "*.")
	return n != "" && len(n) < 254 && strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" &&
		!strings.HasPrefix(n, ".") && !strings.HasSuffix(n, ".") && !strings.Contains(n, "..")
}

func (c Config) checkOIDC() error {
	for _, i := range c.OIDC.Issuers {
		if err := oidc.CheckIssuer(i); err != nil {
			return bad("oidc.issuers", "%v", err)
		}
	}
	for _, f := range c.OIDC.KeyFiles {
		issuer, path, ok := strings.Cut(f, "=")
		switch {
		case !ok || path == "":
			return bad("oidc.key_files", "%q is not ISSUER=PATH", f)
		case !slices.Contains(c.OIDC.Issuers, issuer) && issuer != c.OIDC.SignIn:
			return bad("oidc.key_files", "%s is not among oidc.issuers", issuer)
		}
	}
	if c.OIDC.SignInFor != "" {
		if err := oidc.CheckIssuer(c.OIDC.SignIn); err != nil {
			return bad("oidc.signin_issuer", "%v", err)
		}
	}
	return nil
}

// encrypted reports whether [tls] gives a certificate, which the API's listener has.
func (c Config) encrypted() bool { return c.TLS.LocalCA || c.TLS.CertFile != "" }

// origin is where clients reach the API, as far as the configuration knows.
func (c Config) origin() string {
	if c.API.PublicURL == "" {
		return c.onAPI().url(c.API.Listen)
	}
	return strings.TrimRight(c.API.PublicURL, "/")
}

// names are what the appliance is called, most telling first.
func (c Config) names() []string {
	var all []string
	add := func(name string) {
		name = strings.ToLower(name)
		if a, err := netip.ParseAddr(name); err == nil {
			if a.IsUnspecified() {
				return
			}
			name = a.Unmap().WithZone("").String()
		}
		if isName(name) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if u, err := url.Parse(c.API.PublicURL); err == nil {
		add(u.Hostname())
	}
	for _, n := range c.TLS.Names {
		add(n)
	}
	if host, _, err := net.SplitHostPort(c.API.Listen); err == nil {
		add(host)
	}
	add("localhost")
	add("127.0.0.1")
	add("::1")
	return all
}

// ErrNoTLS says that there is no certificate to look at.
var ErrNoTLS = ErrConfig.Detail("the listener is not encrypted: neither tls.cert_file nor tls.local_ca is set")

// InspectTLS looks at the certificate that the configuration means.
func InspectTLS(cfg Config) (tlsconf.Status, error) {
	if err := cfg.checkTLS(); err != nil {
		return tlsconf.Status{}, err
	}
	if !cfg.encrypted() {
		return tlsconf.Status{}, ErrNoTLS
	}
	return tlsconf.Inspect(cfg.tlsSource(nil))
}

// LocalCA is the certificate of the appliance's own CA, PEM.
func LocalCA(cfg Config) ([]byte, error) { return tlsconf.ReadCA(cfg.tlsSource(nil).Dir) }

// localCAFile is what clients have to trust, "" if that is not our making.
func (c Config) localCAFile() string {
	if !c.TLS.LocalCA {
		return ""
	}
	return filepath.Join(c.Data, "tls", "ca.crt")
}

// federation adds to the identity service's configuration who is believed about
// agents and people.
func (c Config) federation(to *identity.Config, private func(context.Context) bool) error {
	if len(c.OIDC.Issuers) > 0 {
		audiences := []string{c.OIDC.Audience}
		if c.OIDC.Audience == "" {
			audiences = []string{c.origin(), c.origin() + "/"}
		}
		if c.MCP.ResourceOrigin != "" {
			audiences = append(audiences, c.MCP.oauth().Resource())
		}
		v, err := c.verifier(private, audiences, c.OIDC.Issuers...)
		if err != nil {
			return err
		}
		to.Workloads = v
	}
	if c.OIDC.SignInFor != "" {
		v, err := c.verifier(private, []string{c.OIDC.SignInFor}, c.OIDC.SignIn)
		if err != nil {
			return err
		}
		to.SignIns = v
	}
	return nil
}

// verifier verifies tokens of some issuers. What was configured may be near; where
// an issuer says that its keys are elsewhere, that has to be where everything else
// may go.
func (c Config) verifier(private func(context.Context) bool, audiences []string, issuers ...string) (*oidc.Verifier, error) {
	var (
		list  []oidc.Issuer
		hosts []string
	)
	for _, i := range issuers {
		one := oidc.Issuer{URL: i}
		if i == google {
			one.Also = []string{googleShort}
		}
		for _, f := range c.OIDC.KeyFiles {
			if issuer, path, _ := strings.Cut(f, "="); issuer == i {
				one.KeysFile = path
			}
		}
		list = append(list, one)
		u, err := url.Parse(i)
		if err != nil {
			return nil, err
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		hosts = append(hosts, net.JoinHostPort(u.Hostname(), port))
	}
	ways, err := c.Egress.waysOut(private, hosts...)
	if err != nil {
		return nil, err
	}
	return oidc.New(oidc.Config{Issuers: list, Audiences: audiences, Client: ways.client(egress.ClientOptions{})})
}
