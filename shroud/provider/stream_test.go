package provider

import (
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"
)

// mask is a filter as a proxy has it: it replaces a word, also when pieces cut
// it, and holds back what may become the word.
type mask struct {
	word, with string
	held       string
	ends       error
}

func (m *mask) Write(text string) (string, error) {
	if m.word == "" {
		return text, nil
	}
	text = strings.ReplaceAll(m.held+text, m.word, m.with)
	keep := 0
	for n := 1; n < len(m.word) && n <= len(text); n++ {
		if strings.HasSuffix(text, m.word[:n]) {
			keep = n
		}
	}
	m.held = text[len(text)-keep:]
	return text[:len(text)-keep], nil
}

func (m *mask) Close() (string, error) {
	held := m.held
	m.held = ""
	return held, m.ends
}

func pass(Channel) Filter { return &mask{} }

func masking(word string) func(Channel) Filter {
	return func(Channel) Filter { return &mask{word: word, with: "[gone]"} }
}

// run reads a stream to its end.
func run(f Format, in Source, filters func(Channel) Filter) (string, *Stream, error) {
	var out strings.Builder
	s := NewStream(f, in, filters)
	for {
		b, err := s.Next()
		out.Write(b)
		if err != nil {
			return out.String(), s, err
		}
	}
}

// said puts the pieces of a stream together, as a client does.
func said(t *testing.T, c fixture, stream string) map[Channel]string {
	t.Helper()
	all := map[Channel]string{}
	_, _, err := run(c.format, c.source(strings.NewReader(stream)), func(ch Channel) Filter {
		if ch.Kind == Label || ch.Kind == Other {
			return &mask{}
		}
		return &recorder{all: all, ch: ch}
	})
	if !errors.Is(err, io.EOF) {
		t.Errorf("the stream does not end well: %v\n%s", err, stream)
	}
	return all
}

type recorder struct {
	all map[Channel]string
	ch  Channel
}

func (r *recorder) Write(text string) (string, error) { r.all[r.ch] += text; return text, nil }
func (r *recorder) Close() (string, error)            { return "", nil }

const secret = "hunter2secret"

func TestStreamsPassUnchanged(t *testing.T) {
	for name, c := range fixtures(t, "stream") {
		for way, r := range map[string]io.Reader{
			"whole": strings.NewReader(c.text), "bytes": iotest.OneByteReader(strings.NewReader(c.text)),
		} {
			out, s, err := run(c.format, c.source(r), pass)
			if out != c.text || !errors.Is(err, io.EOF) {
				t.Errorf("%s, %s: %v\n%s\nwant\n%s", name, way, err, out, c.text)
			}
			if s.Usage.Input == 0 || s.Usage.Output == 0 || s.Finish == "" {
				t.Errorf("%s: usage %+v, finish %q", name, s.Usage, s.Finish)
			}
		}
	}
}

// TestStreamsMask cuts the word at every place: whatever the pieces, it is gone,
// and what a client puts together is the same.
func TestStreamsMask(t *testing.T) {
	for name, c := range fixtures(t, "stream") {
		if strings.Count(c.text, `"MARK"`) < 2 {
			t.Errorf("%s has nothing to cut", name)
		}
		want := said(t, c, strings.ReplaceAll(c.text, "MARK", "[gone]"))
		for cut := range len(secret) {
			text := cutMarks(c.text, cut)
			out, _, err := run(c.format, c.source(strings.NewReader(text)), masking(secret))
			if !errors.Is(err, io.EOF) || strings.Contains(out, secret) {
				t.Errorf("%s, cut at %d: %v\n%s", name, cut, err, out)
			}
			if got := said(t, c, out); !maps.Equal(got, want) {
				t.Errorf("%s, cut at %d:\n%+v\nwant\n%+v", name, cut, got, want)
			}
		}
	}
}

// cutMarks puts the secret into a stream: events that are a piece of text, and
// nothing but the mark, come as two.
func cutMarks(stream string, cut int) string {
	var out strings.Builder
	between := "\n\n"
	if stream[0] == '[' {
		between = "\r\n"
	}
	for ev := range strings.SplitAfterSeq(stream, between) {
		if cut > 0 && strings.Contains(ev, `"MARK"`) {
			out.WriteString(strings.ReplaceAll(ev, "MARK", secret[:cut]))
			ev = strings.TrimPrefix(strings.ReplaceAll(ev, "MARK", secret[cut:]), "[")
		}
		out.WriteString(strings.ReplaceAll(ev, "MARK", secret))
	}
	return out.String()
}

// TestEveryStringOfAStreamIsLookedAt is TestEveryStringIsLookedAt for events.
func TestEveryStringOfAStreamIsLookedAt(t *testing.T) {
	const canary = "canary-3f9a51"
	for name, c := range fixtures(t, "stream") {
		for ev := range strings.SplitAfterSeq(c.text, "\n\n") {
			head, data, ok := strings.Cut(ev, "data: {")
			if !ok {
				continue
			}
			for at, body := range planted(t, "{"+strings.TrimSpace(data), canary) {
				seen := false
				_, _, _ = run(c.format, c.source(strings.NewReader(head+"data: "+body+"\n\n")), func(Channel) Filter {
					return &spy{word: canary, seen: &seen}
				})
				if !seen && !strings.Contains(at, "logprobs") {
					t.Errorf("%s: %s is not looked at in %s", name, at, ev)
				}
			}
		}
	}
}

type spy struct {
	word, text string
	seen       *bool
}

func (s *spy) Write(text string) (string, error) {
	s.text += text
	*s.seen = *s.seen || strings.Contains(s.text, s.word)
	return text, nil
}
func (s *spy) Close() (string, error) { return "", nil }
