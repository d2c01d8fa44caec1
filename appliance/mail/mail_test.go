package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/appliance/mail/mailpittest"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

func config(t testing.TB, s *mailpittest.Server, mode TLS) Config {
	t.Helper()
	d, err := egress.New(egress.Policy{Allow: []string{s.Addr()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Host: s.Host, Port: s.Port, TLS: mode, RootCAs: s.RootCAs, Dial: d.DialContext, Timeout: 5 * time.Second,
		Username: mailpittest.Username, Password: plain.FromString(mailpittest.Password), From: "1Claw <noreply@example.com>",
	}
}

func sender(t testing.TB, c Config) *Sender {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func message(to, subject, body string) outbox.Message {
	return outbox.Message{
		ID: id.New(), Channel: outbox.Mail, Kind: "test", To: to, Subject: subject, Body: body,
		CreatedAt: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
	}
}

// failure wants err to be a Failure that tells nothing it should not.
func failure(t testing.TB, err error, permanent bool, text string) {
	t.Helper()
	var f *outbox.Failure
	if !errors.As(err, &f) || f.Permanent != permanent || !strings.Contains(f.Text, text) {
		t.Fatalf("got %v (%+v), want permanent=%v, %q", err, f, permanent, text)
	}
	shown := fmt.Sprintf("%s %v %+v", f.Text, err, f.Err)
	for _, secret := range []string{mailpittest.Password, "somebody@", "canary-body"} {
		if strings.Contains(shown, secret) {
			t.Errorf("the failure shows %q: %s", secret, shown)
		}
	}
}

func TestDelivers(t *testing.T) {
	for _, c := range []struct {
		mode    TLS
		options mailpittest.Options
	}{
		{StartTLS, mailpittest.Options{}},
		{ImplicitTLS, mailpittest.Options{ImplicitTLS: true}},
		{NoTLS, mailpittest.Options{NoTLS: true}},
	} {
		t.Run(string(c.mode), func(t *testing.T) {
			server := mailpittest.Start(t, c.options)
			s := sender(t, config(t, server, c.mode))
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			m := message("zoë.müller@example.com", "Grüße — 秘密 🔑", "Hallo Zoë,\n\nπ ≈ 3,14\n.\n.dot\n"+strings.Repeat("long ", 400)+"\n")
			if err := s.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			mails := server.Mails()
			if len(mails) != 1 {
				t.Fatalf("%d mails", len(mails))
			}
			got := mails[0]
			if got.Subject != m.Subject || strings.ReplaceAll(strings.TrimSpace(got.Text), "\r", "") != strings.TrimSpace(m.Body) {
				t.Errorf("subject %q, text %q", got.Subject, got.Text)
			}
			if got.MessageID != m.ID.String()+"@example.com" || !got.Date.Equal(m.CreatedAt) || got.To[0].Address != m.To ||
				got.From.Address != "noreply@example.com" || got.From.Name != "1Claw" {
				t.Errorf("%+v", got)
			}
			if v := got.Header["Auto-Submitted"]; len(v) != 1 || v[0] != "auto-generated" {
				t.Errorf("Auto-Submitted: %q", v)
			}
			for _, absent := range []string{"User-Agent", "X-Mailer"} {
				if v := got.Header[absent]; len(v) != 0 {
					t.Errorf("%s: %q", absent, v)
				}
			}
		})
	}
}

func TestRefusesToTalk(t *testing.T) {
	server := mailpittest.Start(t, mailpittest.Options{})
	m := message("somebody@example.com", "hello", "canary-body")
	wrong := config(t, server, StartTLS)
	wrong.Password = plain.FromString(mailpittest.Password + "x")
	failure(t, sender(t, wrong).Send(t.Context(), m), false, "credentials (535)")
	failure(t, sender(t, wrong).Check(t.Context()), false, "credentials (535)")

	unknown := config(t, server, StartTLS)
	unknown.RootCAs = nil
	failure(t, sender(t, unknown).Send(t.Context(), m), false, "no trusted TLS")
	failure(t, sender(t, config(t, server, ImplicitTLS)).Send(t.Context(), m), false, "no trusted TLS")

	naked := mailpittest.Start(t, mailpittest.Options{NoTLS: true})
	failure(t, sender(t, config(t, naked, StartTLS)).Send(t.Context(), m), false, "no trusted TLS")

	near, err := egress.New(egress.Policy{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	forbidden := config(t, server, StartTLS)
	forbidden.Dial = near.DialContext
	failure(t, sender(t, forbidden).Send(t.Context(), m), false, "cannot be reached")
	if n := len(server.Mails()) + len(naked.Mails()); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
}

func TestAnswers(t *testing.T) {
	m := message("somebody@example.com", "hello", "canary-body")
	for _, c := range []struct {
		chaos     string
		permanent bool
		text      string
	}{
		{"Recipient:450:100", false, "later (450)"},
		{"Recipient:550:100", true, "refuses the address (550)"},
		{"Sender:451:100", false, "later (451)"},
		{"Sender:550:100", false, "refuses our sender address (550)"},
		{"Authentication:535:100", false, "credentials (535)"},
	} {
		t.Run(c.chaos, func(t *testing.T) {
			server := mailpittest.Start(t, mailpittest.Options{Chaos: c.chaos})
			failure(t, sender(t, config(t, server, StartTLS)).Send(t.Context(), m), c.permanent, c.text)
			if n := len(server.Mails()); n != 0 {
				t.Errorf("%d mails arrived", n)
			}
		})
	}
}

// script is a mail server that answers as it is told, for what a good one never
// does. It speaks without TLS.
func script(t *testing.T, answers map[string]string) Config {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go speak(c, answers)
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	return Config{Host: "127.0.0.1", Port: port, TLS: NoTLS, From: "noreply@example.com", Timeout: time.Second, Dial: (&net.Dialer{}).DialContext}
}

func speak(c net.Conn, answers map[string]string) {
	defer c.Close()
	say := func(verb, otherwise string) bool {
		a, ok := answers[verb]
		if !ok {
			a = otherwise
		}
		if a == "hang up" {
			return false
		}
		_, err := fmt.Fprintf(c, "%s\r\n", a)
		return err == nil
	}
	if !say("hello", "220 hi") {
		return
	}
	buf, data := make([]byte, 1<<16), false
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		line := string(buf[:n])
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); {
		case data:
			if strings.HasSuffix(line, "\r\n.\r\n") {
				data = false
				if !say("end", "250 ok") {
					return
				}
			}
		case verb == "DATA":
			data = say("DATA", "354 go") && answers["DATA"] == ""
		default:
			if !say(verb, "250 ok") {
				return
			}
		}
	}
}

func TestOddServers(t *testing.T) {
	m := message("somebody@example.com", "hello", "canary-body")
	for _, c := range []struct {
		name      string
		answers   map[string]string
		permanent bool
		text      string // "" means delivered
	}{
		{"takes it", nil, false, ""},
		{"breaks off after it took it", map[string]string{"RSET": "hang up", "QUIT": "hang up"}, false, ""},
		{"fails after it took it", map[string]string{"RSET": "500 what?", "QUIT": "421 gone"}, false, ""},
		{"is full", map[string]string{"end": "452 no space for somebody@example.com"}, false, "later (452)"},
		{"takes it for spam", map[string]string{"end": "554 spam: canary-body"}, true, "refuses the mail (554)"},
		{"breaks off before it took it", map[string]string{"end": "hang up"}, false, "broke off"},
		{"does not want us", map[string]string{"hello": "554 go away"}, false, "talk to us (554)"},
		{"is no mail server", map[string]string{"hello": "HTTP/1.1 200 OK"}, false, "cannot be reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := sender(t, script(t, c.answers)).Send(t.Context(), m)
			if c.text == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			failure(t, err, c.permanent, c.text)
		})
	}
}

// A server that says nothing is left when the outbox says so.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := script(t, nil)
	c.Port, c.Timeout = l.Addr().(*net.TCPAddr).Port, time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	failure(t, sender(t, c).Send(ctx, message("a@example.com", "x", "y")), false, "cannot be reached")
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// Whatever somebody calls themselves, they add no header, no recipient and no
// second mail.
func TestInjection(t *testing.T) {
	server := mailpittest.Start(t, mailpittest.Options{})
	s := sender(t, config(t, server, StartTLS))
	w := letter.Writer{Base: "https://vault.example.com"}
	evil := "Eve\r\nBcc: victim@example.com\r\n\r\n.\r\nMAIL FROM:<x@y>\r\n\u2028\u202e\x00 https://evil.example/ \"<b>"
	to := letter.To{Address: "a@example.com", At: time.Now()}
	for i, m := range []outbox.Message{
		w.Invite(to, evil, evil, "token", time.Hour), w.Enrol(to, evil, id.New(), "ocv_x"),
		w.APIKeyCreated(to, evil, evil, time.Now(), evil), w.ShareInvite(to, evil, time.Now().Add(time.Hour)),
	} {
		m.ID = id.New()
		if err := s.Send(t.Context(), m); err != nil {
			t.Fatal(i, err)
		}
	}
	raw := message("a@example.com", evil, "body")
	if err := s.Send(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{
		"a@example.com\r\nBcc: victim@example.com", "a@example.com>\r\nRCPT TO:<victim@example.com", "a@example.com, victim@example.com",
		"Eve <a@example.com>", "<a@example.com>", "a@example.com (x)", "", "a", "@", " a@example.com", "a@example.com\n",
	} {
		failure(t, s.Send(t.Context(), message(addr, "hello", "x")), true, "not valid")
	}
	mails := server.Mails()
	if len(mails) != 5 {
		t.Fatalf("%d mails", len(mails))
	}
	for _, m := range mails {
		head, _, _ := strings.Cut(m.Raw, "\r\n\r\n")
		if len(m.Header["Bcc"]) != 0 || len(m.To) != 1 || m.To[0].Address != "a@example.com" || strings.Contains(head, "\nBcc") {
			t.Errorf("header: %s", head)
		}
		if strings.Contains(m.Text, "https://evil") || strings.ContainsAny(m.Subject+m.Text, "\u2028\u202e\x00") {
			t.Errorf("%s: %q", m.Subject, m.Text)
		}
	}
}

// A server that is down costs time and nothing else: the mail is there once,
// and no log line tells what it said.
func TestDownThenUp(t *testing.T) {
	server := mailpittest.Start(t, mailpittest.Options{})
	server.Stop()
	db := storetest.Open(t)
	var log bytes.Buffer
	clock := clocktest.At(clocktest.Noon)
	d := &outbox.Dispatcher{
		DB: store.Runner[outbox.Tx](db), Senders: map[outbox.Channel]outbox.Sender{outbox.Mail: sender(t, config(t, server, StartTLS))},
		Now: clock.Now, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	to := letter.To{Address: "somebody@example.com", Org: id.New(), At: clock.Now()}
	m := letter.Writer{Base: "https://vault.example.com"}.VerifyEmail(to, "canary-token", 24*time.Hour)
	m.ID = id.New()
	err := d.DB.Update(t.Context(), func(tx outbox.Tx) error { return outbox.Enqueue(tx, m) })
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(want int) {
		t.Helper()
		if n, err := d.Deliver(t.Context()); err != nil || n != want {
			t.Fatalf("%d delivered, want %d; %v", n, want, err)
		}
	}
	deliver(0)
	clock.Add(2 * time.Minute)
	deliver(0)
	d.DB = store.Runner[outbox.Tx](storetest.Reopen(t, db)) // a restart changes nothing
	again := mailpittest.Start(t, mailpittest.Options{SMTP: server.Addr()})
	d.Senders[outbox.Mail] = sender(t, config(t, again, StartTLS))
	deliver(0) // not yet due
	clock.Add(5 * time.Minute)
	deliver(1)
	clock.Add(24 * time.Hour)
	deliver(0)
	mails := again.Mails()
	if len(mails) != 1 || mails[0].MessageID != m.ID.String()+"@example.com" || !strings.Contains(mails[0].Text, "#token=canary-token") {
		t.Errorf("%+v", mails)
	}
	for _, secret := range []string{"canary", "somebody", mailpittest.Password} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "cannot be reached") {
		t.Errorf("the log does not say why: %s", log.String())
	}
}

func TestConfig(t *testing.T) {
	good := Config{Host: "mail.example.com", From: "1Claw <noreply@example.com>", Dial: (&net.Dialer{}).DialContext}
	for _, c := range []struct {
		name   string
		change func(*Config)
		ok     bool
	}{
		{"as it is", func(*Config) {}, true},
		{"no host", func(c *Config) { c.Host = "" }, false},
		{"a URL", func(c *Config) { c.Host = "smtp://mail.example.com" }, false},
		{"a port in the host", func(c *Config) { c.Host = "mail.example.com:25" }, false},
		{"an address", func(c *Config) { c.Host = "2001:db8::25" }, true},
		{"a port that is none", func(c *Config) { c.Port = 70000 }, false},
		{"an unknown mode", func(c *Config) { c.TLS = "maybe" }, false},
		{"no TLS to elsewhere", func(c *Config) { c.TLS = NoTLS }, false},
		{"no TLS to a look-alike", func(c *Config) { c.TLS, c.Host = NoTLS, "localhost.example.com" }, false},
		{"no TLS here", func(c *Config) { c.TLS, c.Host = NoTLS, "localhost" }, true},
		{"no TLS to ::1", func(c *Config) { c.TLS, c.Host = NoTLS, "::1" }, true},
		{"no sender", func(c *Config) { c.From = "" }, false},
		{"a bare sender", func(c *Config) { c.From = "noreply@example.com" }, true},
		{"no way out", func(c *Config) { c.Dial = nil }, false},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := New(cfg); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
