package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// target is a daemon with one secret, which an honest client keeps reading.
type target struct {
	*daemon
	vault  string
	honest *client
}

func newTarget(t *testing.T, settings ...string) *target {
	t.Helper()
	g := &target{daemon: newLocal(t)}
	for _, s := range settings {
		g.args = append(g.args, "--set", s)
	}
	g.start()
	g.honest = g.human()
	g.honest.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	g.vault = g.honest.vault(t, "v")
	g.honest.put(g.vault, "a", "x").is(t, 201)
	return g
}

// serves expects that others are served, whatever goes on.
func (g *target) serves(t *testing.T) {
	t.Helper()
	for range 20 {
		if got := g.honest.value(t, g.vault, "a"); got != "x" {
			t.Fatalf("read %q", got)
		}
	}
}

// open opens a connection to the daemon.
func (g *target) open(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.api, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(4 * patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// say sends text and returns the answers' statuses, as far as there are any
// until the daemon closes or n have come.
func (g *target) say(t *testing.T, text string, n int) (statuses []int, conn net.Conn) {
	t.Helper()
	conn = g.open(t)
	go func() { _, _ = io.WriteString(conn, text) }() // what is left when it closes is its business
	in := bufio.NewReader(conn)
	for range n {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			break
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, res.StatusCode)
	}
	return statuses, conn
}

// TestSlowClients: who sends a byte a second holds up nobody, and is cut off
// while the request has not come to its body.
func TestSlowClients(t *testing.T) {
	const each = 100
	g := newTarget(t)
	head := "PUT " + secretPath(g.vault, "slow") + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + g.owner.APIKey + "\r\nContent-Length: 100000\r\n\r\n"
	var heads []net.Conn
	for range each {
		heads = append(heads, g.open(t))
	}
	drip := func(conn net.Conn, begin, more string) {
		_, err := io.WriteString(conn, begin)
		for err == nil {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Second):
				_, err = io.WriteString(conn, more)
			}
		}
	}
	for _, conn := range heads {
		go drip(conn, "GET /v1/health HTTP/1.1\r\nX-Slow: ", "a")
		go drip(g.open(t), head, "b")
	}
	g.serves(t)
	for _, conn := range heads {
		if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
			t.Fatal("a connection that never finishes its header is kept")
		}
	}
	g.serves(t)
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// TestIdleConnections holds as many as ten thousand open.
func TestIdleConnections(t *testing.T) {
	most, reserve := 10_000, 1000
	var limit syscall.Rlimit // Go has raised the soft one to the hard one, here and in the daemon
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if room := int(min(limit.Cur, 1<<20)) - reserve; room < most {
		t.Logf("only %d connections: the limit of open files is %d", room, limit.Cur)
		most = room
	}
	g := newTarget(t)
	before := kilobytes(g.pid, "status", "RssAnon")
	get := request("GET", "/v1/health", "", "")
	for i := range most {
		w := dial(t, g.api)
		if status, err := w.send(get); err != nil || status != 200 {
			t.Fatalf("connection %d: %d %v", i, status, err)
		}
	}
	g.serves(t)
	t.Logf("%d idle connections: %d kB of memory, %d kB before", most, kilobytes(g.pid, "status", "RssAnon"), before)
}

// TestOversizedRequests: what is too large is refused, and costs nothing that
// stays.
func TestOversizedRequests(t *testing.T) {
	const limit = 5 << 20
	g := newTarget(t)
	put := func(size int) string {
		const frame = len(`{"value":""}`)
		return string(request("PUT", secretPath(g.vault, "large"), g.owner.APIKey, `{"value":"`+strings.Repeat("v", size-frame)+`"}`))
	}
	next := string(request("GET", "/v1/health", "", ""))
	for range 20 {
		statuses, _ := g.say(t, put(limit+1)+next, 2)
		if len(statuses) == 0 || statuses[0] != 413 || len(statuses) == 2 && statuses[1] != 200 {
			t.Fatalf("a body of a byte too many, and another request: %v", statuses)
		}
	}
	g.serves(t)
	if peak := kilobytes(g.pid, "status", "VmHWM"); peak > 400<<10 {
		t.Errorf("%d kB of memory after twenty of them", peak)
	}
	long := "GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("h", 80<<10) + "\r\n\r\n"
	statuses, conn := g.say(t, long+next, 2)
	if len(statuses) > 1 || len(statuses) == 1 && statuses[0] != 431 {
		t.Errorf("a header that is too long: %v", statuses)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("its connection is kept: %v", err)
	}
	g.serves(t)
}

// TestOldAndHastyClients: HTTP/1.0, and many requests before the first answer.
func TestOldAndHastyClients(t *testing.T) {
	g := newTarget(t)
	if statuses, _ := g.say(t, "GET /v1/health HTTP/1.0\r\n\r\n", 2); fmt.Sprint(statuses) != "[200]" {
		t.Errorf("HTTP/1.0: %v", statuses)
	}
	const times = 100
	pair := string(request("GET", "/v1/health", "", "")) + string(request("GET", "/v1/nowhere", "", ""))
	statuses, _ := g.say(t, strings.Repeat(pair, times), 2*times)
	if want := strings.Repeat("200 404 ", times); fmt.Sprint(statuses) != "["+strings.TrimSpace(want)+"]" {
		t.Errorf("pipelined: %v", statuses)
	}
}

// frame is one of HTTP/2 (RFC 9113, section 4.1).
func frame(kind, flags byte, stream uint32, payload string) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	b = append(b, byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
	return append(b, payload...)
}

// TestRapidReset opens streams and gives them up at once (CVE-2023-44487), until
// it has had enough or the daemon has.
func TestRapidReset(t *testing.T) {
	const (
		headers, reset, settings = 0x1, 0x3, 0x4
		endStream, endHeaders    = 0x1, 0x4
	)
	g := newTarget(t, "tls.local_ca=true")
	conn, err := tls.Dial("tcp", strings.TrimPrefix(g.api, "https://"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "h2" {
		t.Fatalf("speaks %q", got)
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	const path = "/v1/health"
	// RFC 7541: GET, https, a path and an authority, not to be remembered.
	block := "\x82\x87\x04" + string(rune(len(path))) + path + "\x01\x01x"
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := conn.Write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(settings, 0, 0, "")...))
		for stream := uint32(1); err == nil && stream < 100_000; stream += 2 {
			_, err = conn.Write(append(frame(headers, endStream|endHeaders, stream, block), frame(reset, 0, stream, "\x00\x00\x00\x08")...))
		}
	}()
	for over := false; !over; {
		g.serves(t)
		select {
		case <-done:
			over = true
		default:
		}
	}
	g.serves(t)
	if peak := kilobytes(g.pid, "status", "VmHWM"); peak > 400<<10 {
		t.Errorf("%d kB of memory", peak)
	}
}

// storming signs in as nobody, so many at once, until over is called, which
// returns how often it was answered that nobody is known.
func storming(d *daemon, clients int) (over func() int64) {
	d.t.Helper()
	var (
		all     sync.WaitGroup
		ended   atomic.Bool
		checked atomic.Int64
	)
	now := time.Now().UnixNano() // every address once: the second time it would have to wait
	for i := range clients {
		all.Go(func() {
			for n := 0; !ended.Load(); n++ {
				switch got := d.login(fmt.Sprintf("nobody%d-%d-%d@example.org", now, i, n), "x"); got {
				case 401:
					checked.Add(1)
				case 503: // it said when to come back, and nobody here obeys
				default:
					d.t.Errorf("answered with %d", got)
					return
				}
			}
		})
	}
	return func() int64 {
		ended.Store(true)
		all.Wait()
		return checked.Load()
	}
}

// TestLoginStorm: many who sign in at once neither fill the memory nor stand in
// the way of those who read.
func TestLoginStorm(t *testing.T) {
	g := newTarget(t, "limits.auth_rate=0")
	over := storming(g.daemon, 50)
	for range 5 {
		g.serves(t)
	}
	if got := g.login(g.owner.Email, g.owner.Password); got != 200 && got != 503 {
		t.Errorf("somebody with a right password: %d", got)
	}
	over()
	peak := kilobytes(g.pid, "status", "VmHWM")
	t.Logf("%d kB of memory at most", peak)
	if peak > 400<<10 {
		t.Errorf("%d kB of memory", peak)
	}
}
