package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestStopUnderLoad: what is under way when the daemon is told to stop is
// answered, what is acknowledged is kept, and it ends in time with 0.
func TestStopUnderLoad(t *testing.T) {
	needSoftHSM(t)
	const drain = 5 * time.Second
	for name, stop := range map[string]func(d *daemon) error{
		"SIGTERM": func(d *daemon) error { return syscall.Kill(d.pid, syscall.SIGTERM) },
		// Ctrl-C reaches the broker too, which must stay until it is let go.
		"Ctrl-C": func(d *daemon) error { return syscall.Kill(-d.pid, syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDev(t, "--set", "api.drain_timeout="+drain.String(), "--set", "log.level=info").start()
			v := d.human().vault(t, "v")
			var told atomic.Bool
			var mu sync.Mutex
			acked, lost, after := map[string]bool{}, map[string]error{}, map[int]int{}
			var all sync.WaitGroup
			for w := range 16 {
				h := d.human() // a connection of its own
				all.Go(func() {
					for n := 0; ; n++ {
						path := fmt.Sprintf("w%d/%d", w, n)
						a := h.put(v, path, path)
						mu.Lock()
						if a.err != nil {
							lost[path] = a.err
							if !told.Load() {
								t.Errorf("before the stop: %v", a)
							}
							mu.Unlock()
							return
						}
						if a.status == 201 {
							acked[path] = true
						}
						if told.Load() {
							after[a.status]++
						}
						mu.Unlock()
						if a.status != 201 {
							if a.status != 503 || !told.Load() {
								t.Error(a)
							}
							return
						}
					}
				})
			}
			eventually(t, patience, "busy", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(acked) > 200
			})
			told.Store(true)
			begin := time.Now()
			if err := stop(d); err != nil {
				t.Fatal(err)
			}
			if code := d.wait(patience); code != 0 {
				t.Errorf("exit code %d\n%s", code, d.logTail())
			}
			all.Wait()
			if took := time.Since(begin); took > drain {
				t.Errorf("%v until the end", took)
			}
			for _, wrong := range []string{"level=ERROR", "hsm broker lost", "could not be signed"} {
				if strings.Contains(d.log(), wrong) {
					t.Errorf("the log says %q:\n%s", wrong, d.logTail())
				}
			}
			t.Logf("stopped after %v; of the answers since, by status: %v", time.Since(begin), after)
			d.start()
			h := d.human()
			for path := range acked {
				if got := h.value(t, v, path); got != path {
					t.Errorf("%s is %q", path, got)
				}
			}
			for path, err := range lost { // it met a closed door, or else it should have been answered
				if a := h.get(v, path); a.status != 404 {
					t.Errorf("a write was done and not answered: %v; %v", err, a)
				}
			}
			h.verifyAudit(t)
		})
	}
}

// TestStopWaitsForSlowRequests: a body that is still on its way when the stop
// comes is waited for, within the drain timeout, and no longer.
func TestStopWaitsForSlowRequests(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t, "--set", "api.drain_timeout=2s").start()
	v := d.human().vault(t, "v")
	body := `{"value":"slow"}`
	slow := d.halfPut(v, body)
	d.signal(syscall.SIGTERM)
	eventually(t, patience, "closed to others", func() bool {
		a := d.as("").do("GET", "/v1/health", nil)
		return a.err != nil || a.status == 503
	})
	if _, err := io.WriteString(slow, body[5:]); err != nil {
		t.Fatal(err)
	}
	_ = slow.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(slow)
	if !strings.HasPrefix(string(got), "HTTP/1.1 201") {
		t.Errorf("the slow request is answered with %q, %v", got, err)
	}
	if code := d.wait(patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
	d.start()
	if got := d.human().value(t, v, "slow"); got != "slow" {
		t.Errorf("%q", got)
	}
}

// TestStopThatCannotWait: a client that sends nothing more holds the daemon for
// the drain timeout and no longer, and the daemon says so.
func TestStopThatCannotWait(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t, "--set", "api.drain_timeout=1s").start()
	v := d.human().vault(t, "v")
	d.halfPut(v, `{"value":"slow"}`)
	begin := time.Now()
	d.signal(syscall.SIGTERM)
	code := d.wait(patience)
	if took := time.Since(begin); code != 1 || took < time.Second || took > 10*time.Second {
		t.Errorf("exit code %d after %v", code, took)
	}
	said := d.log()
	d.start()
	d.human().get(v, "slow").is(t, 404)
	d.human().verifyAudit(t)
	if !strings.Contains(said, "api.drain_timeout") {
		t.Errorf("it does not say why:\n%s", said)
	}
}

// halfPut begins a write of the secret "slow" and sends 5 bytes of its body.
func (d *daemon) halfPut(vault, body string) net.Conn {
	d.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.api, "http://"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		secretPath(vault, "slow"), d.owner.APIKey, len(body), body[:5])
	if err != nil {
		d.t.Fatal(err)
	}
	for range 3 { // others are answered meanwhile: it is inside
		d.human().do("GET", "/v1/vaults", nil).is(d.t, 200)
	}
	return conn
}
