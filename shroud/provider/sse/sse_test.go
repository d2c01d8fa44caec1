package sse

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// all reads a stream to its end.
func all(t testing.TB, r io.Reader) (raw string, events []string, err error) {
	t.Helper()
	in := NewReader(r, 1<<12)
	for {
		ev, err := in.Next()
		raw += string(ev.Raw)
		if ev.Data != nil || ev.Name != nil {
			events = append(events, fmt.Sprintf("%s|%s", ev.Name, ev.Data))
		}
		if err != nil {
			return raw, events, err
		}
	}
}

var streams = map[string]struct {
	text string
	want []string
	end  error
}{
	"plain":         {"data: a\n\ndata: b\n\n", []string{"|a", "|b"}, io.EOF},
	"crlf":          {"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", []string{"x|a", "|b"}, io.EOF},
	"cr":            {"data: a\r\rdata: b\r\r", []string{"|a", "|b"}, io.EOF},
	"mixed":         {"data: a\r\n\ndata: b\n\r\n", []string{"|a", "|b"}, io.EOF},
	"several lines": {"data: a\ndata:b\ndata:  c\n\n", []string{"|a\nb\n c"}, io.EOF},
	"comments":      {": ping\n\n:x\ndata: a\nid: 7\n\n", []string{"|a"}, io.EOF},
	"byte order":    {"\ufeffdata: a\n\n", []string{"|a"}, io.EOF},
	"empty lines":   {"\n\n\ndata: a\n\n\n\n", []string{"|a"}, io.EOF},
	"no colon":      {"data\n\n", []string{"|"}, io.EOF},
	"cut":           {"data: a\n\ndata: b\n", []string{"|a", "|b"}, ErrCut},
	"cut in a line": {"data: a\n\ndat", []string{"|a"}, ErrCut},
	"nothing":       {"", nil, io.EOF},
}

func TestReader(t *testing.T) {
	for name, c := range streams {
		for way, r := range map[string]io.Reader{
			"whole":    strings.NewReader(c.text),
			"bytes":    iotest.OneByteReader(strings.NewReader(c.text)),
			"data+EOF": iotest.DataErrReader(strings.NewReader(c.text)),
		} {
			raw, events, err := all(t, r)
			if raw != c.text {
				t.Errorf("%s, %s: bytes %q, want %q", name, way, raw, c.text)
			}
			if fmt.Sprint(events) != fmt.Sprint(c.want) || !errors.Is(err, c.end) {
				t.Errorf("%s, %s: %q, %v; want %q, %v", name, way, events, err, c.want, c.end)
			}
		}
	}
}

func TestReaderBounds(t *testing.T) {
	_, _, err := all(t, strings.NewReader("data: "+strings.Repeat("x", 1<<15)))
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	in := NewReader(io.LimitReader(endless{}, 1<<20), 1<<12)
	for {
		if _, err := in.Next(); err != nil {
			break
		}
		if cap(in.buf) > 1<<16 {
			t.Fatalf("the buffer has grown to %d", cap(in.buf))
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat("data: words\n\n", len(p)/13+1)), nil
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	_, events, err := all(t, io.MultiReader(strings.NewReader("data: a\n\n"), iotest.ErrReader(broken)))
	if len(events) != 1 || !errors.Is(err, broken) {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestWithData(t *testing.T) {
	for _, c := range []struct{ raw, data, want string }{
		{"data: a\n\n", "b", "data: b\n\n"},
		{"event: x\r\nid: 1\r\ndata:a\r\ndata:c\r\n\r\n", "b", "event: x\r\nid: 1\r\ndata: b\r\n\r\n"},
		{": hello\ndata: a\nretry: 3\n\n", "b\nc", ": hello\ndata: b\ndata: c\nretry: 3\n\n"},
		{"data: a", "b", "data: b\n"},
	} {
		ev, _ := NewReader(strings.NewReader(c.raw), 0).Next()
		if got := string(ev.WithData(nil, []byte(c.data))); got != c.want {
			t.Errorf("%q: got %q, want %q", c.raw, got, c.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, c := range streams {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, events, err := all(t, strings.NewReader(text))
		slow, again, err2 := all(t, iotest.OneByteReader(strings.NewReader(text)))
		if !errors.Is(err, ErrTooLarge) && raw != text {
			t.Errorf("bytes %q became %q", text, raw)
		}
		if len(text) < 1<<12 && (fmt.Sprint(events) != fmt.Sprint(again) || raw != slow || !errors.Is(err2, err)) {
			t.Errorf("%q: %q, %v at once, %q, %v by bytes", text, events, err, again, err2)
		}
	})
}

// What is ready does not wait for more.
func TestReady(t *testing.T) {
	for text, want := range map[string]bool{
		"data: a\n\n": false, "data: a\n\ndata: b": false, "data: a\n\ndata: b\n\n": true, "data: a\r\n\r\ndata: b\r\n\r\n": true,
		"data: a\n\ndata: b\n": false, "data: a\n\n\n": false, "data: a\n\n: comment\n\n": true, "data: a\n\n\n\n": true,
	} {
		in, out := io.Pipe() // which never ends
		go func() { _, _ = out.Write([]byte(text)) }()
		r := NewReader(in, 0)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		got := r.Ready()
		if got != want {
			t.Errorf("%q: %v", text, got)
		}
		if got {
			if _, err := r.Next(); err != nil { // hangs if it lied
				t.Errorf("%q: %v", text, err)
			}
		}
		_ = in.Close()
	}
}
