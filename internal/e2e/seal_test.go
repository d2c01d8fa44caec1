package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

// operate runs an operator's command on the daemon's machine, with a line on
// its standard input.
func (d *daemon) operate(input, command string, args ...string) (out string, ok bool) {
	d.t.Helper()
	cmd := exec.Command(binary, append([]string{command, "--data", d.data}, args...)...)
	cmd.Env = append(os.Environ(), d.env...)
	cmd.Stdin = strings.NewReader(input)
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

// operates expects an operator's command to succeed and to say something.
func (d *daemon) operates(input, want, command string, args ...string) {
	d.t.Helper()
	if out, ok := d.operate(input, command, args...); !ok || !strings.Contains(out, want) {
		d.t.Fatalf("oneclawd %s: %s", command, out)
	}
}

// memory is all that the process can write to, which is where secrets are.
func memory(t *testing.T, pid int, look func(part []byte)) (size int) {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Skip(err) // only root may look into other processes
	}
	defer maps.Close()
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skip(err)
	}
	defer mem.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to int64
		var rights string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); n != 3 || !strings.HasPrefix(rights, "rw") {
			continue
		}
		for ; from < to; from += 4 << 20 {
			part := make([]byte, min(4<<20, to-from))
			n, err := mem.ReadAt(part, from)
			if err != nil && err != io.EOF && n == 0 {
				continue // guard pages and the like
			}
			size += n
			look(part[:n])
		}
	}
	return size
}

// TestSeal: a sealed daemon has nothing, whatever is done with it, until an
// operator opens the keys again.
func TestSeal(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t).start()
	pin, err := os.ReadFile(filepath.Join(d.data, "softhsm", "pin"))
	if err != nil {
		t.Fatal(err)
	}
	h := d.human()
	v := h.vault(t, "v")
	agent, key := h.agent(t, "reader")
	h.policy(v, agent, "**", "read").is(t, 201)
	token := h.token(t, key)
	secret := canary{"value", "sealed-canary-5e1f0c7d"}
	h.put(v, "a", secret.text).is(t, 201)
	for range 20 {
		if got := d.as(token).value(t, v, "a"); got != secret.text {
			t.Fatal(got)
		}
	}
	d.operates("", "unsealed", "status")
	remembers := func() (found bool) {
		size := memory(t, d.pid, func(part []byte) { found = found || secret.in(part) != nil })
		t.Logf("%d MB of memory", size>>20)
		return found
	}
	if !remembers() {
		t.Error("the search does not find a value that was read a moment ago")
	}

	d.operates("", "sealed; ", "seal")
	d.operates("", "sealed", "status")
	if remembers() {
		t.Error("the value is still in memory")
	}
	for _, a := range []answer{
		h.do("GET", "/v1/vaults", nil), d.as(token).get(v, "a"), h.put(v, "b", "x"), d.as("").exchange(key), h.do("GET", "/nowhere", nil),
	} {
		if p := a.problem(t, 503); p.Code != "sealed" || a.header.Get("Retry-After") == "" {
			t.Errorf("%v", a)
		}
	}
	for path, want := range map[string]string{
		"/livez": `"sealed"`, "/v1/health": `"degraded"`, "/v1/health/hsm": `"unavailable"`,
	} {
		if body := string(h.do("GET", path, nil).is(t, 200).body); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
	h.do("GET", "/readyz", nil).is(t, 503)
	if out, ok := d.operate("", "seal"); ok || !strings.Contains(out, "sealed already") {
		t.Errorf("sealing twice: %s", out)
	}

	if out, ok := d.operate("111111\n", "unseal"); ok || !strings.Contains(out, "refused the PIN") {
		t.Errorf("with a wrong PIN: %s", out)
	}
	h.do("GET", "/readyz", nil).is(t, 503)
	d.operates(string(pin), "unsealed", "unseal")
	h.do("GET", "/readyz", nil).is(t, 200)
	if got := d.as(token).value(t, v, "a"); got != secret.text {
		t.Error(got)
	}
	if out, ok := d.operate("", "unseal"); ok || !strings.Contains(out, "not sealed") {
		t.Errorf("unsealing twice: %s", out)
	}
	log := string(h.do("GET", "/v1/audit/export", nil).is(t, 200).body)
	for _, action := range []string{"appliance.seal", "appliance.unseal"} {
		by := regexp.MustCompile(`.*"` + action + `".*"uid":` + fmt.Sprint(os.Geteuid()) + `\D.*`)
		if n := len(by.FindAllString(log, -1)); n != 1 {
			t.Errorf("the audit log has %s %d times", action, n)
		}
	}
	h.verifyAudit(t)
}

// TestSealUnderLoad: what was acknowledged before is there afterwards, and
// sealing does not wait for slow requests.
func TestSealUnderLoad(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t).start()
	h := d.human()
	v := h.vault(t, "v")
	slow, err := net.Dial("tcp", strings.TrimPrefix(d.api, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{", secretPath(v, "slow"), d.owner.APIKey)
	acked := make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			if a := h.put(v, fmt.Sprintf("s/%d", n), "x"); a.err != nil || a.status != 201 {
				break
			}
		}
		acked <- n
	}()
	eventually(t, patience, "a write acknowledged", func() bool { return h.get(v, "s/3").status == 200 })
	d.operates("", "sealed; ", "seal")
	n := <-acked
	d.operates("", "unsealed", "unseal") // with the PIN that the configuration names
	if n < 4 {
		t.Fatalf("only %d writes were acknowledged", n)
	}
	for i := range n {
		h.get(v, fmt.Sprintf("s/%d", i)).is(t, 200)
	}
	h.verifyAudit(t)
}

// TestStartSealed: without a PIN, or told to wait, the daemon starts sealed; a
// kill in that state harms nothing.
func TestStartSealed(t *testing.T) {
	token := hsmtest.SoftHSM(t)
	d := newServe(t, token).start()
	v := d.human().vault(t, "v")
	d.human().put(v, "a", "kept").is(t, 201)
	d.stop()
	args := d.args
	for _, more := range [][]string{{"--set", "hsm.pin_file="}, {"--set", "hsm.unseal=manual"}, {"--sealed"}} {
		address := porttest.Address(t)
		d.args = append(args[:len(args):len(args)], append(more, "--listen", address)...)
		d.spawn()
		d.api = "http://" + address
		h := d.human()
		eventually(t, patience, "sealed", func() bool { return h.do("GET", "/livez", nil).status == 200 })
		h.get(v, "a").problem(t, 503)
		d.kill()
		d.spawn()
		d.api = "http://" + address
		eventually(t, patience, "sealed again", func() bool { return h.do("GET", "/livez", nil).status == 200 })
		d.operates(string(token.PIN.Reveal()), "unsealed", "unseal")
		if got := h.value(t, v, "a"); got != "kept" {
			t.Error(got)
		}
		h.do("GET", "/v1/health", nil).is(t, 200)
		d.stop()
	}
	d.args = append(args[:len(args):len(args)], "--set", "hsm.pin_file=", "--listen", porttest.Address(t))
	d.spawn()
	eventually(t, patience, "on its socket", func() bool { _, ok := d.operate("", "status"); return ok })
	if out, ok := d.operate("", "unseal"); ok || !strings.Contains(out, "hsm.pin_file") {
		t.Errorf("without any PIN: %s", out)
	}
	d.stop()
}

// TestOperatorSocket: only root and the daemon's user may operate it, whatever
// the socket's mode, and a second daemon does not take it away.
func TestOperatorSocket(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	dir, err := os.MkdirTemp("", "operator")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	d := newLocal(t, "--set", "operator.socket="+socket).start()
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	if answer := askAs(t, 65534, socket); answer != "" {
		t.Errorf("nobody was told: %s", answer)
	}
	if answer := askAs(t, 0, socket); !strings.Contains(answer, `"unsealed"`) {
		t.Errorf("root was told: %s", answer)
	}
	if !strings.Contains(d.log(), "uid=65534") {
		t.Error("the log does not say who tried")
	}
	other := newLocal(t, "--set", "operator.socket="+socket)
	other.refuses(1, "another oneclawd", socket)
	d.kill() // which leaves the socket behind
	other.start()
	if answer := askAs(t, 0, socket); !strings.Contains(answer, fmt.Sprintf(`"pid":%d`, other.pid)) {
		t.Errorf("root was told: %s", answer)
	}
}

// askAs asks for the status as a user and returns what was answered.
func askAs(t *testing.T, uid uint32, socket string) string {
	t.Helper()
	cmd := exec.Command("/usr/bin/perl", "-MIO::Socket::UNIX", "-e",
		`my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit; print $s "GET /status HTTP/1.0\r\n\r\n"; print while <$s>;`, socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if err != nil && len(bytes.TrimSpace(out)) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func settingOperatorSocket(t *testing.T, l *lab) {
	for _, socket := range []string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), strings.Repeat("deep/", 25), "b")} {
		if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
			t.Fatal(err)
		}
		d := l.with(t, "operator.socket="+socket)
		d.operates("", "unsealed", "status", "--set", "operator.socket="+socket)
		if out, _ := d.operate("", "seal"); !strings.Contains(out, "no daemon answers") {
			t.Errorf("at the other place: %s", out)
		}
		d.kill()
	}
}

func settingUnseal(t *testing.T, l *lab) {
	d := l.with(t) // auto
	d.stop()
	address := porttest.Address(t)
	d.args = append(d.args, "--set", "hsm.unseal=manual", "--listen", address)
	d.spawn()
	d.api = "http://" + address
	h := d.human()
	eventually(t, patience, "sealed", func() bool { return h.do("GET", "/livez", nil).status == 200 })
	h.do("GET", "/v1/vaults", nil).problem(t, 503)
	d.operates("", "unsealed", "unseal")
	_ = into[api.VaultListResponse](t, h.do("GET", "/v1/vaults", nil).is(t, 200))
}
