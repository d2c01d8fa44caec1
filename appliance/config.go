package appliance

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// Config is every setting. The doc tags are what `oneclawd config defaults`
// prints; a setting's environment variable is ONECLAW_ and its key, in upper
// case, with dots as underscores.
type Config struct {
	Data      string          `toml:"data" doc:"Folder of everything that must survive a restart. Made with mode 0700."`
	API       APIConfig       `toml:"api"`
	TLS       TLSConfig       `toml:"tls"`
	Operator  OperatorConfig  `toml:"operator"`
	OIDC      OIDCConfig      `toml:"oidc"`
	Mail      MailConfig      `toml:"mail"`
	Egress    EgressConfig    `toml:"egress"`
	HSM       HSMConfig       `toml:"hsm"`
	Limits    LimitsConfig    `toml:"limits"`
	Accounts  AccountsConfig  `toml:"accounts"`
	Passwords PasswordsConfig `toml:"passwords"`
	Tokens    TokensConfig    `toml:"tokens"`
	Audit     AuditConfig     `toml:"audit"`
	Store     StoreConfig     `toml:"store"`
	Metrics   MetricsConfig   `toml:"metrics"`
	Traces    TracesConfig    `toml:"traces"`
	Intents   IntentsConfig   `toml:"intents"`
	Shroud    ShroudConfig    `toml:"shroud"`
	Forward   ForwardConfig   `toml:"forward"`
	MCP       MCPConfig       `toml:"mcp"`
	Attest    AttestConfig    `toml:"attest"`
	Backup    BackupConfig    `toml:"backup"`
	Update    UpdateConfig    `toml:"update"`
	Log       LogConfig       `toml:"log"`
}

// APIConfig is the HTTP API's listener.
type APIConfig struct {
	Listen         string   `toml:"listen" doc:"Address of the HTTP API. Port 0 takes a free one."`
	PublicURL      string   `toml:"public_url" doc:"Where clients reach the API, for links and CORS. Empty: http:// or https:// and the listen address."`
	PlainHTTP      bool     `toml:"plain_http" doc:"Speak HTTP without TLS to other machines too, as behind a proxy that has the certificate."`
	TrustedProxies []string `toml:"trusted_proxies" doc:"Networks (CIDR) of reverse proxies whose X-Forwarded-For names the client."`
	DrainTimeout   Duration `toml:"drain_timeout" doc:"How long a shutdown waits for requests under way."`
}

// OperatorConfig is the socket for whoever runs the machine.
type OperatorConfig struct {
	Socket string `toml:"socket" doc:"Unix socket for unseal, seal and status, for the daemon's user and root. Empty: operator.sock in the data folder."`
}

// HSMConfig says what keeps the keys.
type HSMConfig struct {
	Module         string   `toml:"module" doc:"pkcs11 (a token, through its vendor's library) or local (an encrypted file; not an HSM)."`
	Library        string   `toml:"library" doc:"pkcs11: path of the vendor's PKCS#11 library."`
	Token          string   `toml:"token" doc:"pkcs11: label of the token."`
	URI            string   `toml:"uri" doc:"pkcs11: an RFC 7512 URI of the token, instead of library and token."`
	PINFile        string   `toml:"pin_file" doc:"pkcs11: file that holds the user PIN, mode 0600, or /dev/fd/N. ONECLAW_HSM_PIN and the systemd credential oneclawd.hsm-pin work too."`
	Sessions       int      `toml:"sessions" doc:"pkcs11: sessions opened with the token."`
	Unseal         string   `toml:"unseal" doc:"auto (open the keys at start with what is configured; without a PIN, wait for oneclawd unseal) or manual (always wait)."`
	Modules        []string `toml:"modules" doc:"Other PKCS#11 modules for the keys of some vaults, as name=/absolute/file.toml. Each file has uri, or library and token; pin_file; and if need be sessions and a table env for the library. docs/keys.md has an example."`
	PassphraseFile string   `toml:"passphrase_file" doc:"local: file that holds the passphrase. ONECLAW_HSM_PASSPHRASE works too. Neither: a random key in a file of mode 0600."`
}

// LimitsConfig bounds what one client may ask for.
type LimitsConfig struct {
	Rate           float64 `toml:"rate" doc:"Requests a second from one address. 0 means no limit."`
	Burst          int     `toml:"burst" doc:"Requests at once from one address."`
	AuthRate       float64 `toml:"auth_rate" doc:"Failed or anonymous sign-ins a second from one address. 0 means no limit."`
	AuthBurst      int     `toml:"auth_burst" doc:"Failed or anonymous sign-ins at once from one address."`
	ExemptLoopback bool    `toml:"exempt_loopback" doc:"Whether callers on this machine are exempt from rate and burst."`
}

// TokensConfig sets lifetimes.
type TokensConfig struct {
	UserKeyTTL Duration `toml:"user_key_ttl" doc:"Lifetime of a token bought with a 1ck_ key."`
}

// StoreConfig tunes the store.
type StoreConfig struct {
	CacheMB   int `toml:"cache_mb" doc:"Memory for decrypted records, in MiB. Never holds secret values in the clear."`
	BallastMB int `toml:"ballast_mb" doc:"Size in MiB of a file in the data folder that is given up when the disk is full, so that the audit log of reads can go on for a while. Changes are refused until there is space for it again. 0: none."`
}

// UpdateConfig is about newer versions.
type UpdateConfig struct {
	Keys []string `toml:"keys" doc:"Public keys that sign releases and are trusted by oneclawd update verify, besides the one that was built in."`
}

// MetricsConfig is the listener for Prometheus.
type MetricsConfig struct {
	Listen string `toml:"listen" doc:"Address of GET /metrics, for Prometheus: 127.0.0.1:9090, say. It asks for no password. Empty: nobody is told."`
	ListenerConfig
}

// LogConfig sets the log, which goes to standard error.
type LogConfig struct {
	Level  string `toml:"level" doc:"debug, info, warn or error."`
	Format string `toml:"format" doc:"text or json."`
}

// Defaults are the settings of a daemon that was told nothing.
func Defaults() Config {
	return Config{
		Data:   "/var/lib/oneclawd",
		API:    APIConfig{Listen: "127.0.0.1:8200", TrustedProxies: []string{}, DrainTimeout: Duration(15 * time.Second)},
		TLS:    TLSConfig{Names: []string{}, MinVersion: tls13, ClientCerts: true},
		OIDC:   defaultOIDC(),
		Attest: defaultAttest(), Backup: defaultBackup(), Update: UpdateConfig{Keys: []string{}},
		Intents: defaultIntents(), Shroud: defaultShroud(), Forward: ForwardConfig{Hosts: []string{}}, MCP: defaultMCP(),
		Mail: defaultMail(), Egress: EgressConfig{Allow: []string{}},
		HSM: HSMConfig{Module: "pkcs11", Token: "oneclawd", Sessions: 6, Unseal: unsealAuto, Modules: []string{}},
		Limits: LimitsConfig{
			Rate: 100, Burst: 200, AuthRate: 1, AuthBurst: 5, ExemptLoopback: true,
		},
		Accounts:  AccountsConfig{Signup: "invite"},
		Passwords: defaultPasswords(),
		Tokens:    TokensConfig{UserKeyTTL: Duration(15 * time.Minute)},
		Audit:     defaultAudit(),
		Store:     StoreConfig{CacheMB: 32, BallastMB: 16},
		Traces:    defaultTraces(),
		Log:       LogConfig{Level: "info", Format: "text"},
	}
}

// Values of hsm.unseal.
const (
	unsealAuto   = "auto"
	unsealManual = "manual"
)

// OperatorSocket is where the daemon of this configuration listens to its
// operator.
func (c Config) OperatorSocket() string {
	if c.Operator.Socket != "" {
		return c.Operator.Socket
	}
	return filepath.Join(c.Data, "operator.sock")
}

// Duration is a time.Duration written as text, such as "15s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 15s, 10m or 24h", b)
	}
	*d = Duration(v)
	return nil
}

// ErrConfig is a configuration that cannot work.
var ErrConfig = fault.New(fault.Invalid, "invalid_config", "the configuration is not valid")

// Check says what is wrong with c, all of it, naming the settings; or nil.
func (c Config) Check() error {
	var wrong []error
	for _, check := range []func() error{c.checkAPI, c.checkTLS, c.checkOIDC, c.checkMail, c.checkEgress, c.CheckHSM, c.checkAccounts, c.checkFigures, c.checkStreams, c.checkPasswords, c.checkAttest, c.checkBackup, c.checkUpdate, c.checkMetrics, c.checkTraces, c.checkIntents, c.checkShroud, c.checkForward, c.checkMCP, c.checkLog} {
		if err := check(); err != nil {
			wrong = append(wrong, err)
		}
	}
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		return wrong[0]
	}
	lines := make([]string, len(wrong))
	for i, err := range wrong {
		if lines[i] = err.Error(); fault.As(err) != nil {
			lines[i] = fault.As(err).Msg
		}
	}
	return ErrConfig.Detail("%s", strings.Join(lines, "\n"))
}

func bad(key, format string, args ...any) error {
	return ErrConfig.Detail("%s: %s", key, fmt.Sprintf(format, args...))
}

func (c Config) checkAPI() error {
	if c.Data == "" {
		return bad("data", "a folder is needed")
	}
	if err := c.onAPI().check(c); err != nil {
		return err
	}
	if c.API.PublicURL != "" {
		u, err := url.Parse(c.API.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" {
			return bad("api.public_url", "%q is not an http(s) origin without a path", c.API.PublicURL)
		}
	}
	for _, p := range c.API.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			return bad("api.trusted_proxies", "%q is not a network such as 10.0.0.0/8", p)
		}
	}
	return nil
}

// CheckHSM says what is wrong with the settings of the keys, or nil.
func (c Config) CheckHSM() error {
	if c.HSM.Unseal != unsealAuto && c.HSM.Unseal != unsealManual {
		return bad("hsm.unseal", "%q is neither auto nor manual", c.HSM.Unseal)
	}
	if _, err := c.guests(); err != nil {
		return err
	}
	switch c.HSM.Module {
	case "local":
		return nil
	case "pkcs11":
	default:
		return bad("hsm.module", "%q is neither pkcs11 nor local", c.HSM.Module)
	}
	if c.HSM.URI == "" && c.HSM.Library == "" {
		return bad("hsm.library", "the path of a PKCS#11 library is needed, such as /usr/lib/softhsm/libsofthsm2.so (or set hsm.module to local)")
	}
	if c.HSM.Library != "" && !filepath.IsAbs(c.HSM.Library) {
		return bad("hsm.library", "%q is not an absolute path", c.HSM.Library)
	}
	if c.HSM.Sessions < 2 || c.HSM.Sessions > 64 {
		return bad("hsm.sessions", "%d is not between 2 and 64", c.HSM.Sessions)
	}
	return nil
}

func (c Config) checkFigures() error {
	switch {
	case c.API.DrainTimeout < 0:
		return bad("api.drain_timeout", "must not be negative")
	case c.Limits.Rate < 0 || c.Limits.Rate > 0 && c.Limits.Burst < 1:
		return bad("limits.rate", "a rate needs a burst of at least 1")
	case c.Limits.AuthRate < 0 || c.Limits.AuthRate > 0 && c.Limits.AuthBurst < 1:
		return bad("limits.auth_rate", "a rate needs a burst of at least 1")
	case c.Tokens.UserKeyTTL < Duration(time.Minute):
		return bad("tokens.user_key_ttl", "must be at least a minute")
	case c.Audit.CheckpointEvents < 1:
		return bad("audit.checkpoint_events", "must be at least 1")
	case c.Audit.CheckpointInterval < Duration(100*time.Millisecond):
		return bad("audit.checkpoint_interval", "must be at least 100ms")
	case c.Audit.Retention < 0:
		return bad("audit.retention", "must not be negative")
	case c.Store.CacheMB < 1 || c.Store.CacheMB > 4096:
		return bad("store.cache_mb", "%d is not between 1 and 4096", c.Store.CacheMB)
	case c.Store.BallastMB < 0 || c.Store.BallastMB > 4096:
		return bad("store.ballast_mb", "%d is not between 0 and 4096", c.Store.BallastMB)
	}
	return nil
}

func (c Config) checkMetrics() error {
	if c.Metrics.Listen == "" {
		return nil
	}
	return on("metrics", c.Metrics.Listen, c.Metrics.ListenerConfig).check(c)
}

func (c Config) checkLog() error {
	if _, err := c.Log.level(); err != nil {
		return bad("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return bad("log.format", "%q is neither text nor json", c.Log.Format)
	}
	return nil
}
