package vault_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
)

func TestS2_Grammar(t *testing.T) {
	long := strings.Repeat("a", 512)
	for _, s := range []string{
		"a", "Z", "0", "a/b", "a-b", "a_b", "a/-/b", "a/_b", "a/b_/c", "api-keys/stripe", "a/versions/1", "A/b/C9", long,
	} {
		p, err := vault.ParseSecretPath(s)
		if err != nil || p.String() != s {
			t.Errorf("%q: got %q, %v", s, p, err)
		}
	}
	for _, s := range []string{
		"", " ", "/", "/a", "a/", "a//b", "a///b", "-a", "a-", "_a", "a_", ".", "..", "a.b", "a/../b", "a/./b", "../a",
		"a b", "a\tb", "a\nb", "a\n", "\na", "a\x00b", "a%2Fb", "a%2fb", "a%", "a\\b", "a+b", "a*b", "*", "**", "a?b", "a#b",
		"a:b", "a;b", "a,b", "a&b", "é", "ａ", "a/é/b", "a\u00a0b", "a\u202eb", "a\u2215b", "a\xffb", "а", "Ka\u212a", long + "a",
	} {
		if p, err := vault.ParseSecretPath(s); !errors.Is(err, vault.ErrPath) || p != (vault.SecretPath{}) {
			t.Errorf("%q: got %q, %v", s, p, err)
		}
	}
}

func TestS2_TextIsTheSameGrammar(t *testing.T) {
	var p vault.SecretPath
	if err := json.Unmarshal([]byte(`"a/b"`), &p); err != nil || p.String() != "a/b" {
		t.Errorf("got %q, %v", p, err)
	}
	for _, s := range []string{`"a//b"`, `"../b"`, `""`, `"a\u0000b"`} {
		if err := json.Unmarshal([]byte(s), &p); !errors.Is(err, vault.ErrPath) {
			t.Errorf("%s: got %v", s, err)
		}
	}
}

func TestS2_CaseSensitive(t *testing.T) {
	w := newWorld(t)
	w.put("Api/Key", "upper")
	_, err := w.read(w.alice, "api/key")
	w.Is(err, vault.ErrSecretNotFound)
	w.put("api/key", "lower")
	w.wantValue(w.alice, "Api/Key", "upper")
	w.wantValue(w.alice, "api/key", "lower")
}

// A path that no parser saw is nobody's, not even the owner's.
func TestS2_ZeroPath(t *testing.T) {
	w := newWorld(t)
	var zero vault.SecretPath
	_, err := w.Put(w.Ctx, w.alice, w.v.ID, zero, value("x"))
	if err == nil {
		t.Error("a value was written under no path")
	}
	if _, _, err = w.Read(w.Ctx, w.alice, w.v.ID, zero); err == nil {
		t.Error("a value was read under no path")
	}
}

// published is the grammar as clients know it.
var published = regexp.MustCompile(`^(?:[a-zA-Z0-9][a-zA-Z0-9_\-/]*[a-zA-Z0-9]|[a-zA-Z0-9])\z`)

func FuzzParseSecretPath(f *testing.F) {
	for _, s := range [][2]string{
		{"a", "A"}, {"a/b", "a//b"}, {"a-b", "a_b"}, {"a/b", "a%2Fb"}, {"a", "a/"}, {"k", "\u212a"}, {"a\n", "a"},
		{"ab/c", "a/bc"}, {strings.Repeat("a", 512), strings.Repeat("a", 513)},
	} {
		f.Add(s[0], s[1])
	}
	w := newWorld(f)
	undo := errors.New("undo")
	f.Fuzz(func(t *testing.T, a, b string) {
		var got []vault.SecretPath
		for _, s := range []string{a, b} {
			p, err := vault.ParseSecretPath(s)
			want := published.MatchString(s) && !strings.Contains(s, "//") && len(s) <= 512
			if (err == nil) != want {
				t.Fatalf("%q: accepted %v, the grammar says %v", s, err == nil, want)
			}
			if err == nil {
				if p.String() != s {
					t.Fatalf("%q became %q", s, p)
				}
				got = append(got, p)
			}
		}
		if len(got) < 2 {
			return
		}
		err := w.faults.Runner.Update(t.Context(), func(tx vault.Tx) error {
			var ids [2]id.ID
			for i, p := range got {
				ids[i] = id.New()
				if err := tx.PutSecret(vault.Secret{ID: ids[i], Vault: w.v.ID, Path: p}); err != nil {
					return err
				}
			}
			first, _, err := tx.Secret(w.v.ID, got[0])
			if err == nil && (first.ID == ids[0]) != (a != b) {
				t.Errorf("%q and %q: one secret is %v", a, b, first.ID != ids[0])
			}
			return errors.Join(undo, err)
		})
		if err.Error() != undo.Error() {
			t.Fatal(err)
		}
	})
}
