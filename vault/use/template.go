package use

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
)

const (
	begin = "{{secret:"
	end   = "}}"

	maxRefs = 16
	maxRef  = 600 // bytes between begin and end
)

// Ref names a secret in a request.
type Ref struct {
	Vault id.ID // zero: the one vault that has the path
	Path  vault.SecretPath
}

// Template is a text with placeholders.
type Template struct{ parts []part }

// part is text, and the secret after it.
type part struct {
	text string
	ref  Ref
	is   bool // there is a ref
}

// ParseTemplate reads a text. What looks like a placeholder and is none is an error:
// it would go elsewhere as it stands.
func ParseTemplate(s string) (t Template, err error) {
	for {
		before, rest, found := strings.Cut(s, begin)
		if lookalike(before) {
			return Template{}, ErrPlaceholder
		}
		if !found {
			t.parts = append(t.parts, part{text: before})
			return t, nil
		}
		name, after, closed := strings.Cut(rest, end)
		if !closed || len(name) > maxRef {
			return Template{}, ErrPlaceholder
		}
		ref, err := parseRef(name)
		if err != nil {
			return Template{}, err
		}
		t.parts = append(t.parts, part{before, ref, true})
		s = after
	}
}

func parseRef(s string) (r Ref, err error) {
	if of, ok := strings.CutPrefix(s, "//"); ok {
		name, path, _ := strings.Cut(of, "/")
		if r.Vault, err = id.Parse(name); err != nil || r.Vault.IsZero() {
			return r, ErrPlaceholder
		}
		s = path
	}
	if r.Path, err = vault.ParseSecretPath(s); err != nil {
		return r, ErrPlaceholder
	}
	return r, nil
}

// lookalike reports whether s has a placeholder in another spelling: spaces, capitals. It
// looks no further than the word goes, so that braces without end cost no more than others.
func lookalike(s string) bool {
	const word = "secret"
	for {
		i := strings.Index(s, "{{")
		if i < 0 {
			return false
		}
		after := strings.TrimLeftFunc(s[i+2:], unicode.IsSpace)
		n := strings.IndexFunc(after[:min(len(after), len(word)*utf8.UTFMax)], func(r rune) bool { return r == ':' || unicode.IsSpace(r) })
		if n > 0 && strings.EqualFold(after[:n], word) && strings.HasPrefix(strings.TrimLeftFunc(after[n:], unicode.IsSpace), ":") {
			return true
		}
		s = s[i+1:]
	}
}

// String is the text that ParseTemplate reads as t.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		if !p.is {
			continue
		}
		b.WriteString(begin)
		if !p.ref.Vault.IsZero() {
			b.WriteString("//" + p.ref.Vault.String() + "/")
		}
		b.WriteString(p.ref.Path.String() + end)
	}
	return b.String()
}

// refs appends the secrets in t that are not in all yet, until there are more than may be.
func (t Template) refs(all []Ref) []Ref {
	for _, p := range t.parts {
		if p.is && len(all) <= maxRefs && !contains(all, p.ref) {
			all = append(all, p.ref)
		}
	}
	return all
}

func contains(all []Ref, r Ref) bool {
	for _, have := range all {
		if have == r {
			return true
		}
	}
	return false
}

// fill puts values in the places of their placeholders, once: a value that has
// a placeholder in it keeps it. put says how a value is written.
func (t Template) fill(values map[Ref][]byte, put func(dst, value []byte) []byte) []byte {
	var out []byte
	for _, p := range t.parts {
		out = append(out, p.text...)
		if p.is {
			out = put(out, values[p.ref])
		}
	}
	return out
}
