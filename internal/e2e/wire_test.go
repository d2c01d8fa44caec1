package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire is one keep-alive connection that sends ready-made bytes and reads no
// more of an answer than it must. The benchmarks share the machine's cores with
// the daemon, so a client with all of net/http would halve the figures.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(t testing.TB, address string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{conn, bufio.NewReaderSize(conn, 8<<10)}
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

var lengthField = []byte("content-length: ")

// send sends a request and returns the status of its answer.
func (w *wire) send(request []byte) (status int, err error) {
	if _, err := w.conn.Write(request); err != nil {
		return 0, err
	}
	length := -1
	for first := true; ; first = false {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
		case len(line) == 0:
			if length < 0 {
				return status, fmt.Errorf("an answer of unknown length, status %d", status)
			}
			_, err = w.in.Discard(length)
			return status, err
		case len(line) > len(lengthField) && bytes.EqualFold(line[:len(lengthField)], lengthField):
			if length, err = strconv.Atoi(string(line[len(lengthField):])); err != nil {
				return 0, err
			}
		}
	}
}

// load sends n requests over so many connections, each as make says, expects
// the status, and returns how many were answered a second.
func load(t testing.TB, address string, connections, n, status int, make func(i int) []byte) float64 {
	t.Helper()
	wires := []*wire{}
	for range connections {
		wires = append(wires, dial(t, address))
	}
	begin := time.Now()
	var all sync.WaitGroup
	for c, w := range wires {
		all.Go(func() {
			for i := c; i < n; i += connections {
				if got, err := w.send(make(i)); err != nil || got != status {
					t.Errorf("status %d, %v", got, err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(begin).Seconds()
}
