package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

// settingCases shows for each setting that it does something: every one starts
// the daemon with at least two values and sees a difference.
var settingCases = map[string]func(t *testing.T, l *lab){
	"data":                        settingData,
	"api.listen":                  settingListen,
	"api.public_url":              settingPublicURL,
	"api.trusted_proxies":         settingProxies,
	"api.plain_http":              settingPlainHTTP,
	"api.drain_timeout":           settingDrain,
	"tls.cert_file":               settingCertificate,
	"tls.key_file":                settingCertificateKey,
	"tls.local_ca":                settingLocalCA,
	"tls.names":                   settingTLSNames,
	"tls.min_version":             settingMinVersion,
	"tls.client_certs":            settingClientCerts,
	"operator.socket":             settingOperatorSocket,
	"oidc.issuers":                settingIssuers,
	"oidc.key_files":              settingKeyFiles,
	"oidc.audience":               settingAudience,
	"oidc.signin_issuer":          settingSignInIssuer,
	"oidc.signin_client_id":       settingSignInClient,
	"mail.host":                   settingMailHost,
	"mail.port":                   settingMailPort,
	"mail.tls":                    settingMailTLS,
	"mail.username":               settingMailUsername,
	"mail.password_file":          settingMailPassword,
	"mail.from":                   settingMailFrom,
	"mail.timeout":                settingMailTimeout,
	"egress.allow_private":        settingEgressPrivate,
	"egress.allow_loopback":       settingEgressLoopback,
	"egress.allow":                settingEgressAllow,
	"egress.only_allowed":         settingEgressOnly,
	"egress.ca_file":              settingEgressCA,
	"hsm.module":                  settingModule,
	"hsm.library":                 settingLibrary,
	"hsm.token":                   settingToken,
	"hsm.uri":                     settingURI,
	"hsm.pin_file":                settingPINFile,
	"hsm.sessions":                settingSessions,
	"hsm.unseal":                  settingUnseal,
	"hsm.modules":                 settingModules,
	"hsm.passphrase_file":         settingPassphrase,
	"limits.rate":                 settingRate,
	"limits.burst":                settingBurst,
	"limits.auth_rate":            settingAuthRate,
	"limits.auth_burst":           settingAuthBurst,
	"limits.exempt_loopback":      settingLoopback,
	"passwords.argon2_memory_kib": settingArgonMemory,
	"passwords.argon2_time":       settingArgonTime,
	"passwords.concurrency":       settingHashes,
	"accounts.signup":             settingSignup,
	"tokens.user_key_ttl":         settingUserKeyTTL,
	"audit.checkpoint_events":     settingCheckpointEvents,
	"audit.checkpoint_interval":   settingCheckpointInterval,
	"audit.retention":             settingRetention,
	"audit.stream_file":           settingStreamFile,
	"audit.stream_file_max_mb":    settingStreamFileMax,
	"audit.stream_file_max_age":   settingStreamFileAge,
	"audit.stream_file_keep":      settingStreamFileKeep,
	"audit.syslog":                settingSyslog,
	"audit.syslog_ca_file":        settingSyslogCA,
	"audit.syslog_cert_file":      settingSyslogCertificate,
	"audit.syslog_key_file":       settingSyslogKey,
	"audit.syslog_allow_plain":    settingSyslogPlain,
	"store.cache_mb":              settingCache,
	"store.ballast_mb":            settingBallast,
	"metrics.listen":              settingMetrics,
	"metrics.plain_http":          settingMetricsPlain,
	"metrics.shared_cert":         settingMetricsShared,
	"metrics.cert_file":           settingMetricsCertificate,
	"metrics.key_file":            settingMetricsKey,
	"metrics.client_ca_file":      settingMetricsClients,
	"traces.endpoint":             settingTraces,
	"traces.ca_file":              settingTracesCA,
	"traces.ratio":                settingTracesRatio,
	"traces.incoming":             settingTracesIncoming,
	"backup.dir":                  settingBackupDir,
	"backup.every":                settingBackupEvery,
	"backup.keep":                 settingBackupKeep,
	"backup.recovery_file":        settingRecoveryFile,
	"update.keys":                 settingUpdateKeys,
	"shroud.listen":               settingShroud,
	"shroud.providers":            settingShroud,
	"shroud.provider_ca_file":     settingProviderCA,
	"shroud.silence":              settingSilence,
	"shroud.plain_http":           settingShroudPlain,
	"shroud.shared_cert":          settingShroudTLS,
	"shroud.cert_file":            settingShroudTLS,
	"shroud.key_file":             settingShroudTLS,
	"shroud.client_ca_file":       settingShroudTLS,
	"forward.listen":              settingForward,
	"forward.hosts":               settingForwardHosts,
	"forward.plain_http":          settingForwardPlain,
	"forward.shared_cert":         settingForwardTLS,
	"forward.cert_file":           settingForwardTLS,
	"forward.key_file":            settingForwardTLS,
	"forward.client_ca_file":      settingForwardTLS,
	"mcp.listen":                  settingMCP,
	"mcp.inspection":              settingMCPInspection,
	"mcp.resource_origin":         settingMCPOrigin,
	"mcp.authorization_server":    settingMCPOrigin,
	"mcp.plain_http":              settingMCPPlain,
	"mcp.shared_cert":             settingMCPTLS,
	"mcp.cert_file":               settingMCPTLS,
	"mcp.key_file":                settingMCPTLS,
	"mcp.client_ca_file":          settingMCPTLS,
	"intents.max_fee_gwei":        settingMaxFee,
	"intents.confirmations":       settingConfirmations,
	"intents.node_timeout":        settingNodeTimeout,
	"attest.mode":                 settingAttestMode,
	"attest.policy":               settingAttestPolicy,
	"attest.bundle":               settingAttestBundle,
	"attest.vmpl":                 settingAttestVMPL,
	"attest.tsm":                  settingAttestTSM,
	"attest.device":               settingAttestDevice,
	"log.level":                   settingLogLevel,
	"log.format":                  settingLogFormat,
}

// TestEverySettingDoesSomething fails where a setting has no case: a knob that
// nothing is attached to is a lie to the operator.
func TestEverySettingDoesSomething(t *testing.T) {
	labs := make(chan *lab, settingLabs)
	for range settingLabs {
		labs <- &lab{base: newLocal(t)}
	}
	defaults := appliance.Defaults()
	known := map[string]bool{}
	for _, s := range defaults.Settings() {
		known[s.Key] = true
		run, ok := settingCases[s.Key]
		if !ok {
			t.Errorf("%s: nothing shows that this setting does anything; add a case", s.Key)
			continue
		}
		t.Run(s.Key, func(t *testing.T) {
			if !strings.HasPrefix(s.Key, "hsm.") { // a token is named to its library by this process's environment
				t.Parallel()
			}
			l := <-labs
			t.Cleanup(func() { labs <- l })
			run(t, l)
		})
	}
	for key := range settingCases {
		if !known[key] {
			t.Errorf("%s is not a setting", key)
		}
	}
}

// settingLabs is how many cases run at a time: they wait for a daemon, or for
// what it does later, more than they compute.
const settingLabs = 3

// lab is an appliance with local keys that cases share, one after another.
type lab struct{ base *daemon }

// with starts the daemon with settings, given as key=value.
func (l *lab) with(t *testing.T, settings ...string) *daemon {
	t.Helper()
	d := newDaemon(t, l.base.data, l.base.args...)
	d.owner = l.base.owner
	for _, s := range settings {
		d.args = append(d.args, "--set", s)
	}
	d.start()
	t.Cleanup(d.kill)
	return d
}

// twice runs observe under both settings, and expects what each leads to.
func twice[T comparable](t *testing.T, l *lab, observe func(d *daemon) T, key string, values [2]string, want [2]T, others ...string) {
	t.Helper()
	for i, value := range values {
		d := l.with(t, append(others, key+"="+value)...)
		if got := observe(d); got != want[i] {
			t.Errorf("%s=%s: %v, want %v", key, value, got, want[i])
		}
		d.kill()
	}
}

func settingData(t *testing.T, _ *lab) {
	a, b := newLocal(t).start(), newLocal(t).start()
	for _, d := range []*daemon{a, b} {
		if _, err := os.Stat(filepath.Join(d.data, "state.db")); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(d.data); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the data folder has mode %v", info.Mode())
		}
	}
	a.as(b.owner.APIKey).do("GET", "/v1/vaults", nil).is(t, 401)
}

func settingListen(t *testing.T, l *lab) {
	addresses := [2]string{porttest.Address(t), "127.0.0.2:0"}
	twice(t, l, func(d *daemon) bool {
		return d.human().health() != "" && strings.HasPrefix(d.api, "http://"+addresses[0])
	},
		"api.listen", addresses, [2]bool{true, false})
}

func settingPlainHTTP(t *testing.T, l *lab) {
	d := newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--listen", "0.0.0.0:0")...)
	d.refuses(2, "api.listen", "tls.local_ca", "api.plain_http")
	l.with(t, "api.listen=0.0.0.0:0", "api.plain_http=true").stop()
	l.with(t, "api.listen=0.0.0.0:0", "tls.local_ca=true").stop()
}

func settingPublicURL(t *testing.T, l *lab) {
	const origin = "https://vault.example.org"
	twice(t, l, func(d *daemon) string {
		a := d.human().doWith("GET", "/v1/health", nil, map[string][]string{"Origin": {origin}})
		return a.header.Get("Access-Control-Allow-Origin")
	}, "api.public_url", [2]string{origin, ""}, [2]string{origin, ""})
}

func settingProxies(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) string {
		far := map[string][]string{"X-Forwarded-For": {"203.0.113.9"}}
		d.human().doWith("POST", "/v1/vaults", api.CreateVaultRequest{Name: "v"}, far).is(t, 201)
		return d.human().events(t, "action=vault.create&limit=1")[0].IPAddress
	}, "api.trusted_proxies", [2]string{"10.0.0.0/8,127.0.0.0/8", ""}, [2]string{"203.0.113.9", "127.0.0.1"})
}

func settingDrain(t *testing.T, l *lab) {
	for value, within := range map[string][2]time.Duration{"200ms": {0, 8 * time.Second}, "8s": {8 * time.Second, patience}} {
		d := l.with(t, "api.drain_timeout="+value)
		d.halfPut(d.human().vault(t, "v"), `{"value":"slow"}`)
		begin := time.Now()
		d.signal(syscall.SIGTERM)
		d.wait(patience)
		if took := time.Since(begin); took < within[0] || took > within[1] {
			t.Errorf("with %s it took %v to stop", value, took)
		}
	}
}

// firstRefusal sends requests until one is answered with 429, at most n, and
// returns how many were let through.
func firstRefusal(n int, send func() answer) int {
	for i := range n {
		if send().status == 429 {
			return i
		}
	}
	return n
}

func settingRate(t *testing.T, l *lab) {
	// Within the second that the token takes the bucket is empty; without a
	// rate there is no bucket.
	h := func(d *daemon) int {
		c := d.human()
		n := firstRefusal(60, func() answer { return c.do("GET", "/v1/health", nil) })
		if a := c.do("GET", "/v1/health", nil); a.status == 429 && a.header.Get("Retry-After") == "" {
			t.Errorf("no Retry-After: %v", a)
		}
		return n
	}
	twice(t, l, h, "limits.rate", [2]string{"0.1", "0"}, [2]int{3, 60}, "limits.burst=3", "limits.exempt_loopback=false")
}

func settingBurst(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) int {
		c := d.human()
		return firstRefusal(60, func() answer { return c.do("GET", "/v1/health", nil) })
	}, "limits.burst", [2]string{"4", "9"}, [2]int{4, 9}, "limits.rate=0.1", "limits.exempt_loopback=false")
}

func settingLoopback(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) int {
		c := d.human()
		return firstRefusal(60, func() answer { return c.do("GET", "/v1/health", nil) })
	}, "limits.exempt_loopback", [2]string{"true", "false"}, [2]int{60, 5}, "limits.rate=0.1", "limits.burst=5")
}

// guess is a sign-in with a key that nobody has.
func guess(d *daemon) func() answer {
	c := d.as("")
	return func() answer {
		return c.do("POST", "/v1/auth/agent-token", api.AgentTokenRequest{APIKey: new("ocv_" + strings.Repeat("A", 43))})
	}
}

func settingAuthRate(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) int { return firstRefusal(30, guess(d)) },
		"limits.auth_rate", [2]string{"0.1", "0"}, [2]int{3, 30}, "limits.auth_burst=3")
}

func settingAuthBurst(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) int { return firstRefusal(30, guess(d)) },
		"limits.auth_burst", [2]string{"2", "7"}, [2]int{2, 7}, "limits.auth_rate=0.1")
}

func settingSignup(t *testing.T, l *lab) {
	n := 0
	asks := func(d *daemon) answer {
		n++
		return d.as("").do("POST", "/v1/auth/signup", api.SignupRequest{
			Email: fmt.Sprintf("person%d@example.com", n), Password: "Another-Good-Mule-42",
		})
	}
	twice(t, l, func(d *daemon) int { return asks(d).status }, "accounts.signup", [2]string{"invite", "open"}, [2]int{403, 200})
	d := newDev(t).start() // `dev` lets everybody in at once
	token := into[api.SignupResponse](t, asks(d).is(t, 200)).AccessToken
	d.as(token).do("GET", "/v1/auth/me", nil).is(t, 200)
}

func settingUserKeyTTL(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) int {
		a := d.as("").do("POST", "/v1/auth/api-key-token", api.UserApiKeyTokenRequest{APIKey: d.owner.APIKey})
		return into[api.TokenResponse](t, a.is(t, 200)).ExpiresIn
	}, "tokens.user_key_ttl", [2]string{"2m", "8h"}, [2]int{120, 28800})
}

func settingCache(t *testing.T, l *lab) {
	// What is cached is the opened records; metadata makes these large.
	const secrets, each = 600, 48 << 10
	d := l.with(t)
	v := d.human().vault(t, "large")
	note := strings.Repeat("n", each)
	for i := range secrets {
		d.human().do("PUT", secretPath(v, fmt.Sprintf("s/%d", i)), map[string]any{"value": "1", "metadata": map[string]any{"n": note}}).is(t, 201)
	}
	d.kill()
	grown := map[string]int{}
	for _, mb := range []string{"1", "256"} {
		d := newDaemon(t, l.base.data, append(append([]string{}, l.base.args...), "--set", "store.cache_mb="+mb)...)
		d.owner, d.env = l.base.owner, []string{"GOGC=10"} // so that what is resident is what is used
		d.start()
		h := d.human()
		before := kilobytes(d.pid, "status", "RssAnon")
		for i := range secrets {
			h.get(v, fmt.Sprintf("s/%d", i)).is(t, 200)
		}
		grown[mb] = kilobytes(d.pid, "status", "RssAnon") - before
		d.kill()
	}
	t.Logf("grown by, in kB, for each cache_mb: %v", grown)
	if grown["256"]-grown["1"] < secrets*each>>10/2 {
		t.Errorf("the cache makes no difference in kB: %v", grown)
	}
}

func settingLogLevel(t *testing.T, l *lab) {
	address := porttest.Address(t)
	requests := func(level string) int {
		d := newDaemon(t, l.base.data, append(append([]string{}, l.base.args...), "--set", "log.level="+level, "--set", "api.listen="+address)...)
		d.spawn()
		d.api, d.owner = "http://"+address, l.base.owner
		eventually(t, patience, "up", func() bool { return d.human().health() == "ok" })
		d.human().do("GET", "/v1/vaults", nil).is(t, 200)
		d.stop()
		return strings.Count(d.log(), "route=/v1/vaults ")
	}
	for level, want := range map[string]int{"debug": 1, "info": 1, "warn": 0, "error": 0} {
		if got := requests(level); got != want {
			t.Errorf("at level %s the log has %d lines for a request", level, got)
		}
	}
}

func settingLogFormat(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) bool {
		for _, line := range lines(d.log()) {
			if !json.Valid([]byte(line)) {
				return false
			}
		}
		return true
	}, "log.format", [2]string{"json", "text"}, [2]bool{true, false})
}
