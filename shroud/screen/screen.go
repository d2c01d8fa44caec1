// Package screen takes the values of vaults out of what comes from elsewhere, whole
// and read to its end, before an agent sees it. It finds what shroud/redact finds, and
// what is hidden from that by characters between.
//
// It must not know which requests were made, nor whether the agent may see a value:
// none that it is given gets through.
package screen

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/oneclaw/oneclawd/shroud/detect/view"
	"github.com/oneclaw/oneclawd/shroud/redact"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/use"
)

// Manifests knows what must not get to an agent. An error means that it cannot tell.
// shroud/manifest.Keeper is one.
type Manifests interface {
	For(ctx context.Context, p identity.Principal) (m *redact.Matcher, version uint64, err error)
}

// Screens implements use.Screens.
type Screens struct{ Manifests Manifests }

// For implements use.Screens.
func (s Screens) For(ctx context.Context, p identity.Principal) (use.Screen, error) {
	m, _, err := s.Manifests.For(ctx, p)
	return screen{m}, err
}

// screen has what an agent may use.
type screen struct{ manifest *redact.Matcher }

// With implements use.Screen.
func (s screen) With(values []use.Value) (use.Filter, bool) {
	entries := make([]redact.Entry, len(values))
	for i, v := range values {
		entries[i] = redact.Entry{Path: v.Path, Value: v.Value}
	}
	used := redact.New(entries)
	return filter{used, s.manifest}, len(used.Uncovered()) == 0
}

// filter is the matchers of one answer, in the order in which they name what they find.
type filter []*redact.Matcher

// Clean implements use.Filter.
func (f filter) Clean(text string) (string, int) {
	found := 0
	for _, m := range f {
		out, hits := m.Redact(text)
		found += len(hits)
		text = out
	}
	return text, found
}

// Hides implements use.Filter: zero bytes, UTF-16 and tricks of Unicode.
func (f filter) Hides(text string) bool {
	if strings.Contains(text, "\x00") && (f.finds(strings.ReplaceAll(text, "\x00", "")) || f.wide(text)) {
		return true
	}
	n := view.Normalise(text)
	return n.Changed && f.finds(n.Text)
}

func (f filter) finds(text string) bool {
	return slices.ContainsFunc(f, func(m *redact.Matcher) bool { return len(m.Find(text)) > 0 })
}

// wide reports whether a text, read as UTF-16 in any of the four ways, has a value.
func (f filter) wide(text string) bool {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for from := range 2 {
			raw := []byte(text[min(from, len(text)):])
			units := make([]uint16, len(raw)/2)
			for i := range units {
				units[i] = order.Uint16(raw[2*i:])
			}
			if f.finds(string(utf16.Decode(units))) {
				return true
			}
		}
	}
	return false
}
