package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// manifest makes a matcher of pairs of path and value.
func manifest(pairs ...string) *redact.Matcher {
	var entries []redact.Entry
	for i := 0; i < len(pairs); i += 2 {
		entries = append(entries, redact.Entry{Path: pairs[i], Value: plain.FromString(pairs[i+1])})
	}
	return redact.New(entries)
}

func TestRedact(t *testing.T) {
	for _, c := range []struct {
		name     string
		manifest []string
		text     string
		want     string
	}{
		{"no manifest", nil, "some text", "some text"},
		{"nothing there", []string{"a", "correct-horse"}, "some text", "some text"},
		{"as it is", []string{"api/key", "correct-horse"}, "the key is correct-horse.", "the key is [REDACTED:api/key]."},
		{"all of the text", []string{"api/key", "correct-horse"}, "correct-horse", "[REDACTED:api/key]"},
		{"twice", []string{"a", "correct-horse"}, "correct-horse, correct-horse", "[REDACTED:a], [REDACTED:a]"},
		{"twice in a row", []string{"a", "correct-horse"}, "correct-horsecorrect-horse", "[REDACTED:a]"},
		{"two in a row", []string{"a", "correct-horse", "b", "battery-staple"}, "correct-horsebattery-staple", "[REDACTED:a][REDACTED:b]"},
		{"one in another", []string{"a", "correct-horse", "b", "correct-horse-battery"}, "x correct-horse-battery y", "x [REDACTED:b] y"},
		{"overlapping", []string{"a", "correct-horse", "b", "horse-battery"}, "x correct-horse-battery y", "x [REDACTED:a] y"},
		{"almost", []string{"a", "correct-horse"}, "correct-hors correct_horse", "correct-hors correct_horse"},
		{"eight bytes", []string{"a", "12345678"}, "x12345678x", "x[REDACTED:a]x"},
		{"seven bytes are too few", []string{"a", "1234567"}, "x1234567x", "x1234567x"},
		{"surrounding space is no part of it", []string{"a", " correct-horse\n"}, "=correct-horse;", "=[REDACTED:a];"},
		{"the first of two paths", []string{"b", "correct-horse", "a", "correct-horse"}, "correct-horse", "[REDACTED:a]"},
		{"a path that would end the mark", []string{"a]\"<b>\n", "correct-horse"}, "correct-horse", "[REDACTED:a___b__]"},
		{"bytes that are no text", []string{"a", "\xff\xfe\x00\x01\x02\x03\x04\x05"}, "\xff\xff\xfe\x00\x01\x02\x03\x04\x05\xfe", "\xff[REDACTED:a]\xfe"},
		{"the same letter", []string{"a", "xxxxxxxx"}, "_xxxxxxxxxxx_", "_[REDACTED:a]_"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := manifest(c.manifest...)
			got, hits := m.Redact(c.text)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if (len(hits) > 0) != (c.want != c.text) {
				t.Errorf("hits are %v", hits)
			}
			if found := m.Find(c.text); !slices.Equal(found, hits) {
				t.Errorf("Find says %v, Redact %v", found, hits)
			}
		})
	}
}

// What is reported is each path and what it covers, also where two overlap.
func TestHits(t *testing.T) {
	m := manifest("a", "correct-horse", "b", "horse-battery", "c", "a value elsewhere")
	_, hits := m.Redact("x correct-horse-battery y a+value+elsewhere")
	want := []redact.Hit{
		{Path: "a", Form: redact.Plain, Start: 2, End: 15},
		{Path: "b", Form: redact.Plain, Start: 10, End: 23},
		{Path: "c", Form: redact.URL, Start: 26, End: 43},
	}
	if !slices.Equal(hits, want) {
		t.Errorf("hits are %v, want %v", hits, want)
	}
}

func TestUncovered(t *testing.T) {
	m := manifest("long", "12345678", "short", "1234", "none", "", "spaces", "  1234567   ")
	if got := m.Uncovered(); !slices.Equal(got, []string{"none", "short", "spaces"}) {
		t.Errorf("uncovered are %v", got)
	}
}

// values are of the kinds that vaults hold.
var values = map[string]string{
	"token":    "tok_" + "9aB3xQ7LmN2pR5tV8wYz",
	"password": "p@ss/wörd+\"&<'>\\ 🔑",
	"short":    "hunter22",
	"binary":   "\x00\x01\x02\xfb\xff\xfe\x80\x81\x9f",
	"hex":      "0x" + "4C0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
	"uuid":     "6fa459ea-ee8a-3ca4-894e-db77e160355e",
	"lines":    "first line of it\nsecond line\r\nthird\tline",
	"long":     strings.Repeat("Zq3.Lw8_", 300),
}

// However an encoder writes it, nothing of a value is left.
func TestForms(t *testing.T) {
	marshal := func(v string) string { b, _ := json.Marshal(v); return string(b[1 : len(b)-1]) }
	relaxed := func(v string) string {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v)
		return strings.TrimSpace(b.String())
	}
	for form, write := range map[string]func(string) string{
		"plain":          func(v string) string { return v },
		"hex":            func(v string) string { return hex.EncodeToString([]byte(v)) },
		"upper hex":      func(v string) string { return strings.ToUpper(hex.EncodeToString([]byte(v))) },
		"base64":         func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
		"base64url":      func(v string) string { return base64.URLEncoding.EncodeToString([]byte(v)) },
		"bare base64":    func(v string) string { return base64.RawStdEncoding.EncodeToString([]byte(v)) },
		"bare base64url": func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) },
		"JSON":           func(v string) string { return strings.Trim(relaxed(v), `"`) },
		"JSON for HTML":  marshal,
		"query":          url.QueryEscape,
		"path":           func(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") },
		"HTML":           html.EscapeString,
	} {
		for name, v := range values {
			m := manifest("x/"+name, v)
			if strings.Contains(form, "JSON") && name == "binary" {
				continue // it is no text: an encoder loses bytes of it
			}
			got, hits := m.Redact("before " + write(v) + " after")
			if want := "before [REDACTED:x/" + name + "] after"; got != want {
				t.Errorf("%s of %s: left %.100q", form, name, got)
			}
			if len(hits) != 1 || hits[0].Path != "x/"+name {
				t.Errorf("%s of %s: hits are %v", form, name, hits)
			}
		}
	}
}

// In base64 a value can be at any of three offsets, among other bytes. What is
// left of it is less than two bytes at either end.
func TestBase64OfMore(t *testing.T) {
	for name, v := range values {
		m := manifest(name, v)
		for before := range 7 {
			for after := range 4 {
				text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", before) + v + strings.Repeat("w", after)))
				got, _ := m.Redact(text)
				left := len(got) - len("[REDACTED:"+name+"]")
				if most := base64.StdEncoding.EncodedLen(before+after) + 4; !strings.Contains(got, "[REDACTED:"+name+"]") || left > most {
					t.Errorf("%s after %d and before %d bytes: left %.100q", name, before, after, got)
				}
			}
		}
	}
}

// Tools break base64 into lines.
func TestWrappedBase64(t *testing.T) {
	v := strings.Repeat("Zq3.Lw8_x", 30)
	m := manifest("v", v)
	for _, n := range []int{64, 76} {
		var lines []string
		for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString([]byte(v))), n) {
			lines = append(lines, string(line))
		}
		got, _ := m.Redact(strings.Join(lines, "\n"))
		if rest := strings.ReplaceAll(got, "[REDACTED:v]", ""); strings.Trim(rest, "\n") != "" {
			t.Errorf("lines of %d: left %q", n, rest)
		}
	}
}

func TestHexInAnyCase(t *testing.T) {
	for _, name := range []string{"hex", "uuid"} {
		v := values[name]
		m := manifest(name, v)
		bare := strings.ReplaceAll(strings.TrimPrefix(v, "0x"), "-", "")
		for _, text := range []string{strings.ToUpper(bare), strings.ToLower(bare), bare} {
			if got, _ := m.Redact("<" + text + ">"); got != "<[REDACTED:"+name+"]>" {
				t.Errorf("%s: left %q", text, got)
			}
		}
	}
}

// The lines of a key file are secret each, its frame is not; in a document, what
// is random is.
func TestParts(t *testing.T) {
	body := []string{
		"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
		"MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu",
		"NMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s",
	}
	frame := func(edge string) string { return "-----" + edge + " PRIVATE " + "KEY-----" }
	pem := frame("BEGIN") + "\n" + strings.Join(body, "\n") + "\n" + frame("END") + "\n"
	document, _ := json.MarshalIndent(map[string]string{
		"type": "service_account", "private_key": pem, "private_key_id": "4fa1c0d2e8b7936a5d4c3b2a190817263544aabb",
		"auth_uri": "https://accounts.example.com/o/oauth2/auth",
	}, "", "  ")
	for name, v := range map[string]string{"pem": pem, "document": string(document), "escaped": strings.ReplaceAll(pem, "\n", `\n`) + "\n"} {
		m := manifest("v", v)
		for _, line := range body {
			if got, _ := m.Redact("  " + line + "\r\n"); got != "  [REDACTED:v]\r\n" {
				t.Errorf("a line of %s is left: %q", name, got)
			}
		}
		for _, free := range []string{frame("BEGIN"), frame("END"), "service_account", "https://accounts.example.com/o/oauth2/auth"} {
			if got, _ := m.Redact(free); got != free {
				t.Errorf("%s: %q became %q", name, free, got)
			}
		}
		if got, _ := m.Redact("<" + v + ">"); got != "<[REDACTED:v]"+v[len(strings.TrimSpace(v)):]+">" {
			t.Errorf("all of %s became %q", name, got)
		}
	}
	m := manifest("db", "postgres://app:hunter22:x@db.example.com:5432/app")
	if got, _ := m.Redact("PGPASSWORD=hunter22:x psql -h db.example.com"); got != "PGPASSWORD=[REDACTED:db] psql -h db.example.com" {
		t.Errorf("the password of a URL: %q", got)
	}
}

// Part of a long value is enough to be found.
func TestPiecesOfLongValues(t *testing.T) {
	var v strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&v, "%x.", i*i)
	}
	m := manifest("v", v.String())
	if got, _ := m.Redact(v.String()); got != "[REDACTED:v]" {
		t.Errorf("all of it became %.200q", got)
	}
	if got, hits := m.Redact(v.String()[:4000]); len(got) > 600 || len(hits) != 1 {
		t.Errorf("the first half became %d bytes, hits %v", len(got), hits)
	}
}

func TestNothingPrintsValues(t *testing.T) {
	m := manifest("a", "correct-horse")
	s := m.Stream()
	s.Append(nil, []byte("correct-"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{m, s, *s} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "correct-") || strings.Contains(out, "636f72") || strings.Contains(out, "99 111 114") {
				t.Errorf("%s shows %s", verb, out)
			}
		}
	}
}

func TestHolder(t *testing.T) {
	var h redact.Holder
	if got, _ := h.Matcher().Redact("correct-horse"); got != "correct-horse" {
		t.Errorf("an empty holder redacts: %q", got)
	}
	before := h.Matcher().Stream()
	h.Swap(manifest("a", "correct-horse"))
	if got, _ := h.Matcher().Redact("correct-horse"); got != "[REDACTED:a]" {
		t.Errorf("after a swap: %q", got)
	}
	if got := string(before.Flush(before.Append(nil, []byte("correct-horse")))); got != "correct-horse" {
		t.Errorf("a stream from before: %q", got)
	}
}

// What encoders of other languages write is written out here, as they write it.
func TestFormsOfOtherLanguages(t *testing.T) {
	const query, key, note = "p@ss w0rd!*'()~/", "q3+Z/8w==&k<1>'", "Ärger \"Zoë\" x/1"
	for _, c := range []struct{ by, value, written string }{
		{"JavaScript's encodeURIComponent", query, "p%40ss%20w0rd!*'()~%2F"},
		{"JavaScript's encodeURI", query, "p@ss%20w0rd!*'()~/"},
		{"URLSearchParams and Java's URLEncoder", query, "p%40ss+w0rd%21*%27%28%29%7E%2F"},
		{"Python's quote", query, "p%40ss%20w0rd%21%2A%27%28%29~/"},
		{"Go's PathEscape", query, "p@ss%20w0rd%21%2A%27%28%29~%2F"},
		{"Go's UserPassword", query, "p%40ss%20w0rd%21%2A%27%28%29~%2F"},
		{"Gson", key, `q3+Z/8w\u003d\u003d\u0026k\u003c1\u003e\u0027`},
		{".NET's JsonSerializer", key, `q3\u002BZ/8w==\u0026k\u003C1\u003E\u0027`},
		{".NET's JsonSerializer", note, `\u00C4rger \u0022Zo\u00EB\u0022 x/1`},
		{"PHP's json_encode", note, `\u00c4rger \"Zo\u00eb\" x\/1`},
		{"PHP's json_encode, with JSON_UNESCAPED_UNICODE", note, `Ärger \"Zoë\" x\/1`},
		{"Python's json", note, `\u00c4rger \"Zo\u00eb\" x/1`},
		{"Python's html.escape", key, "q3+Z/8w==&amp;k&lt;1&gt;&#x27;"},
		{"PHP's htmlspecialchars", key, "q3+Z/8w==&amp;k&lt;1&gt;&#039;"},
	} {
		if got, _ := manifest("v", c.value).Redact("a " + c.written + " z"); got != "a [REDACTED:v] z" {
			t.Errorf("%s writes %s; left %s", c.by, c.written, got)
		}
	}
}
