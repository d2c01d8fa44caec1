package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire is one keep-alive connection that sends ready-made bytes and takes answers
// apart no further than it must: status, length, body. The benchmarks share the
// machine's cores with the daemon, so a client with all of net/http would halve
// the figures.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte // of the last answer
}

func dial(t testing.TB, address string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, 8<<10)}
}

// request is a request as it goes over the line.
func request(method, path, bearer, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path)
	if bearer != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", bearer)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// marked has a number of ten digits, another for each i, at each mark of a request.
func marked(request []byte, mark string) func(i int) []byte {
	request = bytes.ReplaceAll(request, []byte(mark), bytes.Repeat([]byte("#"), digits))
	return func(i int) []byte {
		number := fmt.Appendf(nil, "%0*d", digits, i)
		return bytes.ReplaceAll(request, places, number)
	}
}

const digits = 10

var places = bytes.Repeat([]byte("#"), digits)

var (
	lengthField  = []byte("content-length: ")
	chunkedField = []byte("transfer-encoding: chunked")
)

// send sends a request, reads all of its answer, and returns the status.
func (w *wire) send(request []byte) (status int, err error) {
	if _, err := w.conn.Write(request); err != nil {
		return 0, err
	}
	length, chunked := -1, false
	for first := true; ; first = false {
		line, err := w.line()
		switch {
		case err != nil:
			return 0, err
		case first && len(line) < 12:
			return 0, fmt.Errorf("%q is no status line", line)
		case first:
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
		case len(line) == 0:
			return status, w.rest(length, chunked)
		case bytes.EqualFold(line, chunkedField):
			chunked = true
		case len(line) > len(lengthField) && bytes.EqualFold(line[:len(lengthField)], lengthField):
			if length, err = strconv.Atoi(string(line[len(lengthField):])); err != nil {
				return 0, err
			}
		}
	}
}

// line is the next line, without its end.
func (w *wire) line() ([]byte, error) {
	line, err := w.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// rest reads the body.
func (w *wire) rest(length int, chunked bool) error {
	w.body = w.body[:0]
	if !chunked {
		if length < 0 {
			return errors.New("an answer of unknown length")
		}
		return w.take(length)
	}
	for {
		line, err := w.line()
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return err
		}
		if err := w.take(int(n)); err != nil {
			return err
		}
		if _, err := w.line(); err != nil || n == 0 {
			return err
		}
	}
}

// take reads n bytes of the body.
func (w *wire) take(n int) error {
	had := len(w.body)
	w.body = slices.Grow(w.body, n)[:had+n]
	_, err := io.ReadFull(w.in, w.body[had:])
	return err
}

// volley is requests to a server, and what has to come back.
type volley struct {
	address string
	status  int
	request func(i int) []byte
	check   func(body []byte) error // of the first answer and a sample of the others; nil: of none
}

const sample = 64 // one in so many answers is checked

// always is the same request each time.
func always(request []byte) func(int) []byte { return func(int) []byte { return request } }

// load sends n requests over so many connections, looks at the status of every
// answer, and returns how many were answered a second.
func (f volley) load(t testing.TB, connections, n int) float64 {
	t.Helper()
	wires := []*wire{}
	for range connections {
		wires = append(wires, dial(t, f.address))
	}
	begin := time.Now()
	var all sync.WaitGroup
	for c, w := range wires {
		all.Go(func() {
			for i := c; i < n; i += connections {
				got, err := w.send(f.request(i))
				if err == nil && got == f.status && f.check != nil && i%sample == 0 {
					err = f.check(w.body)
				}
				if err != nil || got != f.status {
					t.Errorf("status %d, %v", got, err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(begin).Seconds()
}

// TestWire: a generator that misread answers would measure nothing.
func TestWire(t *testing.T) {
	for _, c := range []struct {
		answer string
		status int
		body   string // "": the answer is an error
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
		{"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nX: y\r\n\r\nno", 403, "no"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 200, "hello world"},
		{"HTTP/1.1 200 OK\r\n\r\nhello", 200, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", 200, ""},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", 200, ""},
		{"HTTP/1.1\r\n\r\n", 0, ""},
	} {
		client, server := net.Pipe()
		go func() {
			_, _ = server.Read(make([]byte, 1024))
			_, _ = server.Write([]byte(c.answer))
			_ = server.Close()
		}()
		w := &wire{conn: client, in: bufio.NewReader(client)}
		status, err := w.send(request("GET", "/", "", ""))
		if c.body == "" && err == nil || c.body != "" && (err != nil || string(w.body) != c.body || status != c.status) {
			t.Errorf("%q: status %d, body %q, %v", c.answer, status, w.body, err)
		}
		_ = client.Close()
	}
	if got := string(marked([]byte("a=@&b=@"), "@")(42)); got != "a=0000000042&b=0000000042" {
		t.Error(got)
	}
}
