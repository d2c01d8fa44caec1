package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

// TestMain lets the scripts run this program as oneclawd: the test binary under
// another name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"oneclawd": main})
}

// TestScripts runs the command line as people type it. Beside testscript's own,
// the scripts have these commands:
//
//	exits CODE command...   runs a command and checks its exit code
//	await URL               waits until a daemon answers there
//	owner DIR               sets ONECLAW_API_KEY to the key of a dev daemon's owner
//	apikey FILE             sets ONECLAW_API_KEY to the one that init printed
//	token DIR               makes a SoftHSM token in DIR, whose PIN is 648219
//	post PATH BODY          posts JSON to the daemon as the owner
//	messageid FILE          sets MESSAGE to the id of the first message in a list
//	find-softhsm            sets LIBRARY to SoftHSM's, or skips the script
func TestScripts(t *testing.T) {
	image, err := filepath.Abs("../../appliance/attest/launch/testdata/image.bin")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			port := porttest.Port(t)
			e.Setenv("ONECLAW_ATTEST_MODE", "none")
			e.Setenv("ADDRESS", "127.0.0.1:"+port)
			e.Setenv("IMAGE", image)
			e.Setenv("API", "http://127.0.0.1:"+port)
			e.Setenv("SAFE", "https://127.0.0.1:"+port)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "await": await, "owner": ownerKey, "apikey": printedKey, "token": softToken, "post": posting, "messageid": messageID,
			"find-softhsm": findSoftHSM,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	anybody := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		res, err := anybody.Get(args[0] + "/v1/health/hsm")
		if err != nil {
			continue
		}
		var state struct{ Status string }
		err = json.NewDecoder(res.Body).Decode(&state)
		_ = res.Body.Close()
		if err == nil && state.Status == "ok" {
			return
		}
	}
	ts.Fatalf("no daemon answers at %s", args[0])
}

func ownerKey(ts *testscript.TestScript, _ bool, args []string) {
	var owner struct {
		APIKey string `json:"api_key"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(args[0], "dev-owner.json"))), &owner))
	ts.Setenv("ONECLAW_API_KEY", owner.APIKey)
}

func posting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: post PATH BODY")
	}
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("API")+args[0], strings.NewReader(args[1]))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("ONECLAW_API_KEY"))
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	_ = res.Body.Close()
	if res.StatusCode/100 != 2 {
		ts.Fatalf("%s: %s", args[0], res.Status)
	}
}

func messageID(ts *testscript.TestScript, _ bool, args []string) {
	var list api.OutboxListResponse
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &list))
	if len(list.Messages) == 0 {
		ts.Fatalf("no message in %s", args[0])
	}
	ts.Setenv("MESSAGE", list.Messages[0].ID)
}

func printedKey(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if key, ok := strings.CutPrefix(line, "API key:"); ok {
			ts.Setenv("ONECLAW_API_KEY", strings.TrimSpace(key))
			return
		}
	}
	ts.Fatalf("no key in %s", args[0])
}

// softHSM is where distributions put SoftHSM.
var softHSM = []string{
	"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib64/libsofthsm2.so",
}

func findSoftHSM(ts *testscript.TestScript, _ bool, _ []string) {
	_, err := exec.LookPath("softhsm2-util")
	at := slices.IndexFunc(softHSM, func(file string) bool { _, err := os.Stat(file); return err == nil })
	if err == nil && at >= 0 {
		ts.Setenv("LIBRARY", softHSM[at])
		return
	}
	if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "softhsm") {
		ts.Fatalf("ONECLAW_REQUIRE has softhsm, but SoftHSM is not installed")
	}
	ts.Setenv("LIBRARY", "")
}

func softToken(ts *testscript.TestScript, _ bool, args []string) {
	if ts.Getenv("LIBRARY") == "" {
		ts.Fatalf("find-softhsm has found none")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Join(dir, "tokens"), 0o700))
	conf := filepath.Join(dir, "softhsm2.conf")
	text := fmt.Sprintf("directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", dir)
	ts.Check(os.WriteFile(conf, []byte(text), 0o600))
	ts.Check(os.WriteFile(filepath.Join(dir, "pin"), []byte("648219\n"), 0o600))
	ts.Setenv("SOFTHSM2_CONF", conf)
	ts.Check(ts.Exec("softhsm2-util", "--init-token", "--free", "--label", "scripted", "--pin", "648219", "--so-pin", "10029384"))
}
