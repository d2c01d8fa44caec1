package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// TestBallast fills the disk to the last byte. Changes are refused at once, reads go
// on as long as the ballast has room for their records and are refused then; the
// audit log has the outage. With space again all goes on, without a restart.
func TestBallast(t *testing.T) {
	disk := tmpfs(t, "96m")
	needSoftHSM(t)
	d := newDevIn(t, filepath.Join(disk, "data"), "--set", "store.ballast_mb=2", "--set", "audit.checkpoint_interval=300ms").start()
	h := d.human()
	v := h.vault(t, "v")
	secret := &written{vault: v, path: "a/secret"}
	for range 10 {
		secret.write(t, h)
	}
	ready := func(status int, want string) {
		t.Helper()
		if a := h.do("GET", "/readyz", nil).is(t, status); want != "" && !strings.Contains(string(a.body), want) || want == "" && strings.Contains(string(a.body), "storage") {
			t.Errorf("/readyz: %v", a)
		}
	}
	ready(200, "")
	read := uint64(0)
	for round := range 2 {
		free := fill(t, disk)
		eventually(t, patience, "refused", func() bool { return secret.write(t, h).status == 507 })
		h.get(v, secret.path).is(t, 200) // the first of those the ballast is for
		ready(200, `"storage":"read-only"`)
		d.operates("", "the disk is full", "status")
		if got := into[api.HealthResponse](t, h.do("GET", "/v1/health", nil).is(t, 200)).Status; got != api.Degraded {
			t.Errorf("health: %s", got)
		}
		n := 1
		for range 100 {
			if a := secret.write(t, h); a.status != 507 {
				t.Fatalf("a change on a full disk: %v", a)
			}
			if h.get(v, secret.path).status == 200 {
				n++
			}
		}
		if n != 101 {
			t.Errorf("of 101 reads %d went on", n)
		}
		eventually(t, patience, "told of", func() bool { return len(d.outages("full")) == round+1 })
		// Reads use the ballast up, and are refused rather than answered unrecorded.
		eventually(t, 2*patience, "used up", func() bool {
			a := h.get(v, secret.path)
			if a.status == 200 {
				n++
			}
			return a.status == 507
		})
		ready(503, `"storage":"full"`)
		t.Logf("%d reads on a full disk", n)
		read += uint64(n)
		if !d.proc.running() {
			t.Fatalf("the daemon ended:\n%s", d.logTail())
		}
		free()
		if round == 0 { // by itself, without anybody asking for anything
			eventually(t, patience, "ready again", func() bool { return !strings.Contains(string(h.do("GET", "/readyz", nil).body), "storage") })
		}
		eventually(t, patience, "writable again", func() bool { return secret.write(t, h).status == 201 })
		ready(200, "")
		eventually(t, patience, "told of its end", func() bool { return len(d.outages("recovered")) == round+1 })
		secret.check(t, h)
		h.verifyAudit(t)
	}
	d.restart()
	secret.check(t, d.human())
	if got := d.human().verifyAudit(t).EventsVerified; got < read {
		t.Errorf("%d reads were answered on full disks and only %d events are in the log", read, got)
	}
}

// outages are the events of one kind.
func (d *daemon) outages(kind string) (found []string) {
	d.t.Helper()
	a := d.human().do("GET", "/v1/audit/export", nil)
	for _, line := range lines(string(a.body)) {
		if strings.Contains(line, `"appliance.storage_`+kind+`"`) {
			found = append(found, line)
		}
	}
	return found
}

func settingBallast(t *testing.T, l *lab) {
	for _, mb := range []int64{1, 3, 0} {
		d := l.with(t, fmt.Sprint("store.ballast_mb=", mb))
		info, err := os.Stat(filepath.Join(d.data, "ballast"))
		if mb > 0 && (err != nil || info.Size() != mb<<20) || mb == 0 && !os.IsNotExist(err) {
			t.Errorf("%d MB: %v, %v", mb, info, err)
		}
		d.kill()
	}
	l.refusesSet(t, "store.ballast_mb", "store.ballast_mb=-1")
}
