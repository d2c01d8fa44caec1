package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// The cases of TestEverySettingDoesSomething that are about keys and the log.

func settingModule(t *testing.T, l *lab) {
	token := hsmtest.SoftHSM(t)
	onToken, onFile := newServe(t, token).start(), l.with(t)
	for d, want := range map[*daemon]string{onToken: `"module":"pkcs11","is_hsm":true`, onFile: `"module":"local","is_hsm":false`} {
		if s := string(d.human().do("GET", "/v1/health/hsm", nil).is(t, 200).body); !strings.Contains(s, want) {
			t.Errorf("%s, want %s", s, want)
		}
	}
}

// keysFrom starts an appliance on a token with settings that may be wrong.
func keysFrom(t *testing.T, wrong []string, say string, right ...string) {
	t.Helper()
	d := newServe(t, hsmtest.SoftHSM(t))
	args := d.args
	for _, s := range wrong {
		d.args = append(d.args[:len(d.args):len(d.args)], "--set", s)
	}
	d.refuses(1, say)
	d.args = args
	for _, s := range right {
		d.args = append(d.args[:len(d.args):len(d.args)], "--set", s)
	}
	d.start()
	d.human().vault(t, "v")
}

func settingLibrary(t *testing.T, _ *lab) {
	keysFrom(t, []string{"hsm.library=/nowhere/libhsm.so"}, "libhsm.so is not there")
}

func settingToken(t *testing.T, _ *lab) {
	keysFrom(t, []string{"hsm.token=another"}, "another")
}

func settingURI(t *testing.T, _ *lab) {
	library := hsmtest.SoftHSM(t).Library
	uri := func(token string) string {
		return "hsm.uri=pkcs11:token=" + token + "?module-path=" + url.PathEscape(library)
	}
	keysFrom(t, []string{uri("another"), "hsm.library=", "hsm.token="}, "another", uri("oneclawd-test"), "hsm.library=", "hsm.token=")
}

func settingPINFile(t *testing.T, _ *lab) {
	keysFrom(t, []string{"hsm.pin_file=" + file(t, "pin", "111111\n")}, "refused the PIN")
}

func settingSessions(t *testing.T, _ *lab) {
	spy := firstFile("/usr/lib/x86_64-linux-gnu/pkcs11-spy.so", "/usr/lib64/pkcs11/pkcs11-spy.so")
	if spy == "" {
		t.Skip("no pkcs11-spy.so")
	}
	token := hsmtest.SoftHSM(t)
	opened := map[string]int{}
	d := newServe(t, token, "--set", "hsm.library="+spy)
	args, env := d.args, d.env
	for _, n := range []string{"2", "9"} {
		calls := filepath.Join(t.TempDir(), "calls")
		d.args = append(args[:len(args):len(args)], "--set", "hsm.sessions="+n)
		d.env = append(env[:len(env):len(env)], "PKCS11SPY="+token.Library, "PKCS11SPY_OUTPUT="+calls)
		d.start()
		text, err := os.ReadFile(calls)
		if err != nil {
			t.Fatal(err)
		}
		opened[n] = strings.Count(string(text), "C_OpenSession") - strings.Count(string(text), "C_CloseSession")
		d.stop()
	}
	if opened["9"]-opened["2"] != 7 {
		t.Errorf("sessions opened, for each hsm.sessions: %v", opened)
	}
}

func settingPassphrase(t *testing.T, _ *lab) {
	data := filepath.Join(t.TempDir(), "data")
	config, right := configured(t, data, nil), "hsm.passphrase_file="+file(t, "right", "an open sesame of some length\n")
	_, errs, code := run(t, nil, "init", "--config", config, "--email", ownerEmail, "--set", right)
	if code != 0 {
		t.Fatal(errs)
	}
	serve := func(settings ...string) *daemon {
		d := newDaemon(t, data, "serve", "--config", config)
		for _, s := range settings {
			d.args = append(d.args, "--set", s)
		}
		return d
	}
	serve().refuses(1, "passphrase")
	serve("hsm.passphrase_file="+file(t, "wrong", "another one of some length\n")).refuses(1, "passphrase")
	serve(right).start().stop()
	d := serve()
	d.env = []string{"ONECLAW_HSM_PASSPHRASE=an open sesame of some length"}
	d.start()
}

// anchored reports whether a checkpoint is signed, and so remembered by the
// keys, within a while that is long for the one value and short for the other.
func anchored(t *testing.T, d *daemon) bool {
	t.Helper()
	began := time.Now()
	for range 12 {
		d.human().do("GET", "/v1/vaults/00000000-0000-4000-8000-000000000000", nil)
	}
	for time.Since(began) < 3*time.Second {
		if changedSince(filepath.Join(d.data, "keys"), began) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// The first checkpoint after a start is due at once, so the cases wait for it.
func settled(t *testing.T, d *daemon) bool {
	t.Helper()
	anchored(t, d)
	return anchored(t, d)
}

func settingCheckpointEvents(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) bool { return settled(t, d) },
		"audit.checkpoint_events", [2]string{"5", "10000"}, [2]bool{true, false}, "audit.checkpoint_interval=1h")
}

func settingCheckpointInterval(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) bool { return settled(t, d) },
		"audit.checkpoint_interval", [2]string{"200ms", "1h"}, [2]bool{true, false})
}

func settingRetention(t *testing.T, _ *lab) {
	const none = 1 << 40 // no event is left
	kept := func(retention string) (first uint64, valid bool) {
		d := newLocal(t, "--set", "audit.retention="+retention).start()
		h := d.human()
		h.vault(t, "v")
		for made := time.Now(); time.Since(made) < 3*time.Second; time.Sleep(50 * time.Millisecond) {
			events := h.events(t, "limit=1000")
			if first = none; len(events) > 0 {
				first = events[len(events)-1].Index
			}
			if first > 3 {
				break
			}
		}
		return first, into[api.AuditVerifyResponse](t, h.do("GET", "/v1/audit/verify", nil).is(t, 200)).ChainValid
	}
	if first, valid := kept("1s"); first <= 3 || !valid {
		t.Errorf("kept for a second: the oldest event is number %d, the log is valid: %v", first, valid)
	}
	if first, valid := kept("0s"); first > 3 || !valid {
		t.Errorf("kept for ever: the oldest event is number %d, the log is valid: %v", first, valid)
	}
}
