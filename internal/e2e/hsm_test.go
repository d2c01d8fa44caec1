package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// promised is how soon the loss of the HSM must be seen and its return be used:
// a second, and more on a machine that runs other tests beside.
const promised = 5 * time.Second

// traffic reads and writes until stop, and holds the daemon to its word: a
// value that is read is the one that was written, a refusal is a 503.
type traffic struct {
	t     *testing.T
	vault string
	stop  atomic.Bool
	all   sync.WaitGroup

	ok, refused atomic.Int64
	mu          sync.Mutex
	written     map[string]string // acknowledged
	wrong       []string
}

func newTraffic(t *testing.T, d *daemon) *traffic {
	h := d.human()
	f := &traffic{t: t, vault: h.vault(t, "traffic"), written: map[string]string{}}
	h.put(f.vault, "fixed", "the value").is(t, 201)
	for range 2 {
		f.all.Go(func() {
			for !f.stop.Load() {
				a := h.get(f.vault, "fixed")
				if f.judge(a, 200) && !strings.Contains(string(a.body), `"the value"`) {
					f.blame(a)
				}
			}
		})
	}
	f.all.Go(func() {
		for n := 0; !f.stop.Load(); n++ {
			path := "written/" + string(rune('a'+n%26)) + time.Now().Format("150405000000000")
			if f.judge(h.put(f.vault, path, path), 201) {
				f.mu.Lock()
				f.written[path] = path
				f.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() { f.stop.Store(true); f.all.Wait() })
	return f
}

func (f *traffic) judge(a answer, ok int) bool {
	switch {
	case f.stop.Load():
		return a.err == nil && a.status == ok
	case a.err == nil && a.status == ok:
		f.ok.Add(1)
		return true
	case a.err == nil && a.status == 503 && a.header.Get("Content-Type") == "application/problem+json":
		f.refused.Add(1)
		time.Sleep(2 * time.Millisecond)
	default:
		f.blame(a)
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

func (f *traffic) blame(a answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, a.String())
}

// end stops the traffic and looks for every acknowledged write.
func (f *traffic) end(d *daemon) {
	f.t.Helper()
	f.stop.Store(true)
	f.all.Wait()
	h := d.human()
	for path, value := range f.written {
		if got := h.value(f.t, f.vault, path); got != value {
			f.t.Errorf("%s is %q", path, got)
		}
	}
	if len(f.wrong) > 0 {
		f.t.Errorf("%d calls were answered neither well nor with a 503: %s", len(f.wrong), f.wrong[0])
	}
	f.t.Logf("%d calls were answered, %d refused, %d writes kept", f.ok.Load(), f.refused.Load(), len(f.written))
	if f.ok.Load() == 0 || len(f.written) == 0 {
		f.t.Error("there was no traffic")
	}
	h.verifyAudit(f.t)
}

// healthIs is a poll for what /v1/health/hsm says.
func (d *daemon) healthIs(status string) func() bool {
	h := d.human()
	return func() bool { return h.health() == status }
}

// awaitHealth waits for a status and complains if that takes longer than
// promised.
func (d *daemon) awaitHealth(status string) {
	d.t.Helper()
	took := eventually(d.t, patience, status, d.healthIs(status))
	d.t.Logf("health says %s after %v", status, took.Round(time.Millisecond))
	if took > promised {
		d.t.Errorf("%v until health says %s, promised within %v", took, status, promised)
	}
}

// outage takes the HSM away under traffic and gives it back.
func outage(t *testing.T, d *daemon, take, give func()) {
	f := newTraffic(t, d)
	pid := d.pid
	h := d.human()
	eventually(t, patience, "ok", d.healthIs("ok"))
	for range 2 {
		take()
		d.awaitHealth("unavailable")
		h.get(f.vault, "fixed").problem(t, 503)
		h.put(f.vault, "fixed", "the value").problem(t, 503)
		if s := string(h.do("GET", "/v1/health", nil).is(t, 200).body); !strings.Contains(s, `"degraded"`) {
			t.Errorf("/v1/health says %s", s)
		}
		give()
		d.awaitHealth("ok")
		begin := time.Now()
		took := eventually(t, patience, "readable", func() bool { return h.get(f.vault, "fixed").status == 200 })
		if took > promised {
			t.Errorf("reads work only %v after health", time.Since(begin))
		}
	}
	f.end(d)
	if !d.proc.running() || d.pid != pid {
		t.Error("the daemon was restarted")
	}
	d.restart()
	if got := d.human().value(t, f.vault, "fixed"); got != "the value" {
		t.Errorf("after a restart: %q", got)
	}
}

// TestTokenGone renames the token's folder away and back.
func TestTokenGone(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t).start()
	found, err := filepath.Glob(filepath.Join(d.data, "softhsm", "tokens-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("token folders: %v, %v", found, err)
	}
	tokens := found[0]
	move := func(from, to string) func() {
		return func() {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	outage(t, d, move(tokens, tokens+".away"), move(tokens+".away", tokens))
}

// TestHSMPulledOut kills the server in front of a token that can do RSA only.
func TestHSMPulledOut(t *testing.T) {
	remote := hsmtest.P11Kit(t)
	d := newServe(t, remote.Token).start()
	if !strings.Contains(d.log(), "wrapping=RSA") {
		t.Errorf("keys are not wrapped by RSA:\n%s", d.logTail())
	}
	outage(t, d, remote.Kill, func() { remote.Start(t) })
}

// TestBrokerKilled: a driver that crashes takes nothing with it.
func TestBrokerKilled(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t).start()
	f := newTraffic(t, d)
	eventually(t, patience, "busy", func() bool { return f.ok.Load() > 50 })
	h := d.human()
	for range 5 {
		before := d.broker()
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		took := eventually(t, patience, "readable with a new broker", func() bool {
			now := children(t, d.pid)
			return len(now) == 1 && now[0] != before && h.get(f.vault, "fixed").status == 200
		})
		t.Logf("a new broker serves after %v", took.Round(time.Millisecond))
		if took > promised {
			t.Errorf("%v without a broker", took)
		}
	}
	f.end(d)
}

// TestWrongPIN: the message is clear, the exit code says failure, and the PIN
// was tried once: tokens lock after a few wrong ones.
func TestWrongPIN(t *testing.T) {
	token := hsmtest.SoftHSM(t)
	spied := filepath.Join(t.TempDir(), "calls")
	d := newServe(t, token, "--set", "hsm.pin_file="+file(t, "pin", "000000\n"))
	if spy := firstFile("/usr/lib/x86_64-linux-gnu/pkcs11-spy.so", "/usr/lib64/pkcs11/pkcs11-spy.so"); spy != "" {
		d.args = append(d.args, "--set", "hsm.library="+spy)
		d.env = append(d.env, "PKCS11SPY="+token.Library, "PKCS11SPY_OUTPUT="+spied)
	}
	d.refuses(1, "refused the PIN")
	if calls, err := os.ReadFile(spied); err == nil {
		if n := strings.Count(string(calls), "C_Login"); n != 1 {
			t.Errorf("C_Login was called %d times", n)
		}
	} else {
		t.Log("no pkcs11-spy.so: whether the PIN was tried once is not known")
	}
}

// TestNoToken starts the daemon on tokens that cannot be used.
func TestNoToken(t *testing.T) {
	token := hsmtest.SoftHSM(t)
	for name, tt := range map[string]struct {
		set  []string
		code int
		want []string
	}{
		"missing library": {[]string{"hsm.library=/nowhere/lib.so"}, 1, []string{"lib.so", "is not there"}},
		"not a library":   {[]string{"hsm.library=/etc/passwd"}, 1, []string{"passwd", "cannot be loaded as a PKCS#11 library"}},
		"no such token":   {[]string{"hsm.token=elsewhere"}, 1, []string{"elsewhere"}},
		"PIN readable":    {[]string{"hsm.pin_file=" + readable(t, file(t, "pin", "648219\n"))}, 1, []string{"chmod 600"}},
		"no PIN file":     {[]string{"hsm.pin_file=/nowhere/pin"}, 1, []string{"hsm.pin_file", "/nowhere/pin"}},
	} {
		t.Run(name, func(t *testing.T) {
			var args []string
			for _, s := range tt.set {
				args = append(args, "--set", s)
			}
			newServe(t, token, args...).refuses(tt.code, tt.want...)
		})
	}
}

// TestOtherToken: the data of one appliance is not served with the keys of
// another.
func TestOtherToken(t *testing.T) {
	token := hsmtest.SoftHSM(t)
	d := newServe(t, token).start()
	d.stop()
	other := hsmtest.SoftHSM(t)
	e := &daemon{t: t, data: d.data, args: d.args, home: t.TempDir(), env: other.Env}
	e.refuses(1, "HSM")
	e.env = token.Env
	e.start()
}

// TestBesideADaemon: the doctor may look at the token of a running daemon; a
// second daemon may not have its data.
func TestBesideADaemon(t *testing.T) {
	token := hsmtest.SoftHSM(t)
	a := newServe(t, token).start()
	out, errs, code := run(t, token.Env, append([]string{"hsm", "doctor"}, tokenArgs(t, token)...)...)
	if code != 0 {
		t.Errorf("the doctor beside a daemon: %d\n%s%s", code, out, errs)
	}
	b := &daemon{t: t, data: a.data, args: a.args, home: t.TempDir(), env: token.Env}
	b.refuses(1, "another oneclawd", "is using this data")
	a.human().vault(t, "still served")
}

func firstFile(files ...string) string {
	for _, f := range files {
		if _, err := os.Stat(f); err == nil {
			return f
		}
	}
	return ""
}
