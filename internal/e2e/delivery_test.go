package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/mail/mailpittest"
)

// mailbox is a daemon behind whose mail server a test can pull the plug.
type mailbox struct {
	*daemon
	relay *relay
	pit   *mailpittest.Server
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{relay: newRelay(t), pit: mailpittest.Start(t, mailpittest.Options{})}
	m.daemon = newLocal(t,
		"--set", "mail.host=127.0.0.1", "--set", "mail.port="+m.relay.port(), "--set", "mail.tls=starttls",
		"--set", "mail.username="+mailpittest.Username, "--set", "mail.from=1Claw <noreply@example.com>",
		"--set", "api.public_url=https://vault.example.org")
	m.up()
	return m
}

// up has mails go to the mail server, and the daemon trust it from its next start.
func (m *mailbox) up() {
	m.relay.forward(m.pit.Addr())
	m.env = []string{"SSL_CERT_FILE=" + m.pit.CAFile, "ONECLAW_MAIL_PASSWORD=" + mailpittest.Password}
}

// replaced is another mail server, for the one that was stopped.
func (m *mailbox) replaced(t *testing.T) {
	t.Helper()
	m.pit = mailpittest.Start(t, mailpittest.Options{})
	m.up()
}

// arrived waits for a mail to an address and expects no second one.
func (m *mailbox) arrived(t *testing.T, address string, within time.Duration) mailpittest.Mail {
	t.Helper()
	eventually(t, within, "sent", func() bool {
		time.Sleep(50 * time.Millisecond) // each look is an event
		return m.message(t, address).Status == "sent"
	})
	var to []mailpittest.Mail
	for _, got := range m.pit.Mails() {
		if got.To[0].Address == address {
			to = append(to, got)
		}
	}
	if len(to) != 1 {
		t.Fatalf("%d mails to %s", len(to), address)
	}
	if want := m.message(t, address); want.Body != "" || !strings.HasPrefix(to[0].MessageID, want.ID+"@") {
		t.Errorf("the mail %s is not of the message %s, or that still has its text", to[0].MessageID, want.ID)
	}
	return to[0]
}

// An invitation goes to a mail server with STARTTLS and a password. Its link
// brings whoever got it in. A server that is away is waited for, across the end
// of the daemon, and each mail arrives once.
func TestInvitationsArrive(t *testing.T) {
	m := newMailbox(t)
	m.start()
	address := m.invite(t)
	got := m.arrived(t, address, patience)
	_, token, ok := strings.Cut(got.Text, "https://vault.example.org/accept-invite#token=")
	if !ok || got.From.Address != "noreply@example.com" {
		t.Fatalf("%+v", got)
	}
	token, _, _ = strings.Cut(token, "\n")
	m.as("").do("POST", "/v1/org/invitations/accept", api.AcceptInvitationRequest{Token: strings.TrimSpace(token), Password: ownerPassword}).is(t, 200)

	m.pit.Stop()
	waits := m.invite(t)
	var seen api.OutboxMessageResponse
	eventually(t, patience, "tried", func() bool { seen = m.message(t, waits); return seen.Attempts > 0 })
	if seen.Status != "pending" || !strings.Contains(seen.LastError, "cannot be reached") {
		t.Errorf("%+v", seen)
	}
	m.relay.silence()
	inFlight := m.invite(t)
	m.relay.reached()
	m.kill() // while it talks to the mail server

	m.replaced(t)
	m.start()
	m.arrived(t, inFlight, patience)
	if again := m.message(t, waits); again.Attempts == 1 && !again.NextAt.Equal(seen.NextAt.Time) {
		t.Errorf("the kill moved the next attempt from %v to %v", seen.NextAt, again.NextAt)
	}
	for _, text := range []string{mailpittest.Password, strings.TrimSpace(token), address, waits} {
		if strings.Contains(m.log(), text) {
			t.Errorf("the log has %q", text)
		}
	}
	if testing.Short() {
		return
	}
	m.arrived(t, waits, 4*patience) // a minute after the first attempt
	m.stop()
}

// received is one delivery, as it came.
type received struct {
	header http.Header
	body   []byte
}

// receiver takes deliveries.
type receiver struct {
	url string
	mu  sync.Mutex
	got []received
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{req.Header, body})
	}))
	t.Cleanup(s.Close)
	r.url = s.URL + "/hook"
	return r
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received{}, r.got...)
}

// delivered is what a delivery says.
type delivered struct {
	ID   string         `json:"id"`
	Type string         `json:"type"`
	Data api.AuditEvent `json:"data"`
}

// signed holds a delivery against the scheme of docs/webhooks.md.
func (r received) signed(t *testing.T, secret string) delivered {
	t.Helper()
	at, mac, ok := strings.Cut(r.header.Get("X-1Claw-Signature"), ",v1=")
	at, ok2 := strings.CutPrefix(at, "t=")
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(at + "." + string(r.body)))
	if !ok || !ok2 || at != r.header.Get("X-1Claw-Timestamp") || !hmac.Equal([]byte(mac), []byte(hex.EncodeToString(h.Sum(nil)))) {
		t.Errorf("not signed with the secret: %v", r.header)
	}
	var d delivered
	if err := json.Unmarshal(r.body, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Reads are told to a receiver, signed. What happened right before the power was
// cut is told too, and a receiver can tell one delivery from another.
func TestWebhooksArrive(t *testing.T) {
	d, hook := newLocal(t, "--set", "egress.allow_loopback=true").start(), newReceiver(t)
	h := d.human()
	made := into[api.WebhookCreatedResponse](t, h.do("POST", "/v1/webhooks", api.CreateWebhookRequest{URL: hook.url, Events: []string{"secret.read"}}).is(t, 201))
	const value = "value-that-is-not-told"
	v := h.vault(t, "v")
	h.put(v, "a/first", value).is(t, 201)
	h.get(v, "a/first").is(t, 200)
	eventually(t, patience, "delivered", func() bool { return len(hook.all()) > 0 })
	first := hook.all()[0].signed(t, made.Secret)
	if first.Type != "secret.read" || first.Data.Action != "secret.read" || first.Data.Outcome != "success" || first.Data.ResourceID == "" {
		t.Errorf("%+v", first)
	}
	h.get(v, "a/first").is(t, 200)
	d.kill()
	d.start()
	ids := func() map[string]bool {
		out := map[string]bool{}
		for _, r := range hook.all() {
			if e := r.signed(t, made.Secret); e.Type != "secret.read" {
				t.Errorf("nobody asked for %s", e.Type)
			}
			out[r.header.Get("X-1Claw-Delivery")] = true
		}
		return out
	}
	eventually(t, patience, "delivered after the kill", func() bool { return len(ids()) == 2 })
	for _, r := range hook.all() {
		if strings.Contains(string(r.body), value) {
			t.Errorf("the value is told: %s", r.body)
		}
	}
	if log := d.log(); strings.Contains(log, made.Secret) || strings.Contains(log, "/hook") {
		t.Error("the log has the secret or the path of the webhook")
	}
	state, err := os.ReadFile(d.data + "/state.db")
	if err != nil || strings.Contains(string(state), made.Secret) || strings.Contains(string(state), hook.url) {
		t.Errorf("the disk has the secret or the URL of the webhook, or %v", err)
	}
}

// Without being allowed to, nothing is sent to this machine, and whoever asks for
// it is told so.
func TestWebhooksStayOutOfThisMachine(t *testing.T) {
	d := newLocal(t).start()
	for _, url := range []string{newReceiver(t).url, "https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/"} {
		p := d.human().do("POST", "/v1/webhooks", api.CreateWebhookRequest{URL: url, Events: []string{"*"}}).problem(t, 400)
		if !strings.Contains(p.Detail, "A webhook cannot go there: The appliance may not connect to this host") {
			t.Errorf("%s: %s", url, p.Detail)
		}
	}
}
