package vault_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func TestS3_VersionsCount(t *testing.T) {
	w := newWorld(t)
	for n := uint32(1); n <= 3; n++ {
		v := value("x")
		v.Metadata = json.RawMessage(`{"n":` + string('0'+rune(n)) + `}`)
		sec := w.putAs(w.alice, "a/b", v)
		storetest.Equal(t, "number", sec.Latest.Number, n)
		storetest.Equal(t, "metadata", string(sec.Latest.Metadata), string(v.Metadata))
		storetest.Equal(t, "author", sec.Latest.CreatedBy, w.alice.Policy())
		storetest.Equal(t, "time", sec.Latest.CreatedAt, w.Clock.Now())
		w.Clock.Set(w.Clock.Now().Add(time.Minute))
	}
	storetest.Equal(t, "another path", w.put("a/c", "x").Latest.Number, 1)
}

// Each version keeps what it was written with.
func TestS3_VersionKeepsItsOwn(t *testing.T) {
	w := newWorld(t)
	soon, two := clocktest.Noon.Add(time.Hour), int64(2)
	first := vault.NewVersion{
		Type: "password", Value: plain.FromString("one"), Metadata: json.RawMessage(`{"a":1}`),
		RotationPolicy: json.RawMessage(`{"days":30}`), ExpiresAt: &soon, MaxAccess: &two,
	}
	w.putAs(w.alice, "a", first)
	w.putAs(w.alice, "a", vault.NewVersion{Type: "note", Value: plain.FromString("two")})
	sec, list, err := w.Versions(w.Ctx, w.alice, w.v.ID, w.path("a"))
	w.OK(err)
	storetest.Equal(t, "versions", len(list), 2)
	storetest.Equal(t, "latest", list[0].Number, sec.Latest.Number)
	storetest.Equal(t, "latest type", list[0].Type, "note")
	if list[0].ExpiresAt != nil || list[0].MaxAccess != 0 || list[0].Metadata != nil || list[0].RotationPolicy != nil {
		t.Errorf("the new version inherited: %+v", list[0])
	}
	old := list[1]
	if old.Type != "password" || !old.ExpiresAt.Equal(soon) || old.MaxAccess != 2 ||
		string(old.Metadata) != `{"a":1}` || string(old.RotationPolicy) != `{"days":30}` {
		t.Errorf("the old version changed: %+v", old)
	}
}

func TestS4_Types(t *testing.T) {
	w := newWorld(t)
	storetest.Equal(t, "default", w.put("default", "x").Latest.Type, "generic")
	for _, typ := range []vault.Type{
		"generic", "password", "api_key", "certificate", "private_key", "ssh_key", "env", "env_bundle", "file", "note", "token",
	} {
		sec := w.putAs(w.alice, "t/"+string(typ), vault.NewVersion{Type: typ, Value: plain.FromString("x")})
		storetest.Equal(t, "echoed", sec.Latest.Type, typ)
	}
	for _, typ := range []vault.Type{"Generic", "GENERIC", " generic", "secret", "api-key", "x"} {
		_, err := w.Put(w.Ctx, w.alice, w.v.ID, w.path("u"), vault.NewVersion{Type: typ, Value: plain.FromString("x")})
		w.Is(err, vault.ErrType)
	}
	_, err := w.read(w.alice, "u")
	w.Is(err, vault.ErrSecretNotFound)
}

func TestS4_OmittedTypeIsInherited(t *testing.T) {
	w := newWorld(t)
	w.putAs(w.alice, "k", vault.NewVersion{Type: vault.TypePrivateKey, Value: plain.FromString("x")})
	storetest.Equal(t, "inherited", w.put("k", "y").Latest.Type, vault.TypePrivateKey)
	w.OK(w.DeleteSecret("k"))
	storetest.Equal(t, "inherited over a deletion", w.put("k", "z").Latest.Type, vault.TypePrivateKey)
	w.putAs(w.alice, "k", vault.NewVersion{Type: "note", Value: plain.FromString("x")})
	storetest.Equal(t, "said explicitly", w.put("k", "z").Latest.Type, "note")
}

// DeleteSecret deletes as alice.
func (w *world) DeleteSecret(path string) error {
	return w.Service.Delete(w.Ctx, w.alice, w.v.ID, w.path(path))
}

func TestS5_ValueIsWhatWasWritten(t *testing.T) {
	w := newWorld(t)
	for i, s := range []string{"", "x", " leading and trailing ", "line\nline\r\n", "\x00\x01\xff", "日本語 🔑", strings.Repeat("k", 100_000)} {
		path := "v/" + string('a'+rune(i))
		w.put(path, s)
		w.wantValue(w.alice, path, s)
	}
}

// The service neither keeps nor wipes what the caller gave it.
func TestS5_CallersBytes(t *testing.T) {
	w := newWorld(t)
	raw := []byte("before")
	w.putAs(w.alice, "a", vault.NewVersion{Value: plain.New(raw)})
	copy(raw, "after!")
	w.wantValue(w.alice, "a", "before")
	_, got, err := w.Read(w.Ctx, w.alice, w.v.ID, w.path("a"))
	w.OK(err)
	got.Wipe()
	w.wantValue(w.alice, "a", "before")
}

func TestS_Limits(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name string
		new  vault.NewVersion
		want error
	}{
		{"largest", vault.NewVersion{Value: plain.New(make([]byte, vault.MaxValue))}, nil},
		{"too large", vault.NewVersion{Value: plain.New(make([]byte, vault.MaxValue+1))}, vault.ErrValueTooLarge},
		{"list as metadata", vault.NewVersion{Metadata: json.RawMessage(`[]`)}, vault.ErrMetadata},
		{"text as metadata", vault.NewVersion{Metadata: json.RawMessage(`"x"`)}, vault.ErrMetadata},
		{"broken metadata", vault.NewVersion{Metadata: json.RawMessage(`{"a":`)}, vault.ErrMetadata},
		{"two objects", vault.NewVersion{Metadata: json.RawMessage(`{}{}`)}, vault.ErrMetadata},
		{"number as rotation", vault.NewVersion{RotationPolicy: json.RawMessage(`1`)}, vault.ErrMetadata},
		{"null metadata", vault.NewVersion{Metadata: json.RawMessage(`null`)}, nil},
		{"spaced metadata", vault.NewVersion{Metadata: json.RawMessage(" {\"a\":1}\n")}, nil},
		{"no reads", vault.NewVersion{MaxAccess: new(int64)}, vault.ErrMaxAccess},
		{"negative reads", vault.NewVersion{MaxAccess: ptr(int64(-1))}, vault.ErrMaxAccess},
		{"most reads", vault.NewVersion{MaxAccess: ptr(int64(1<<31 - 1))}, nil},
		{"too many reads", vault.NewVersion{MaxAccess: ptr(int64(1 << 31))}, vault.ErrMaxAccess},
		{"reads that wrap", vault.NewVersion{MaxAccess: ptr(int64(1<<32 + 1))}, vault.ErrMaxAccess},
		{"expiry now", vault.NewVersion{ExpiresAt: ptr(clocktest.Noon)}, vault.ErrExpiryPast},
		{"expiry past", vault.NewVersion{ExpiresAt: ptr(clocktest.Noon.Add(-time.Second))}, vault.ErrExpiryPast},
		{"expiry next", vault.NewVersion{ExpiresAt: ptr(clocktest.Noon.Add(1))}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.Put(w.Ctx, w.alice, w.v.ID, w.path("limits"), c.new)
			if code(err) != code(c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// The stored form holds neither values nor paths in the clear.
func TestV7_FreshEnvelopePerVersion(t *testing.T) {
	w := newWorld(t)
	sec := w.put("a", "same value")
	w.put("a", "same value")
	var sealed [2][]byte
	w.Inspect(func(tx *store.Tx) error {
		for i := range sealed {
			raw, ok, err := tx.Envelope(sec.ID, uint32(i+1))
			if err != nil || !ok {
				t.Fatalf("version %d: %v, %v", i+1, ok, err)
			}
			sealed[i] = bytes.Clone(raw)
		}
		return nil
	})
	if bytes.Equal(sealed[0], sealed[1]) || bytes.Contains(sealed[0], []byte("same value")) {
		t.Error("two versions share an envelope, or it shows the value")
	}
	// Swapped, they open as neither: an envelope is bound to its version.
	w.Commit(func(tx *store.Tx) error {
		if err := tx.PutEnvelope(sec.ID, 1, sealed[1]); err != nil {
			return err
		}
		return tx.PutEnvelope(sec.ID, 2, sealed[0])
	})
	_, err := w.read(w.alice, "a")
	storetest.Equal(t, "swapped", code(err), "secret_damaged")
	_, _, _, err = w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	storetest.Equal(t, "swapped", code(err), "secret_damaged")
}

// A record moved into another vault of the same organisation does not open.
func TestV7_EnvelopeIsBoundToItsVault(t *testing.T) {
	w := newWorld(t)
	sec := w.put("a", "mine")
	bob := w.user(w.org, "member")
	theirs := w.vault(bob, "other")
	w.Commit(func(tx *store.Tx) error {
		sec.Vault = theirs.ID
		return tx.PutSecret(sec)
	})
	_, _, err := w.Read(w.Ctx, bob, theirs.ID, w.path("a"))
	storetest.Equal(t, "moved", code(err), "secret_damaged")
}

func TestS13_IDIsStable(t *testing.T) {
	w := newWorld(t)
	first := w.put("a", "1")
	storetest.Equal(t, "second version", w.put("a", "2").ID, first.ID)
	w.OK(w.DeleteSecret("a"))
	storetest.Equal(t, "after deletion", w.put("a", "3").ID, first.ID)
	rotated, err := w.Rotate(w.Ctx, w.alice, w.v.ID, w.path("a"), vault.Rotation{})
	w.OK(err)
	storetest.Equal(t, "after rotation", rotated.ID, first.ID)
	if w.put("b", "1").ID == first.ID {
		t.Error("two paths have one id")
	}
	list, err := w.List(w.Ctx, w.alice, w.v.ID, "a")
	w.OK(err)
	storetest.Equal(t, "listed", list[0].ID, first.ID)
	w.Inspect(func(tx *store.Tx) error {
		ref, ok, err := tx.SecretRef(first.ID)
		if !ok || ref != (vault.SecretRef{Org: w.org, Vault: w.v.ID, Path: w.path("a")}) {
			t.Errorf("the id finds %+v, %v", ref, ok)
		}
		return err
	})
}

// The appliance cannot encrypt with a customer's key, and must not mark as
// encrypted what is not.
func TestRotateUnderCMEK(t *testing.T) {
	w, _, _ := enabled(t)
	w.put("a", "x")
	_, err := w.Rotate(w.Ctx, w.alice, w.v.ID, w.path("a"), vault.Rotation{})
	w.Is(err, vault.ErrCMEKGenerated)
	w.wantValue(w.alice, "a", "x")
}

func TestRotate(t *testing.T) {
	w := newWorld(t)
	_, err := w.Rotate(w.Ctx, w.alice, w.v.ID, w.path("a"), vault.Rotation{})
	w.Is(err, vault.ErrSecretNotFound)
	w.putAs(w.alice, "a", vault.NewVersion{
		Type: "password", Value: plain.FromString("old"), Metadata: json.RawMessage(`{"a":1}`), MaxAccess: ptr(int64(1)),
	})
	for _, c := range []struct {
		r        vault.Rotation
		length   int
		alphabet string
	}{
		{vault.Rotation{}, 32, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"},
		{vault.Rotation{Length: 8, Charset: "hex"}, 8, "0123456789abcdef"},
		{vault.Rotation{Length: 1024, Charset: "digits"}, 1024, "0123456789"},
		{vault.Rotation{Length: 64, Charset: "base64url"}, 64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"},
	} {
		seen := map[string]bool{}
		for range 2 {
			sec, err := w.Rotate(w.Ctx, w.alice, w.v.ID, w.path("a"), c.r)
			w.OK(err)
			storetest.Equal(t, "type", sec.Latest.Type, "password")
			storetest.Equal(t, "metadata", string(sec.Latest.Metadata), `{"a":1}`)
			got, err := w.read(w.alice, "a")
			w.OK(err)
			if len(got) != c.length || strings.Trim(got, c.alphabet) != "" || seen[got] {
				t.Errorf("%+v gave %q", c.r, got)
			}
			seen[got] = true
		}
	}
	for _, r := range []vault.Rotation{{Length: 7}, {Length: -1}, {Length: 1025}, {Charset: "emoji"}, {Charset: "HEX"}} {
		_, err := w.Rotate(w.Ctx, w.alice, w.v.ID, w.path("a"), r)
		w.Is(err, vault.ErrRotation)
	}
	w.OK(w.DeleteSecret("a"))
	_, err = w.Rotate(w.Ctx, w.alice, w.v.ID, w.path("a"), vault.Rotation{})
	w.Is(err, vault.ErrSecretDeleted)
}

// Every character of the alphabet comes about equally often.
func TestRotate_Uniform(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	count := map[rune]int{}
	const rounds, length = 40, 1000
	for range rounds {
		_, err := w.Rotate(w.Ctx, w.alice, w.v.ID, w.path("a"), vault.Rotation{Length: length, Charset: "digits"})
		w.OK(err)
		got, err := w.read(w.alice, "a")
		w.OK(err)
		for _, r := range got {
			count[r]++
		}
	}
	for r := '0'; r <= '9'; r++ { // 4000 each; 6 standard deviations are 360
		if n := count[r]; n < 3640 || n > 4360 {
			t.Errorf("%c came %d times of %d", r, n, rounds*length)
		}
	}
}

// Who may only write does not see the value, in any answer.
func TestS9_WriterRotatesBlind(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	bob := w.user(w.org, "member")
	w.grant(bob, "**", policy.Write)
	_, err := w.Rotate(w.Ctx, bob, w.v.ID, w.path("a"), vault.Rotation{})
	w.OK(err)
	_, err = w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
}
