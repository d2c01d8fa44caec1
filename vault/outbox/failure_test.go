package outbox

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestRetryIn(t *testing.T) {
	for attempts, want := range map[int]time.Duration{
		0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 9: 256 * time.Minute, 10: 6 * time.Hour, 99: 6 * time.Hour, 1 << 30: 6 * time.Hour,
	} {
		if got := retryIn(attempts, 0.5); got != want {
			t.Errorf("after %d attempts: %v, want %v", attempts, got, want)
		}
		if lo, hi := retryIn(attempts, 0), retryIn(attempts, 0.999999); lo < want*79/100 || hi > want*121/100 || lo >= hi {
			t.Errorf("after %d attempts: from %v to %v", attempts, lo, hi)
		}
	}
	if a, b := chance(), chance(); a < 0 || a >= 1 || a == b {
		t.Errorf("chances %v, %v", a, b)
	}
}

func TestSettle(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	base := Message{State: Pending, Body: "b", Headers: map[string]string{"a": "b"}, CreatedAt: noon, NotAfter: noon.Add(72 * time.Hour)}
	for _, c := range []struct {
		name     string
		err      error
		now      time.Time
		state    State
		attempts int
		next     time.Duration // from now
		text     string
	}{
		{"delivered", nil, noon, Sent, 1, KeptSettled, ""},
		{"failed", &Failure{Text: "down", Err: errors.New("secret")}, noon, Pending, 1, time.Minute, "down"},
		{"wrapped", fmt.Errorf("x: %w", &Failure{Text: "down"}), noon, Pending, 1, time.Minute, "down"},
		{"for a reason that may not be shown", errors.New("secret"), noon, Pending, 1, time.Minute, "not delivered, for an unknown reason"},
		{"with a wish", &Failure{Text: "busy", Wait: time.Hour}, noon, Pending, 1, time.Hour, "busy"},
		{"for good", &Failure{Text: "no such", Permanent: true}, noon, Failed, 1, KeptSettled, "no such"},
		{"not even tried", &Failure{Text: "resting", Untried: true, Wait: time.Second}, noon, Pending, 0, time.Second, "resting"},
		{"not tried, without a wish", &Failure{Text: "resting", Untried: true}, noon, Pending, 0, time.Minute, "resting"},
		{"shortly before the end", &Failure{Text: "down", Wait: time.Hour}, base.NotAfter.Add(-10 * time.Minute), Pending, 1, 9 * time.Minute, "down"},
		{"at the end", &Failure{Text: "down"}, base.NotAfter.Add(-time.Minute), Failed, 1, KeptSettled, "down"},
	} {
		m := base.settle(c.err, c.now, 0.5)
		if m.State != c.state || m.Attempts != c.attempts || !m.NextAt.Equal(c.now.Add(c.next)) || m.LastError != c.text {
			t.Errorf("%s: %s, %d attempts, next in %v, %q", c.name, m.State, m.Attempts, m.NextAt.Sub(c.now), m.LastError)
		}
		if gone := m.Body == "" && m.Headers == nil; gone != (c.state == Sent) {
			t.Errorf("%s: body %q", c.name, m.Body)
		}
		if (c.state == Pending) != m.SettledAt.IsZero() {
			t.Errorf("%s: settled at %v", c.name, m.SettledAt)
		}
	}
}

// A message that is printed says which it is and nothing of what it says.
func TestMessagesHide(t *testing.T) {
	m := Message{Kind: "enrol", Channel: Mail, To: "canary@example.com", Subject: "canary", Body: "canary", Headers: map[string]string{"X": "canary"}}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "message", m, "pointer", &m, "list", []string{fmt.Sprint([]Message{m}), fmt.Sprint(&m)})
	fmt.Fprintf(&b, "%v %+v %#v %s %q %v", m, m, m, m, m, struct{ M Message }{m})
	if strings.Contains(b.String(), "canary") || !strings.Contains(b.String(), "enrol") {
		t.Error(b.String())
	}
}

func TestAddresses(t *testing.T) {
	for addr, ok := range map[string]bool{
		"a@example.com": true, "a.b+c@example.com": true, "zoë@example.com": true, "o'brien@example.com": true, "a@[127.0.0.1]": true,
		"": false, "a": false, "a@": false, "@b": false, "a@b@c": false, "<a@b>": false, "A <a@b>": false, "a@b (c)": false, "a b@c": false,
		"\"a b\"@c": false, "a@b,c@d": false, "a@b\r\nBcc: c@d": false, "a@b\n": false, "a@b\x00": false, " a@b": false,
		"a@" + strings.Repeat("b", 260): false, "a\u2028@b": false, "a@\xff": false,
	} {
		if err := CheckAddress(addr); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b", "A <a@b>", "\"x\"@b", "a@[::1]", "=?utf-8?q?a?=@b", "a@b\r\nx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckAddress(s) != nil {
			return
		}
		if strings.ContainsAny(s, "\r\n\x00<>,; \"") || strings.Count(s, "@") != 1 || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("%q is an address", s)
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add("a\r\nb")
	f.Add("https://x \u202e\u0000")
	f.Fuzz(func(t *testing.T, s string) {
		l := Line(s)
		if strings.ContainsFunc(l, unicode.IsControl) || strings.ContainsAny(l, "<>\"\u2028\u202e") || strings.Contains(l, "://") || len(l) > 4*81 {
			t.Errorf("%q became %q", s, l)
		}
		if strings.TrimSpace(l) != l {
			t.Errorf("%q has space around it", l)
		}
	})
}
