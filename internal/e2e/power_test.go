package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/cutfs"
	"github.com/oneclaw/oneclawd/internal/cutfs/cutfstest"
)

// TestPowerCut is TestKill with the power instead of the process: what the
// daemon wrote and did not sync is forgotten. The token is elsewhere, as an HSM
// is.
func TestPowerCut(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	rounds = number(t, "ONECLAW_CUTS", rounds)
	disk, token := cutfstest.New(t), hsmtest.SoftHSM(t)
	d := newDevIn(t, filepath.Join(disk.Dir, "data"), append(tokenArgs(t, token),
		"--set", "audit.checkpoint_events=20",
		"--set", "operator.socket="+filepath.Join(t.TempDir(), "operator.sock"))...)
	d.env = token.Env
	power := disk.Mount(nil)
	k := newKillTest(t, d.start(), func() {
		// Without power nothing runs either: it must not answer that the disk failed.
		d.freeze()
		power.Cut()
		d.kill()
		disk.Unmount()
		power = disk.Mount(nil)
	})
	if acked, _ := k.run(rounds); acked == 0 {
		t.Error("nothing was acknowledged")
	}
}

// TestPowerCutDuringInit cuts the power at each sync of `init` on the local
// module, whose keys are on the disk too. Running it again finishes it, and
// whoever has the password can sign in.
func TestPowerCutDuringInit(t *testing.T) {
	last, step := 24, 1
	if testing.Short() {
		step = 6
	}
	for n := 1; n <= last; n += step {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			disk := cutfstest.New(t)
			data := filepath.Join(disk.Dir, "data")
			config := configured(t, data, nil)
			args := []string{"init", "--config", config, "--email", ownerEmail, "--password-file", file(t, "password", ownerPassword)}
			verdict := []cutfs.Verdict{cutfs.CutBefore, cutfs.CutAfter}[n%2]
			syncs := 0
			power := disk.Mount(func(cutfs.Sync) cutfs.Verdict {
				if syncs++; syncs == (n+1)/2 {
					return verdict
				}
				return cutfs.Done
			})
			dir := t.TempDir()
			p := launch(t, filepath.Join(dir, "out"), filepath.Join(dir, "err"), nil, binary, args...)
			select {
			case <-power.Down():
			case <-p.ended: // with fewer syncs than that
				power.Cut()
			}
			p.kill()
			disk.Unmount()
			disk.Mount(nil)
			if out, errs, code := run(t, nil, args...); code != 0 {
				t.Fatalf("init again: %d\n%s%s", code, out, errs)
			}
			d := newDaemon(t, data, "serve", "--config", config, "--set", "operator.socket="+filepath.Join(t.TempDir(), "operator.sock"))
			d.start()
			login := into[api.LoginResponse](t, d.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: ownerEmail, Password: ownerPassword}).is(t, 200))
			h := d.as(login.AccessToken)
			h.put(h.vault(t, "v"), "a", "1").is(t, 201)
			h.verifyAudit(t)
			d.stop()
		})
	}
}
