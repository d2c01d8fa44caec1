package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// dice are numbers that look random and are the same in every run of one seed.
type dice uint64

func (d *dice) upTo(n int) int {
	*d = *d*6364136223846793005 + 1442695040888963407
	return int(uint64(*d) >> 33 % uint64(n))
}

// naive redacts as the package says it does, by trying every pattern at every byte.
func naive(m *Matcher, text string) string {
	type span struct{ start, end, longest, entry int }
	var out strings.Builder
	var open *span
	done := 0
	shut := func() {
		if open != nil {
			out.WriteString(m.marks[open.entry])
			done, open = open.end, nil
		}
	}
	for i := range len(text) {
		var here []pattern
		for _, p := range m.patterns {
			if strings.HasPrefix(text[i:], string(m.arena[p.at:p.at+p.n])) {
				here = append(here, p)
			}
		}
		slices.SortStableFunc(here, func(a, b pattern) int { return int(b.n) - int(a.n) })
		for _, p := range here {
			if open != nil && (i > open.end || i == open.end && int(p.entry) != open.entry) {
				shut()
			}
			if open == nil {
				out.WriteString(text[done:i])
				open = &span{start: i}
			}
			open.end = max(open.end, i+int(p.n))
			if int(p.n) > open.longest {
				open.longest, open.entry = int(p.n), int(p.entry)
			}
		}
	}
	shut()
	return out.String() + text[done:]
}

// Small alphabets make overlaps, common beginnings and repeats likely.
func TestAgainstOracle(t *testing.T) {
	d := dice(1)
	word := func(most int) string {
		letters := []string{"a", "b", "ab", "é", "\xff", "0"}
		var b strings.Builder
		for range 1 + d.upTo(most) {
			b.WriteString(letters[d.upTo(len(letters))])
		}
		return b.String()
	}
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	redacted := 0
	for range rounds {
		var entries []Entry
		for i := range 1 + d.upTo(6) {
			entries = append(entries, Entry{Path: fmt.Sprint("v", i), Value: plain.FromString(word(20))})
		}
		m := New(entries)
		var b strings.Builder
		for range d.upTo(12) {
			v := entries[d.upTo(len(entries))].Value.Reveal()
			switch d.upTo(5) {
			case 0:
				b.Write(v)
			case 1:
				b.Write(v[:d.upTo(len(v)+1)])
			case 2:
				b.WriteString(hex.EncodeToString(v))
			case 3:
				b.WriteString(base64.StdEncoding.EncodeToString([]byte(word(3) + string(v))))
			default:
				b.WriteString(word(8))
			}
		}
		text := b.String()
		want := naive(m, text)
		got, _ := m.Redact(text)
		if got != want {
			t.Fatalf("%q: got %q, want %q", text, got, want)
		}
		if want != text {
			redacted++
		}
		s, rest, streamed := m.Stream(), []byte(text), []byte(nil)
		for len(rest) > 0 {
			n := 1 + d.upTo(min(len(rest), 40))
			streamed = s.Append(streamed, rest[:n])
			rest = rest[n:]
		}
		if streamed = s.Flush(streamed); string(streamed) != want {
			t.Fatalf("%q in pieces: got %q, want %q", text, streamed, want)
		}
	}
	if redacted < rounds/3 {
		t.Errorf("only %d of %d texts had anything in them", redacted, rounds)
	}
}

// A text without values costs no memory, whole or in pieces.
func TestNoHitAllocatesNothing(t *testing.T) {
	m := New(sample(1000))
	text := prose(4 << 10)
	s, out := m.Stream(), make([]byte, 0, 8<<10)
	piece := []byte(text[:57])
	s.Append(out, piece)
	if n := testing.AllocsPerRun(100, func() { m.Redact(text) }); n != 0 {
		t.Errorf("a whole text allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { out = s.Append(out[:0], piece) }); n != 0 {
		t.Errorf("a piece allocates %v times", n)
	}
}

// What a matcher holds is wiped when the last user of it is gone.
func TestWipedWhenUnused(t *testing.T) {
	m := New([]Entry{{Path: "a", Value: plain.FromString("correct-horse")}})
	arena := m.arena
	s := m.Stream()
	m = nil
	runtime.GC()
	if !bytes.Contains(arena, []byte("correct-horse")) {
		t.Fatal("wiped while a stream uses it")
	}
	runtime.KeepAlive(s)
	s = nil
	for range 100 {
		runtime.GC()
		runtime.Gosched()
		if !bytes.Contains(arena, []byte("correct-horse")) {
			return
		}
	}
	t.Error("not wiped")
}

// sample is a manifest of n values as services issue them: many begin alike.
func sample(n int) []Entry {
	d := dice(7)
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	begins := []string{"sk_" + "live_", "ghp" + "_", "AK" + "IA", "", "xo" + "xb-", "eyJhbGciOi"}
	entries := make([]Entry, n)
	for i := range entries {
		v := []byte(begins[d.upTo(len(begins))])
		for range 12 + d.upTo(30) {
			v = append(v, digits[d.upTo(len(digits))])
		}
		entries[i] = Entry{Path: fmt.Sprint("vault/", i), Value: plain.New(v)}
	}
	return entries
}

// prose is n bytes of text about keys, with beginnings of some.
func prose(n int) string {
	words := []string{"the ", "key ", "of ", "service ", "is ", "sk_" + "live_ ", "set in ", "ghp" + "_xxxx ", "config.yaml:\n", "token=", "a1b2c3d4 ", "und so weiter, "}
	d := dice(3)
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[d.upTo(len(words))])
	}
	return b.String()[:n]
}

func BenchmarkRedact(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		m := New(sample(n))
		for _, size := range []int{4 << 10, 1 << 20} {
			text := prose(size)
			b.Run(fmt.Sprintf("values=%d/size=%d", n, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ReportMetric(float64(len(m.patterns)), "patterns")
				for b.Loop() {
					m.Redact(text)
				}
			})
		}
		b.Run(fmt.Sprintf("values=%d/pieces=57", n), func(b *testing.B) {
			text := []byte(prose(57 * 100))
			s, out := m.Stream(), make([]byte, 0, 4096)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for i := 0; i < len(text); i += 57 {
					out = s.Append(out[:0], text[i:i+57])
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		entries := sample(n)
		b.Run(fmt.Sprintf("values=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				New(entries)
			}
		})
	}
}
