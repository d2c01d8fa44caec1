package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// login signs in with a password and returns the status; 0 if there is none.
func (d *daemon) login(email, password string) int {
	d.t.Helper()
	a := d.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: email, Password: password})
	if a.err != nil {
		d.t.Error(a)
	}
	return a.status
}

// settingArgonMemory looks at the most that the daemon ever had in memory. The
// owner's password keeps working whatever it was hashed with.
func settingArgonMemory(t *testing.T, l *lab) {
	signIn := func(memory string) (peak int) {
		d := l.with(t, "passwords.argon2_memory_kib="+memory, "limits.auth_rate=0")
		defer d.kill()
		if got := d.login("nobody@example.org", "x"); got != 401 {
			t.Errorf("nobody: %d", got)
		}
		for range 2 { // of the cost before, and of this one
			if got := d.login(d.owner.Email, d.owner.Password); got != 200 {
				t.Errorf("the owner: %d", got)
			}
		}
		return kilobytes(d.pid, "status", "VmHWM")
	}
	small, large := signIn("8192"), signIn("262144")
	t.Logf("most memory, in kB: %d and %d", small, large)
	if large < 262144 || large-small < 131072 {
		t.Errorf("it makes no difference in kB: %d and %d", small, large)
	}
	signIn("19456")
}

// processorTime is what a process has used of the processors, in ticks of 10 ms.
func processorTime(t testing.TB, pid int) (ticks int) {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	for _, field := range strings.Fields(rest)[11:13] { // utime and stime, proc(5)
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return ticks
}

func settingArgonTime(t *testing.T, l *lab) {
	used := func(passes string) int {
		d := l.with(t, "passwords.argon2_time="+passes, "limits.auth_rate=0")
		defer d.kill()
		before := processorTime(t, d.pid)
		if got := d.login("nobody@example.org", "x"); got != 401 {
			t.Errorf("nobody: %d", got)
		}
		return processorTime(t, d.pid) - before
	}
	few, many := used("1"), used("64")
	t.Logf("ticks: %d and %d", few, many)
	if many < 3*few || many < 20 {
		t.Errorf("it makes no difference in ticks: %d and %d", few, many)
	}
}

// storm sends sign-ins of nobody's at once and counts how many were told to
// come back; whole is whether all are to be answered.
func storm(d *daemon, logins int, whole bool) (refused int) {
	d.t.Helper()
	ctx, enough := context.WithCancel(d.t.Context())
	defer enough()
	var (
		all  sync.WaitGroup
		busy atomic.Int64
	)
	c := d.as("")
	now := strconv.FormatInt(time.Now().UnixNano(), 10) // every address once: the second time it would have to wait
	for i := range logins {
		all.Go(func() {
			body, _ := json.Marshal(api.LoginRequest{Email: "nobody" + now + "-" + strconv.Itoa(i) + "@example.org", Password: "x"})
			req, err := http.NewRequestWithContext(ctx, "POST", c.base+"/v1/auth/token", strings.NewReader(string(body)))
			if err != nil {
				d.t.Error(err)
				return
			}
			res, err := c.http.Do(req)
			if err != nil {
				if ctx.Err() == nil {
					d.t.Error(err)
				}
				return
			}
			defer res.Body.Close()
			if res.StatusCode != 503 {
				return
			}
			busy.Add(1)
			if wait, err := strconv.Atoi(res.Header.Get("Retry-After")); err != nil || wait < 1 {
				d.t.Errorf("Retry-After: %q", res.Header.Get("Retry-After"))
			}
			if !whole {
				enough()
			}
		})
	}
	all.Wait()
	return int(busy.Load())
}

// settingHashes shows how many may be checked or wait: 57 for each at
// once. Sign-ins of different accounts come at most 64 at a time.
func settingHashes(t *testing.T, l *lab) {
	for value, refuses := range map[string]bool{"1": true, "8": false} {
		d := l.with(t, "passwords.concurrency="+value, "passwords.argon2_memory_kib=8192", "passwords.argon2_time=1", "limits.auth_rate=0")
		if got := storm(d, 250, !refuses); (got > 0) != refuses {
			t.Errorf("with %s at once %d of 250 were refused", value, got)
		}
		d.kill()
	}
}
