package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/mail/mailpittest"
)

// The cases of TestEverySettingDoesSomething that are about what is sent.

// mailArgs are the settings that make mails arrive at a server.
func mailArgs(t *testing.T, s *mailpittest.Server) map[string]string {
	t.Helper()
	return map[string]string{
		"mail.host": s.Host, "mail.port": strconv.Itoa(s.Port), "mail.username": mailpittest.Username, "mail.from": "1Claw <noreply@example.com>",
		"mail.password_file": file(t, "mail-password", mailpittest.Password+"\n"), "mail.tls": "starttls",
	}
}

// mailing starts the daemon with settings, invites somebody and returns what
// became of the mail once it was tried or cannot be: its status, and why not.
func (l *lab) mailing(t *testing.T, s *mailpittest.Server, settings map[string]string) (address, became string) {
	t.Helper()
	d := newDaemon(t, l.base.data, l.base.args...)
	d.owner, d.env = l.base.owner, []string{"SSL_CERT_FILE=" + s.CAFile}
	for key, value := range settings {
		d.args = append(d.args, "--set", key+"="+value)
	}
	d.start()
	defer d.kill()
	address = d.invite(t)
	var m api.OutboxMessageResponse
	idle := strings.Contains(d.log(), "no mail server is configured")
	eventually(t, patience, "tried", func() bool {
		m = d.message(t, address)
		return idle || m.Attempts > 0
	})
	return address, strings.TrimSpace(m.Status + " " + m.LastError)
}

// invite invites somebody whom nobody has invited before.
func (d *daemon) invite(t testing.TB) (address string) {
	t.Helper()
	address = fmt.Sprintf("guest-%d@example.org", time.Now().UnixNano())
	d.human().do("POST", "/v1/org/invite", api.InviteMemberRequest{Email: address}).is(t, 200)
	return address
}

// message is the newest message to an address that the outbox has.
func (d *daemon) message(t testing.TB, address string) api.OutboxMessageResponse {
	t.Helper()
	list := into[api.OutboxListResponse](t, d.human().do("GET", "/v1/admin/outbox?channel=mail&limit=200", nil).is(t, 200))
	for _, m := range list.Messages {
		if m.To == address {
			return m
		}
	}
	t.Fatalf("no message to %s in the outbox", address)
	return api.OutboxMessageResponse{}
}

// mailCase tries two values of a setting.
func mailCase(t *testing.T, l *lab, key string, values func(s *mailpittest.Server) [2]string, want [2]string) {
	t.Helper()
	s := mailpittest.Start(t, mailpittest.Options{})
	for i, value := range values(s) {
		settings := mailArgs(t, s)
		settings[key] = value
		if _, became := l.mailing(t, s, settings); !strings.HasPrefix(became, want[i]) {
			t.Errorf("%s=%s: %s, want %s", key, value, became, want[i])
		}
	}
}

func settingMailHost(t *testing.T, l *lab) {
	mailCase(t, l, "mail.host", func(s *mailpittest.Server) [2]string { return [2]string{s.Host, ""} }, [2]string{"sent", "pending"})
}

func settingMailPort(t *testing.T, l *lab) {
	r := newRelay(t)
	r.refuse()
	mailCase(t, l, "mail.port", func(s *mailpittest.Server) [2]string { return [2]string{strconv.Itoa(s.Port), r.port()} },
		[2]string{"sent", "pending the mail server cannot be reached"})
}

func settingMailTLS(t *testing.T, l *lab) {
	mailCase(t, l, "mail.tls", func(*mailpittest.Server) [2]string { return [2]string{"starttls", "tls"} },
		[2]string{"sent", "pending no trusted TLS connection"})
}

func settingMailUsername(t *testing.T, l *lab) {
	mailCase(t, l, "mail.username", func(*mailpittest.Server) [2]string { return [2]string{mailpittest.Username, "somebody"} },
		[2]string{"sent", "pending the mail server refuses our credentials"})
}

func settingMailPassword(t *testing.T, l *lab) {
	mailCase(t, l, "mail.password_file", func(*mailpittest.Server) [2]string {
		return [2]string{file(t, "right", mailpittest.Password), file(t, "wrong", "another")}
	}, [2]string{"sent", "pending the mail server refuses our credentials"})
}

func settingMailFrom(t *testing.T, l *lab) {
	s := mailpittest.Start(t, mailpittest.Options{})
	for _, from := range []string{"1Claw <noreply@example.com>", "Vault <vault@example.net>"} {
		settings := mailArgs(t, s)
		settings["mail.from"] = from
		address, became := l.mailing(t, s, settings)
		for _, m := range s.Mails() {
			if m.To[0].Address == address && m.From.Name+" <"+m.From.Address+">" != from {
				t.Errorf("%q: it is from %+v", from, m.From)
			}
		}
		if became != "sent" {
			t.Errorf("%q: %s", from, became)
		}
	}
}

// A server that takes the connection and says nothing is given up.
func settingMailTimeout(t *testing.T, l *lab) {
	r := newRelay(t)
	for value, at := range map[string]time.Duration{"1s": time.Second, "8s": 8 * time.Second} {
		settings := map[string]string{
			"mail.host": "127.0.0.1", "mail.port": r.port(), "mail.tls": "none", "mail.from": "noreply@example.com", "mail.timeout": value,
		}
		begin := time.Now()
		_, became := l.mailing(t, &mailpittest.Server{}, settings)
		took := time.Since(begin)
		if took < at || value == "1s" && took > 15*time.Second || !strings.HasPrefix(became, "pending the mail server cannot be reached") {
			t.Errorf("with %s after %v: %s", value, took, became)
		}
	}
}

// subscribing is the status with which the daemon answers to a webhook that
// would lead to a URL. It is told of nothing that happens.
func subscribing(t *testing.T, url string) func(d *daemon) int {
	return func(d *daemon) int {
		a := d.human().do("POST", "/v1/webhooks", api.CreateWebhookRequest{URL: url, Events: []string{"shroud.threat"}})
		if a.status == 201 {
			d.human().do("DELETE", "/v1/webhooks/"+into[api.WebhookResponse](t, a).ID, nil).is(t, 204)
		}
		return a.status
	}
}

var yesNo = [2]string{"true", "false"}

func settingEgressPrivate(t *testing.T, l *lab) {
	twice(t, l, subscribing(t, "http://10.1.2.3/"), "egress.allow_private", yesNo, [2]int{201, 400})
	// What people set while it runs wins.
	d := l.with(t, "egress.allow_private=true")
	const setting = "/v1/admin/settings/egress.allow_private"
	d.human().do("PUT", setting, api.UpdateSettingRequest{Value: "false"}).is(t, 200)
	if got := subscribing(t, "https://10.1.2.3/")(d); got != 400 {
		t.Errorf("forbidden while it runs: %d", got)
	}
	d.human().do("DELETE", setting, nil).is(t, 204)
	if got := subscribing(t, "https://10.1.2.3/")(d); got != 201 {
		t.Errorf("allowed again: %d", got)
	}
}

func settingEgressLoopback(t *testing.T, l *lab) {
	twice(t, l, subscribing(t, "http://127.0.0.1:9/"), "egress.allow_loopback", yesNo, [2]int{201, 400})
}

func settingEgressAllow(t *testing.T, l *lab) {
	twice(t, l, subscribing(t, "https://10.1.2.3/"), "egress.allow", [2]string{"10.1.0.0/16", "10.2.0.0/16"}, [2]int{201, 400})
}

func settingEgressOnly(t *testing.T, l *lab) {
	twice(t, l, subscribing(t, "https://1.1.1.1/"), "egress.only_allowed", yesNo, [2]int{400, 201})
}

// settingEgressCA: a site has a CA of its own, which vouches for what its agents
// call and where its webhooks go.
func settingEgressCA(t *testing.T, l *lab) {
	var told atomic.Int32
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/told" {
			told.Add(1)
		}
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(s.Close)
	for file, want := range map[string]int{"": 503, caFile(t, s): 200} {
		d := l.with(t, "egress.allow_loopback=true", "egress.ca_file="+file)
		h := d.human()
		vault := h.vault(t, "site")
		h.do("PUT", secretPath(vault, "key"), map[string]any{"value": "a-key-of-the-site", "metadata": map[string]any{"allowed_hosts": []string{s.URL}}}).is(t, 201)
		agent, key := h.agent(t, "caller")
		h.policy(vault, agent, "**", "use").is(t, 201)
		in := api.ExecuteRequest{URL: s.URL, Headers: map[string]string{"x-key": "{{secret:key}}"}}
		d.as(h.token(t, key)).do("POST", "/v1/agents/"+agent+"/execute", in).is(t, want)
		if file != "" {
			h.do("POST", "/v1/webhooks", api.CreateWebhookRequest{URL: s.URL + "/told", Events: []string{"secret.read"}}).is(t, 201)
			h.get(vault, "key").is(t, 200)
			eventually(t, 30*time.Second, "the webhook is told", func() bool { return told.Load() > 0 })
		}
		d.kill()
	}
}
