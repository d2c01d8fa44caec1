package httpapi

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of a JSON body beyond its size. Nothing in the API comes near them.
const (
	maxJSONDepth  = 32      // opaque objects (metadata, shroud_config) included
	maxJSONValues = 1 << 16 // a value costs some fifty times its two bytes once decoded
	maxJSONNumber = 64      // digits
	maxJSONFields = 128     // of the outermost object
)

// jsonError is why a body was refused. Its text is safe to show: it holds
// nothing of the body but, as field, the name of a field of ours.
type jsonError struct{ field, reason string }

// fieldMark parts field and reason in the text of a jsonError. huma passes
// errors on as text only, so rejection.go reads them back from that.
const fieldMark = "\x00"

func (e *jsonError) Error() string { return e.field + fieldMark + e.reason }

var (
	errJSONUTF8      = &jsonError{"body", "is not valid UTF-8"}
	errJSONDepth     = &jsonError{"body", "is nested too deeply"}
	errJSONValues    = &jsonError{"body", "has too many values"}
	errJSONNumber    = &jsonError{"body", "has a number with too many digits"}
	errJSONFields    = &jsonError{"body", "has too many fields"}
	errJSONDuplicate = &jsonError{"body", "names the same field twice"}
	errJSONSurrogate = &jsonError{"body", "has half of a surrogate pair"}
)

// checkJSON refuses what encoding/json would take, but differently from what
// the sender meant or at a price: text it would silently replace (invalid
// UTF-8, lone surrogates; the value of a secret must not change on the way),
// fields named twice, where validation and decoding could each see another
// one, and bodies that grow out of proportion when decoded.
//
// It does not check syntax; on a malformed body it may say anything, as long
// as encoding/json is asked next.
func checkJSON(b []byte) error {
	if !utf8.Valid(b) {
		return errJSONUTF8
	}
	g := jsonGuard{b: b}
	for g.i < len(b) {
		if err := g.token(); err != nil {
			return err
		}
	}
	return nil
}

// jsonGuard walks over the tokens of a body.
type jsonGuard struct {
	b      []byte
	i      int
	values int
	depth  int
	open   [maxJSONDepth]int // where in seen the keys of each open level begin
	seen   [][]byte          // the keys of all open objects
	sets   [maxJSONDepth]map[string]struct{}
}

func (g *jsonGuard) token() error {
	c := g.b[g.i]
	switch {
	case c == '"':
		return g.str()
	case c == '{' || c == '[':
		return g.push()
	case c == '}' || c == ']':
		g.pop()
	case c == ',':
		return g.count()
	case c == '-' || c >= '0' && c <= '9':
		return g.number()
	}
	g.i++
	return nil
}

func (g *jsonGuard) count() error {
	g.i++
	if g.values++; g.values > maxJSONValues {
		return errJSONValues
	}
	return nil
}

func (g *jsonGuard) push() error {
	if g.depth == maxJSONDepth {
		return errJSONDepth
	}
	g.open[g.depth], g.sets[g.depth] = len(g.seen), nil
	g.depth++
	return g.count()
}

func (g *jsonGuard) pop() {
	if g.depth > 0 {
		g.depth--
		g.seen = g.seen[:g.open[g.depth]]
	}
}

func (g *jsonGuard) number() error {
	start := g.i
	for g.i < len(g.b) {
		switch c := g.b[g.i]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			g.i++
			continue
		}
		break
	}
	if g.i-start > maxJSONNumber {
		return errJSONNumber
	}
	return nil
}

// str passes over a string and, if a colon follows, notes it as a key.
func (g *jsonGuard) str() error {
	start, escaped := g.i, false
	for g.i++; g.i < len(g.b) && g.b[g.i] != '"'; g.i++ {
		if g.b[g.i] != '\\' {
			continue
		}
		escaped = true
		if g.i++; g.i < len(g.b) && g.b[g.i] == 'u' && !g.unicode() {
			return errJSONSurrogate
		}
	}
	g.i = min(g.i+1, len(g.b))
	end := g.i
	for g.i < len(g.b) && isJSONSpace(g.b[g.i]) {
		g.i++
	}
	if g.i < len(g.b) && g.b[g.i] == ':' && g.depth > 0 {
		return g.key(g.b[start:end], escaped)
	}
	return nil
}

// unicode reports whether the \u escape at i is a character, alone or with the
// one after it. It leaves i on the last digit.
func (g *jsonGuard) unicode() bool {
	r, ok := hex4(g.b[g.i+1:])
	if !ok {
		return true // malformed: encoding/json will say so
	}
	g.i += 4
	if !utf16.IsSurrogate(r) {
		return true
	}
	rest := g.b[g.i+1:]
	if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
		return false
	}
	low, ok := hex4(rest[2:])
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		return false
	}
	g.i += 6
	return true
}

// key notes a key of the innermost open object. The fields of the outermost
// are compared the way encoding/json finds them, without regard to case.
func (g *jsonGuard) key(quoted []byte, escaped bool) error {
	key := bytes.Trim(quoted, `"`)
	if escaped {
		var s string
		if json.Unmarshal(quoted, &s) != nil {
			return nil // malformed: encoding/json will say so
		}
		key = []byte(s)
	}
	level := g.depth - 1
	siblings := g.seen[g.open[level]:]
	if level == 0 && len(siblings) >= maxJSONFields {
		return errJSONFields
	}
	if g.duplicate(level, siblings, key) {
		return errJSONDuplicate
	}
	g.seen = append(g.seen, key)
	return nil
}

func (g *jsonGuard) duplicate(level int, siblings [][]byte, key []byte) bool {
	const few = 32 // up to here comparing beats hashing
	if level == 0 {
		for _, k := range siblings {
			if bytes.EqualFold(k, key) {
				return true
			}
		}
		return false
	}
	if len(siblings) < few {
		for _, k := range siblings {
			if bytes.Equal(k, key) {
				return true
			}
		}
		return false
	}
	set := g.sets[level]
	if set == nil {
		set = make(map[string]struct{}, 2*few)
		for _, k := range siblings {
			set[string(k)] = struct{}{}
		}
		g.sets[level] = set
	}
	_, dup := set[string(key)]
	set[string(key)] = struct{}{}
	return dup
}

func isJSONSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
