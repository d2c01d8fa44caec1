package redact

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Shortest is the length in bytes below which a value is not looked for.
const Shortest = 8

// Entry is a value of a manifest and the path it is at.
type Entry struct {
	Path  string
	Value plain.Bytes
}

// Form says how a value was written where it was found.
type Form uint8

// The forms, in the order in which one is named if several are the same text.
const (
	Plain Form = iota
	JSON
	URL
	HTML
	Hex
	Base64
	Part // a random part of a structured value
)

// String is the name of the form.
func (f Form) String() string {
	return [...]string{"plain", "json", "url", "html", "hex", "base64", "part"}[f]
}

// pattern is one form of one value, or a piece of it.
type pattern struct {
	at    uint32 // where its bytes begin in the arena
	n     uint32
	place uint32 // of the eight bytes it is entered under, from its beginning
	entry uint32
	form  Form
}

// Matcher finds the values of one manifest. It is immutable, and safe for use by
// many goroutines. The zero Matcher finds nothing.
type Matcher struct {
	arena     []byte    // the bytes of all patterns
	patterns  []pattern // in the order of their bytes
	names     []string  // paths by entry
	marks     []string  // what replaces them
	windows   table     // patterns by the eight bytes at their place
	starts    starts
	longest   int
	uncovered []string
}

// New makes a matcher of the manifest, copying what it needs: the entries may be wiped
// afterwards. What the matcher holds is wiped when nobody uses it any more.
//
// A value that is at several paths is reported at the first of them.
func New(entries []Entry) *Matcher {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	b := newBuilder()
	m := &Matcher{}
	for i, e := range entries {
		m.names = append(m.names, e.Path)
		m.marks = append(m.marks, "[REDACTED:"+printable(e.Path)+"]")
		if !b.enter(uint32(i), e.Value) {
			m.uncovered = append(m.uncovered, e.Path)
		}
	}
	b.sort()
	b.choosePlaces()
	m.arena, m.patterns, m.longest = b.arena, b.patterns, b.longest
	m.windows = newTable(len(m.patterns), func(i int) uint64 { return load(m.bytes(i), int(m.patterns[i].place)) })
	m.starts = newStarts(m.patterns, m.arena)
	runtime.AddCleanup(m, func(arena []byte) { clear(arena) }, m.arena)
	return m
}

// Uncovered lists the paths whose values are not looked for: they are too short, or the
// manifest has more than a gigabyte of forms.
func (m *Matcher) Uncovered() []string { return slices.Clone(m.uncovered) }

// Patterns is the number of texts that are looked for.
func (m *Matcher) Patterns() int { return len(m.patterns) }

// bytes is what pattern i looks for.
func (m *Matcher) bytes(i int) []byte {
	p := &m.patterns[i]
	return m.arena[p.at : p.at+p.n]
}

// Format shows nothing of the values.
func (Matcher) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[matcher]") }

// printable is path without what would end the mark, or the string of a JSON
// document or HTML element that it may be put into.
func printable(path string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune("[]<>&\"'`\\", r) {
			return '_'
		}
		return r
	}, path)
}
