package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// Names that others chose must not reach the terminal as more than names.
func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"größe/日本":            "größe/日本",
		"a\x1b[2Jb":           `a\x1b[2Jb`,
		"a\rb\a":              `a\rb\a`,
		"x\u202eevil":         `x\u202eevil`,
		"bad\xffbyte":         `bad\ufffdbyte`,
		"two\nlines":          "two\nlines",
		"\u009b31m":           `\u009b31m`,
		"zero\u200bwidth":     `zero\u200bwidth`,
		"tab\tin the middle.": `tab\tin the middle.`,
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is printed as %q, want %q", in, got, want)
		}
	}
	var out bytes.Buffer
	writeRow(&out, []string{"a\nb", "c"})
	if got := out.String(); got != "a\\nb\tc\n" {
		t.Errorf("a row is printed as %q", got)
	}
}

func TestWhen(t *testing.T) {
	for text, want := range map[string]time.Duration{"90m": 90 * time.Minute, "12h": 12 * time.Hour, "30d": 30 * 24 * time.Hour} {
		got, err := parseWhen(text)
		if off := time.Until(got.Time) - want; err != nil || off > time.Second || off < -time.Hour-time.Second { // an hour: clocks change
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	if got, err := parseWhen("2030-01-31T12:00:00Z"); err != nil || !got.Equal(time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("an instant is %v, %v", got, err)
	}
	if got, err := parseWhen(""); err != nil || !got.IsZero() {
		t.Errorf("nothing is %v, %v", got, err)
	}
	for _, text := range []string{"tomorrow", "-3h", "0d", "31.1.2030"} {
		if _, err := parseWhen(text); exitCode(err) != codeUsage {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	status := func(n int) error { return &client.Error{Problem: api.Problem{Status: n}} }
	for _, tc := range []struct {
		err  error
		want int
	}{
		{errors.New("x"), codeFailed},
		{usagef("x"), codeUsage},
		{fmt.Errorf("about: %w", notSignedIn("x")), codeSignIn},
		{status(401), codeSignIn},
		{status(402), codeRefused},
		{fmt.Errorf("path: %w", status(403)), codeRefused},
		{notFound("x"), codeNotFound},
		{status(404), codeNotFound},
		{status(410), codeNotFound},
		{status(409), codeFailed},
		{status(500), codeFailed},
		{status(503), codeUnreachable},
		{status(429), codeUnreachable},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, codeFailed},
		{&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}, codeUnreachable},
	} {
		if got := exitCode(tc.err); got != tc.want {
			t.Errorf("%v: exit code %d, want %d", tc.err, got, tc.want)
		}
	}
}

func TestMessages(t *testing.T) {
	refused := &client.Error{Problem: api.Problem{Status: 400, Detail: "Invalid\x1b[2J", Fields: map[string]string{"b": "two", "a": "one"}}}
	if got, want := message(refused), "Invalid\\x1b[2J (HTTP 400)\n  a: one\n  b: two"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	waiting := &client.Error{Problem: api.Problem{Status: 429, Detail: "slow down"}, RetryAfter: 3 * time.Second}
	if got := message(waiting); !strings.HasSuffix(got, "→ try again in 3s") {
		t.Errorf("got %q", got)
	}
}

func TestIDs(t *testing.T) {
	if !isID("01a2258f-b960-7dcb-84a3-04bfd173f2bd") || isID("production") || isID("01a2258f-b960-7dcb-84a3-04bfd173f2bg") || isID("01a2258fxb960x7dcbx84a3x04bfd173f2bd") {
		t.Error("ids are not told from names")
	}
	for link, want := range map[string]string{"abc": "abc", "https://h/v1/share/abc": "abc", "https://h/v1/share/abc/?x=1#y": "abc"} {
		if got := shareID(link); got != want {
			t.Errorf("%s is the share %s", link, got)
		}
	}
}

func TestExposed(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:8200": false, "http://localhost:8200": false, "http://[::1]:8200": false, "https://vault.internal": false,
		"http://vault.internal:8200": true, "http://10.0.0.1": true,
	} {
		if exposed(address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

// A sign-in is kept in the keyring where there is one, and then in no file; without one
// it is in a file.
func TestStore(t *testing.T) {
	const here, there = "https://here", "https://there"
	t.Run("keyring", func(t *testing.T) {
		keyring.MockInit()
		s := store[credential]{service: "test", keyring: true, file: filepath.Join(t.TempDir(), "credentials.json")}
		if _, err := (store[credential]{file: s.file}).save(here, credential{Token: "old"}); err != nil {
			t.Fatal(err)
		}
		if where, err := s.save(here, credential{Token: "canary"}); err != nil || !strings.Contains(where, "keyring") {
			t.Fatalf("kept in %s, %v", where, err)
		}
		if _, err := os.Stat(s.file); err == nil {
			t.Error("there is a file as well")
		}
		if got, ok, err := s.load(here); err != nil || !ok || got.Token != "canary" {
			t.Errorf("loaded %v, %v", ok, err)
		}
		if _, ok, err := s.load(there); err != nil || ok {
			t.Errorf("it is good elsewhere too: %v, %v", ok, err)
		}
		if err := s.remove(here); err != nil {
			t.Error(err)
		}
		if _, ok, _ := s.load(here); ok {
			t.Error("it is still there")
		}
	})
	t.Run("keyring that fails", func(t *testing.T) {
		keyring.MockInitWithError(errors.New("locked"))
		s := store[credential]{service: "test", keyring: true, file: filepath.Join(t.TempDir(), "credentials.json")}
		if where, err := s.save(here, credential{Key: "1ck_x"}); err != nil || where != s.file {
			t.Fatalf("kept in %s, %v", where, err)
		}
		if got, ok, err := s.load(here); err != nil || !ok || got.Key != "1ck_x" {
			t.Errorf("loaded %v, %v", ok, err)
		}
		s.only = true
		if _, err := s.save(here, credential{}); err == nil {
			t.Error("kept in a file, though only the keyring may have it")
		}
		if _, _, err := s.load(here); err == nil {
			t.Error("loaded from nowhere")
		}
	})
}

// A keyring that never answers does not stop a person for long.
func TestKeyringPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := make(chan struct{})
		defer close(silent)
		began := time.Now()
		_, err := patiently(func() (string, error) { <-silent; return "", nil })
		if !errors.Is(err, errKeyringSilent) || time.Since(began) != keyringPatience {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// What is masked does not depend on how a program writes it.
func TestMaskSplit(t *testing.T) {
	const value, text = "sk_live_canary0123", "before sk_live_canary0123 and after sk_live_canary"
	m := redact.New([]redact.Entry{{Path: "a/b", Value: plain.FromString(value)}})
	for size := 1; size < len(text); size++ {
		var out bytes.Buffer
		w := newMask(m, &out)
		for piece := range slices.Chunk([]byte(text), size) {
			if n, err := w.Write(piece); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		w.flush()
		if got, want := out.String(), "before [REDACTED:a/b] and after sk_live_canary"; got != want {
			t.Fatalf("in pieces of %d: %q", size, got)
		}
	}
}

func TestChildEnvironment(t *testing.T) {
	base := []string{"PATH=/bin", "X=old", "ONECLAW_API_KEY=1ck_canary", "ONECLAW_TOKEN=canary", "ONECLAW_AGENT_API_KEY=canary"}
	got := childEnvironment(base, []variable{{"X", "new"}}, false)
	if !slices.Equal(got, []string{"PATH=/bin", "X=old", "X=new"}) {
		t.Errorf("got %q", got)
	}
	if got := childEnvironment(base, nil, true); !slices.Equal(got, []string{"PATH=/bin"}) {
		t.Errorf("cleaned: %q", got)
	}
}
