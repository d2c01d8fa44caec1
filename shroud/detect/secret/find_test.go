package secret_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/shroud/detect/secret"
)

// Samples are put together here, so that no scanner takes this file for a leak.
const (
	drawn40 = "aB3xQ7LmN2pR5tV8wYz" + "K9cD4fG6hJ1sT0uEoIq7w"
	hex40   = "3f9a1c7e5b2d8064" + "9e1f7a3c5d2b8e60" + "4c1a9f37"
)

func TestFind(t *testing.T) {
	for _, c := range []struct{ name, text, rule, value string }{
		{"a token by its prefix", "use ghp_" + drawn40[:36] + " for it", "github-token", "ghp_" + drawn40[:36]},
		{"a service's key", "DATADOG_API_KEY=" + drawn40[:40], "datadog-access-token", drawn40[:40]},
		{"a password", `db_password: "hunter2!x"`, "password-assignment", "hunter2!x"},
		{"a URL", "postgres://app:s3cr3tpw@db.internal/app", "url-password", "s3cr3tpw"},
		{"a command", "curl -u deploy:s3cr3tpw https://api.internal/", "command-account", "s3cr3tpw"},
		{"a placeholder", "api_key = YOUR_API_KEY_HERE_1234567", "", ""},
		{"a variable", `password = "${DB_PASSWORD}"`, "", ""},
		{"a call", "token = getToken(request1)", "", ""},
		{"a commit", "commit " + hex40, "", ""},
		{"prose", "The password must have twelve characters. A token is a string, a key is a name.", "", ""},
	} {
		found := secret.Find(c.text)
		if c.rule == "" {
			if len(found) > 0 {
				t.Errorf("%s: found %+v", c.name, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Rule != c.rule || c.text[found[0].Start:found[0].End] != c.value {
			t.Errorf("%s: found %+v in %q", c.name, found, c.text)
		}
	}
}

// Spans are in order, do not overlap, and are on the borders of runes.
func FuzzFind(f *testing.F) {
	f.Add("password=\xffé1x\x80 token: " + drawn40)
	f.Add(`"d":"` + drawn40 + `","kty":"EC"` + "\n-----BEGIN " + "PRIVATE KEY-----\n" + drawn40)
	f.Add("https://a:b1c2@d ey" + "J.eyJ -u a:b1c2d mysql -pX $2a$10$")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, m := range secret.Find(text) {
			if m.Start < last || m.End <= m.Start || m.End > len(text) {
				t.Fatalf("%+v after %d in %d bytes", m, last, len(text))
			}
			if m.End < len(text) && !utf8.RuneStart(text[m.End]) && utf8.ValidString(text) || !utf8.RuneStart(text[m.Start]) && utf8.ValidString(text) {
				t.Fatalf("%+v cuts a rune", m)
			}
			if m.Score <= 0 || m.Score > 1 || m.Rule == "" || m.Severity == "" || m.Why == "" {
				t.Fatalf("incomplete: %+v", m)
			}
			last = m.End
		}
	})
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("The service keeps its keys in a vault. Each request is checked against a policy, and what it "+
		"did is written down. An access token expires after an hour; nobody can extend it.\n\tif err := s.check(ctx, key); err != nil {\n", 80)
	secret.Find(text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		secret.Find(text)
	}
}
