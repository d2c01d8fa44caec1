package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/intents/node/anviltest"
)

// TestMain lets the scripts run this program as oneclaw: the test binary under
// another name, where there is none beside the daemon that ONECLAW_BINARY names.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"oneclaw": main})
}

// TestScripts runs the command line as people type it, against one daemon, the built
// one. Every script has a folder, a configuration and a vault of its own, VAULT. Beside
// testscript's own, the scripts have these commands:
//
//	exits CODE command...   runs a command and checks its exit code
//	owner                   sets ONECLAW_API_KEY to the key of the owner
//	nowhere TEXT            fails if a file of the script's folder has the text in it
//	private FILE            fails if others could read it
//	keep NAME               sets a variable to what the last command printed
//	confirm FILE DECISION   approves or denies, as the owner, the sign-in whose code is in FILE
//	member NAME FILE        writes a member of the JSON that the last command printed
//	awaits FILE TEXT        waits until a file has a text in it
//	approver ID             makes an agent wait for one person's approval
func TestScripts(t *testing.T) {
	d := startDaemon(t, "--set", "intents.confirmations=1")
	t.Run("script", func(t *testing.T) { d.scripts(t, "testdata/script") })
	t.Run("chain", func(t *testing.T) {
		d.reach(t, anviltest.Start(t, anviltest.Options{}))
		d.scripts(t, "testdata/chain")
	})
}

// reach tells the daemon where a chain's node is.
func (d daemon) reach(t *testing.T, chain *anviltest.Chain) {
	owner, err := client.New(client.Options{BaseURL: d.API, Token: d.Owner.APIKey})
	if err != nil {
		t.Fatal(err)
	}
	all, err := owner.AdminListChains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Chains {
		if c.Name == "base-sepolia" {
			if _, err := owner.UpdateChain(t.Context(), c.ID, api.UpdateChainRequest{RPCURL: &chain.URL}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (d daemon) scripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			if built := os.Getenv("ONECLAW_BINARY"); built != "" {
				e.Setenv("PATH", filepath.Dir(built)+string(filepath.ListSeparator)+e.Getenv("PATH"))
			}
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			e.Setenv("ONECLAW_CREDENTIAL_STORE", "file") // nobody's own keyring
			e.Setenv("API", d.API)
			e.Setenv("ONECLAW_BASE_URL", d.API)
			e.Setenv("EMAIL", d.Owner.Email)
			e.Setenv("CHAINKEY", anviltest.Keys[0]) // the same everywhere, and worth nothing
			e.Setenv("VAULT", filepath.Base(e.WorkDir))
			return os.WriteFile(filepath.Join(e.WorkDir, ".password"), []byte(d.Owner.Password+"\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"owner":   func(ts *testscript.TestScript, _ bool, _ []string) { ts.Setenv("ONECLAW_API_KEY", d.Owner.APIKey) },
			"nowhere": nowhere,
			"private": private,
			"keep": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
			},
			"confirm": d.confirm,
			"awaits":  awaits,
			"member":  member,
			"approver": func(ts *testscript.TestScript, _ bool, args []string) {
				owner, err := client.New(client.Options{BaseURL: d.API, Token: d.Owner.APIKey})
				ts.Check(err)
				_, err = owner.UpdateAgentGuardrails(context.Background(), args[0], api.GuardrailsRequest{Approval: &api.ApprovalRule{AboveETH: "1", Approvers: 1}})
				ts.Check(err)
			},
		},
	})
}

// daemon is what `oneclawd dev --json` says of itself.
type daemon struct {
	API   string `json:"api"`
	Owner struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		APIKey   string `json:"api_key"`
	} `json:"owner"`
}

// startDaemon runs the daemon that ONECLAW_BINARY names, or builds one.
func startDaemon(t testing.TB, args ...string) daemon {
	t.Helper()
	binary := os.Getenv("ONECLAW_BINARY")
	if binary == "" {
		binary = filepath.Join(t.TempDir(), "oneclawd")
		out, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "../oneclawd").CombinedOutput()
		if err != nil {
			t.Fatalf("building oneclawd: %v\n%s", err, out)
		}
	}
	cmd := exec.Command(binary, append([]string{
		"dev", "--json", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--set", "limits.auth_rate=0",
	}, args...)...)
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "ONECLAW_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the daemon said nothing: %v", err)
	}
	var d daemon
	if err := json.Unmarshal([]byte(line), &d); err != nil {
		t.Fatal(err)
	}
	return d
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

func nowhere(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), args[0]) {
			ts.Fatalf("it is in %s", path)
		}
		return err
	}))
}

func private(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if mode := info.Mode().Perm(); mode != 0o600 {
		ts.Fatalf("%s has mode %o", args[0], mode)
	}
}

// confirm decides as people do in the browser.
func (d daemon) confirm(ts *testscript.TestScript, _ bool, args []string) {
	_, code, ok := strings.Cut(ts.ReadFile(args[0]), "compare the code:")
	if !ok {
		ts.Fatalf("no code in %s", args[0])
	}
	code, _, _ = strings.Cut(strings.TrimSpace(code), "\n")
	anybody, err := client.New(client.Options{BaseURL: d.API})
	ts.Check(err)
	// The browser is signed in with a password: a key cannot confirm a sign-in.
	in, err := anybody.Login(context.Background(), api.LoginRequest{Email: d.Owner.Email, Password: d.Owner.Password})
	ts.Check(err)
	owner := anybody.As(in.AccessToken)
	decide := owner.DeviceApprove
	if args[1] == "deny" {
		decide = owner.DeviceDeny
	}
	_, err = decide(context.Background(), api.DeviceApproveRequest{UserCode: code})
	ts.Check(err)
}

// member writes a text out of JSON.
func member(ts *testscript.TestScript, _ bool, args []string) {
	var all map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &all))
	text, ok := all[args[0]].(string)
	if !ok {
		ts.Fatalf("%s is no text in %v", args[0], all)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// awaits waits for what a command in the background writes.
func awaits(ts *testscript.TestScript, _ bool, args []string) {
	for range 400 {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	ts.Fatalf("%s never has %q in it", args[0], args[1])
}
