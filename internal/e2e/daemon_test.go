package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait that has no tighter bound of its own. It is not a
// promise: machines that test are busy.
const patience = 30 * time.Second

// daemon is one data folder and the process that serves it, started again and
// again. It speaks as the owner.
type daemon struct {
	t    testing.TB
	data string
	args []string // after the program's name
	env  []string // on top of this process's

	api    string // base URL of the last start
	shroud string // likewise, of `dev`
	mcp    string // likewise
	owner  owner
	pid    int

	home    string // where the logs are
	proc    *process
	started int
}

// owner is what `dev` says of who may do everything.
type owner struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	APIKey   string `json:"api_key"`
}

// process is a started program. Its output goes to files, so that nothing of
// ours stands between it and its end.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr string
	ended          chan struct{}
	state          *os.ProcessState // once ended is closed
}

// launch starts program in a process group of its own, as a shell does.
func launch(t testing.TB, stdout, stderr string, env []string, program string, args ...string) *process {
	t.Helper()
	out, err := os.Create(stdout)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	errs, err := os.OpenFile(stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	p := &process{cmd: exec.Command(program, args...), stdout: stdout, stderr: stderr, ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, errs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		p.state = p.cmd.ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the process at once and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// newDev is a development daemon in a folder of its own, not yet started.
func newDev(t testing.TB, args ...string) *daemon {
	t.Helper()
	return newDevIn(t, filepath.Join(t.TempDir(), "data"), args...)
}

func newDevIn(t testing.TB, data string, args ...string) *daemon {
	t.Helper()
	args = append([]string{"dev", "--data", data, "--listen", "127.0.0.1:0", "--json"}, args...)
	return newDaemon(t, data, args...)
}

func newDaemon(t testing.TB, data string, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, data: data, args: args, home: t.TempDir()}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the daemon's log:\n%s", d.logTail())
		}
	})
	return d
}

func (d *daemon) stderr() string { return filepath.Join(d.home, "stderr") }

// log is all that the daemon has logged, in all its starts.
func (d *daemon) log() string {
	text, _ := os.ReadFile(d.stderr())
	return string(text)
}

func (d *daemon) logTail() string {
	text := d.log()
	return text[max(0, len(text)-4000):]
}

// spawn starts the process without waiting for it.
func (d *daemon) spawn() {
	d.t.Helper()
	d.started++
	d.api = ""
	d.proc = launch(d.t, filepath.Join(d.home, fmt.Sprintf("stdout-%d", d.started)), d.stderr(), d.env, binary, d.args...)
	d.pid = d.proc.cmd.Process.Pid
}

// start starts the daemon and waits until it answers.
func (d *daemon) start() *daemon {
	d.t.Helper()
	if err := d.tryStart(); err != nil {
		d.t.Fatalf("%v\n%s", err, d.logTail())
	}
	return d
}

var errEnded = errors.New("the daemon ended instead of starting")

func (d *daemon) tryStart() error {
	d.t.Helper()
	before := len(d.log())
	d.spawn()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if d.ready(before) {
			return nil
		}
		if !d.proc.running() {
			return errEnded
		}
	}
	return errors.New("the daemon does not get ready")
}

var listening = regexp.MustCompile(`(?m)(?:msg=listening api=|"msg":"listening","api":")(https?://[^\s"]+)"?,?"? ?"?shroud"?[=:]"?([^\s"]*)"?,?"? ?"?mcp"?[=:]"?([^\s"]*)`)

// ready looks for the line by which `dev --json` and `serve` say where they
// listen.
func (d *daemon) ready(logBefore int) bool {
	if d.args[0] == "serve" {
		if m := listening.FindStringSubmatch(d.log()[logBefore:]); m != nil {
			d.api, d.shroud, d.mcp = m[1], m[2], m[3]
		}
		return d.api != ""
	}
	text, err := os.ReadFile(d.proc.stdout)
	if err != nil || !bytes.HasSuffix(text, []byte("}\n")) {
		return false
	}
	var line struct {
		API    string `json:"api"`
		Shroud string `json:"shroud"`
		MCP    string `json:"mcp"`
		Owner  owner  `json:"owner"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		d.t.Fatalf("dev --json printed %q: %v", text, err)
	}
	d.api, d.shroud, d.mcp, d.owner = line.API, line.Shroud, line.MCP, line.Owner
	return true
}

// kill is kill -9.
func (d *daemon) kill() { d.proc.kill() }

// signal sends a signal to the daemon alone.
func (d *daemon) signal(s syscall.Signal) {
	d.t.Helper()
	if err := syscall.Kill(d.pid, s); err != nil {
		d.t.Fatal(err)
	}
}

// wait waits for the process to end by itself and returns its exit code.
func (d *daemon) wait(within time.Duration) int {
	d.t.Helper()
	return d.proc.wait(d.t, within)
}

func (p *process) wait(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.state.ExitCode()
	case <-time.After(within):
		t.Fatalf("%s still runs after %v", p.cmd, within)
		return -1
	}
}

// stop ends the daemon in order.
func (d *daemon) stop() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	if code := d.wait(patience); code != 0 {
		d.t.Fatalf("exit code %d after SIGTERM\n%s", code, d.logTail())
	}
}

func (d *daemon) restart() {
	d.t.Helper()
	d.stop()
	d.start()
}

// refuses starts the daemon and expects it to end by itself with code, saying
// all of want and nothing that only a programmer could read.
func (d *daemon) refuses(code int, want ...string) string {
	d.t.Helper()
	before := len(d.log())
	if err := d.tryStart(); !errors.Is(err, errEnded) {
		d.kill()
		d.t.Fatalf("it should not start: %v", err)
	}
	said := d.log()[before:]
	if got := d.wait(patience); got != code {
		d.t.Errorf("exit code %d, want %d", got, code)
	}
	for _, text := range want {
		if !strings.Contains(said, text) {
			d.t.Errorf("it does not say %q:\n%s", text, said)
		}
	}
	for _, text := range []string{"panic", "goroutine ", "runtime error", "SIG"} {
		if strings.Contains(said, text) {
			d.t.Errorf("it ends with a %q:\n%s", text, said)
		}
	}
	return said
}

// run runs a command of the binary to its end.
func run(t testing.TB, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	dir := t.TempDir()
	p := launch(t, filepath.Join(dir, "out"), filepath.Join(dir, "err"), env, binary, args...)
	code = p.wait(t, patience)
	out, _ := os.ReadFile(p.stdout)
	errs, _ := os.ReadFile(p.stderr)
	return string(out), string(errs), code
}

// eventually polls until ok or the time is over, and returns how long it took.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for time.Since(begin) < within {
		if ok() {
			return time.Since(begin)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("after %v: still not %s", within, what)
	return 0
}
