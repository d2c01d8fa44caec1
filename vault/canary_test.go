package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// canary is a text that must not turn up where it does not belong, in no
// encoding that our code uses.
type canary string

func (c canary) in(text []byte) bool {
	raw := []byte(c)
	for _, form := range []string{
		string(c), hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
		strings.Trim(fmt.Sprint(raw), "[]"), // a byte slice printed with %v
	} {
		if bytes.Contains(text, []byte(form)) {
			return true
		}
	}
	return false
}

// captureLog collects what is logged until the test ends, at every level.
func captureLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.Level(-100)})))
	t.Cleanup(func() { slog.SetDefault(was) })
	return &buf
}

// printed is every way in which v could be written somewhere.
func printed(v any) []byte {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	raw, _ := json.Marshal(v)
	b.Write(raw)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	if err, ok := v.(error); ok {
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&b, "%+v\n", err)
		}
	}
	return b.Bytes()
}

// TestU5_Canary puts one text into every field of a secret that may hold
// something private, does all there is to do, and looks everywhere.
func TestU5_Canary(t *testing.T) {
	logged := captureLog(t)
	s := newStage(t)
	const value, meta = canary("CANARY-value-7f3a91"), canary("CANARY-meta-1b99c0")
	secret := vault.NewVersion{
		Value: plain.FromString(string(value)), Metadata: json.RawMessage(`{"k":"` + meta + `"}`),
		RotationPolicy: json.RawMessage(`{"hook":"` + meta + `"}`), Type: vault.TypePrivateKey, MaxAccess: ptr(int64(4)),
	}
	var seen []any
	note := func(vs ...any) { seen = append(seen, vs...) }
	bot := s.agent("**")
	bot.Intents = true
	s.grant(bot, "**", policy.Read)
	path := s.path("a/b")

	sec, err := s.Put(s.Ctx, s.alice, s.v.ID, path, secret)
	note(secret, sec, err)
	bad := secret
	bad.Metadata = json.RawMessage(`["` + meta + `"]`)
	_, err = s.Put(s.Ctx, s.alice, s.v.ID, path, bad)
	note(err)
	bad = secret
	bad.Type = vault.Type(value)
	_, err = s.Put(s.Ctx, s.alice, s.v.ID, path, bad)
	note(err)
	_, err = vault.ParseSecretPath(string(value) + " ")
	note(err)
	_, _, err = s.Read(s.Ctx, bot, s.v.ID, path)
	note(err)
	_, got, err := s.Read(s.Ctx, s.alice, s.v.ID, path)
	note(got, &got, []plain.Bytes{got}, map[string]plain.Bytes{"x": got}, struct{ B plain.Bytes }{got}, err)
	if string(got.Reveal()) != string(value) {
		t.Fatal("the canary is not where it belongs")
	}
	_, ver, got, err := s.ReadVersion(s.Ctx, s.alice, s.v.ID, path, 3)
	note(ver, got, err)
	list, err := s.List(s.Ctx, s.alice, s.v.ID, "")
	note(list, err)
	_, versions, err := s.Versions(s.Ctx, s.alice, s.v.ID, path)
	note(versions, err)
	s.module.breakDown(hsm.ErrUnavailable)
	_, _, err = s.Read(s.Ctx, s.alice, s.v.ID, path)
	note(err)
	_, err = s.Put(s.Ctx, s.alice, s.v.ID, path, secret)
	note(err)
	s.module.repair()
	s.Commit(func(tx *store.Tx) error { return tx.PutEnvelope(sec.ID, 3, []byte(value)) }) // damaged
	_, _, err = s.Read(s.Ctx, s.alice, s.v.ID, path)
	note(err)
	if err == nil {
		t.Error("a damaged envelope opened")
	}
	_, err = s.Rotate(s.Ctx, s.alice, s.v.ID, path, vault.Rotation{Charset: string(value)})
	note(err)
	_, of, err := s.DisableVersion(s.Ctx, s.alice, s.v.ID, path, 3)
	note(of, err, s.Delete(s.Ctx, s.alice, s.v.ID, path), s.v)

	for i, v := range seen {
		if text := printed(v); value.in(text) {
			t.Errorf("result %d (%T) shows the value: %s", i, v, text)
		} else if e, ok := v.(error); ok && meta.in(printed(e)) {
			t.Errorf("error %d shows metadata: %s", i, text)
		}
	}
	for i, raw := range s.Leaves(0) {
		if value.in(raw) || meta.in(raw) {
			t.Errorf("event %d shows it: %s", i, raw)
		}
	}
	if value.in(logged.Bytes()) || meta.in(logged.Bytes()) {
		t.Errorf("the log shows it: %s", logged)
	}
	file, err := os.ReadFile(s.Store.Config().Path)
	s.OK(err)
	if value.in(file) || meta.in(file) || bytes.Contains(file, []byte("a/b")) {
		t.Error("the data file shows a value, metadata or a path")
	}
}

// The search itself finds what is there.
func TestCanaryBites(t *testing.T) {
	c := canary("CANARY")
	for _, text := range []any{"xCANARYx", []byte("CANARY"), struct{ b []byte }{[]byte("CANARY")}, errors.Join(errors.New("CANARY"))} {
		if !c.in(printed(text)) {
			t.Errorf("%T hides it", text)
		}
	}
	if c.in(printed(plain.FromString("CANARY"))) {
		t.Error("plain.Bytes shows it")
	}
}

// What was rotated to appears nowhere but in the value.
func TestU5_RotatedValueIsNowhere(t *testing.T) {
	logged := captureLog(t)
	s := newStage(t)
	sec, err := s.Rotate(s.Ctx, s.alice, s.v.ID, s.path("a/b"), vault.Rotation{})
	s.OK(err)
	got, err := s.read(s.alice, "a/b")
	s.OK(err)
	text := canary(got)
	for _, raw := range append(s.Leaves(0), printed(sec), logged.Bytes()) {
		if text.in(raw) {
			t.Errorf("found in %s", raw)
		}
	}
}
