package redact_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// inPieces runs text through a stream, cut after the given lengths in turn.
func inPieces(m *redact.Matcher, text string, lengths ...int) (out string, hits []redact.Hit) {
	s := m.Stream()
	var b []byte
	for i := 0; len(text) > 0; i++ {
		n := min(max(1, lengths[i%len(lengths)]), len(text))
		b = s.Append(b, []byte(text[:n]))
		hits = append(hits, s.Hits()...)
		text = text[n:]
	}
	b = s.Flush(b)
	return string(b), append(hits, s.Hits()...)
}

// A value is found wherever it is cut.
func TestStreamCutAnywhere(t *testing.T) {
	m := manifest("a", "correct-horse", "b", "horse-battery", "c", "correct-horse-battery-staple", "d", "hunter22")
	text := "x correct-horse-battery y correct-horse-battery-staple hunter22hunter22, correct-hors"
	want, wantHits := m.Redact(text)
	for first := range len(text) {
		for second := range len(text) - first {
			got, hits := inPieces(m, text, first, second, len(text))
			if got != want || !slices.Equal(hits, wantHits) {
				t.Fatalf("cut after %d and %d bytes: %q %v, want %q %v", first, second, got, hits, want, wantHits)
			}
		}
	}
	if got, _ := inPieces(m, text, 1); got != want {
		t.Errorf("byte by byte: %q", got)
	}
}

// Ordinary text is not kept waiting, the beginning of a value is.
func TestStreamHoldsBackLittle(t *testing.T) {
	m := manifest("a", "correct-horse-battery-staple")
	s := m.Stream()
	for _, step := range []struct{ piece, out string }{
		{"All of this, up to here.", "All of this, up to here."},
		{" It is: correct-horse-batt", " It is: "},
		{"le. It is: correct-horse-batt", "correct-horse-battle. It is: "},
		{"ery-staple", ""}, // another may follow, and go into the same mark
		{"!", "[REDACTED:a]!"},
		{"corre", ""},
	} {
		if got := string(s.Append(nil, []byte(step.piece))); got != step.out {
			t.Errorf("after %q: %q, want %q", step.piece, got, step.out)
		}
	}
	if s.Held() != 5 {
		t.Errorf("%d bytes are held back", s.Held())
	}
	if got := string(s.Flush(nil)); got != "corre" || s.Held() != 0 {
		t.Errorf("flushed %q", got)
	}
	if got := string(s.Flush(s.Append(nil, []byte("ct-horse-battery-staple")))); got != "ct-horse-battery-staple" {
		t.Errorf("a text after a flush begins anew: %q", got)
	}
}

// A value in however many forms and of any length makes a stream wait for one
// piece of it at most.
func TestStreamNeverHoldsMuch(t *testing.T) {
	v := strings.Repeat("0123456789abcdef", 256)
	m := manifest("v", v)
	s := m.Stream()
	most := 0
	for i := range len(v) {
		s.Append(nil, []byte(v[i:i+1]))
		most = max(most, s.Held())
	}
	if most >= 1024 {
		t.Errorf("held back %d bytes", most)
	}
}

// Manifests are swapped while streams and whole texts are redacted: nobody waits, and
// each sees one manifest or the other.
func TestSwapWhileReading(t *testing.T) {
	var h redact.Holder
	make1 := func(i int) *redact.Matcher { return manifest(fmt.Sprint("v", i%2), "correct-horse-battery") }
	h.Swap(make1(0))
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, _ := inPieces(h.Matcher(), "x correct-horse-battery y", 7)
				if got != "x [REDACTED:v0] y" && got != "x [REDACTED:v1] y" {
					t.Errorf("got %q", got)
					return
				}
			}
		})
	}
	for i := range 200 {
		h.Swap(make1(i))
	}
	close(stop)
	readers.Wait()
}

// FuzzStream: any chunking gives what the whole gives.
func FuzzStream(f *testing.F) {
	f.Add("correct-horse", "horse-battery", "x correct-horse-battery y", uint8(3), uint8(5))
	f.Add("aaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", uint8(1), uint8(9))
	f.Add("\x00\xff\x00\xff\x00\xff\x00\xff", "ab\nabababab{", "00ff00ff00ff00ff AP8A/wD/AP8=", uint8(2), uint8(2))
	f.Fuzz(func(t *testing.T, a, b, text string, first, second uint8) {
		m := redact.New([]redact.Entry{{Path: "a", Value: plain.FromString(a)}, {Path: "b", Value: plain.FromString(b)}})
		want, wantHits := m.Redact(text)
		got, hits := inPieces(m, text, int(first), int(second))
		if got != want || !slices.Equal(hits, wantHits) {
			t.Fatalf("in pieces %q %v, whole %q %v", got, hits, want, wantHits)
		}
		for _, v := range []string{strings.TrimSpace(a), strings.TrimSpace(b)} {
			if len(v) >= redact.Shortest && strings.Contains(text, v) && want == text {
				t.Fatalf("%q is left", v)
			}
		}
	})
}
