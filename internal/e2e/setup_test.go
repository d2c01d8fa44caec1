package e2e

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// TestKillDuringSetup kills the very first start, which makes a token, keys, a
// store and an owner. Starting again finishes what it had begun.
func TestKillDuringSetup(t *testing.T) {
	needSoftHSM(t)
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		d := newDev(t)
		d.spawn()
		after := time.Duration(rand.Int64N(int64(250 * time.Millisecond)))
		time.Sleep(after)
		d.kill()
		if err := d.tryStart(); err != nil {
			t.Fatalf("killed after %v, it does not start again: %v\n%s", after, err, d.logTail())
		}
		h := d.human()
		v := h.vault(t, "v")
		h.put(v, "a", "1").is(t, 201)
		d.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: d.owner.Email, Password: d.owner.Password}).is(t, 200)
		h.verifyAudit(t)
		d.kill()
		d.start()
		if got := d.human().value(t, v, "a"); got != "1" {
			t.Errorf("%q", got)
		}
		d.stop()
		if t.Failed() {
			t.Fatalf("in round %d, killed after %v", round, after)
		}
	}
}

// TestKillDuringInit does the same to `init`, with a token that somebody else
// has made. Whoever has the password can always sign in afterwards.
func TestKillDuringInit(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			token := hsmtest.SoftHSM(t)
			data := filepath.Join(t.TempDir(), "data")
			config := configured(t, data, &token)
			args := []string{"init", "--config", config, "--email", ownerEmail, "--password-file", file(t, "password", ownerPassword)}
			dir := t.TempDir()
			p := launch(t, filepath.Join(dir, "out"), filepath.Join(dir, "err"), token.Env, binary, args...)
			after := time.Duration(rand.Int64N(int64(120 * time.Millisecond)))
			time.Sleep(after)
			p.kill()
			if out, errs, code := run(t, token.Env, args...); code != 0 {
				t.Fatalf("killed after %v; init again: %d\n%s%s", after, code, out, errs)
			}
			d := newDaemon(t, data, "serve", "--config", config)
			d.env = token.Env
			d.start()
			login := into[api.LoginResponse](t, d.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: ownerEmail, Password: ownerPassword}).is(t, 200))
			h := d.as(login.AccessToken)
			h.put(h.vault(t, "v"), "a", "1").is(t, 201)
			h.verifyAudit(t)
			d.stop()
		})
	}
}
