package hsmtest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Remote is a token behind p11-kit's remoting, a stand-in for a network HSM and,
// since that forwards neither AES-GCM nor AES key wrapping, for a token that
// can only do RSA.
type Remote struct {
	Token
	backing Token
	socket  string
	server  *exec.Cmd
}

var p11KitLibraries = []string{
	"/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so", "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
	"/usr/lib64/pkcs11/p11-kit-client.so",
}

// P11Kit serves a new SoftHSM token through p11-kit. It sets
// P11_KIT_SERVER_ADDRESS. Without p11-kit the test is skipped, or fails if
// ONECLAW_REQUIRE lists p11-kit.
func P11Kit(t testing.TB) *Remote {
	t.Helper()
	library, ok := first(p11KitLibraries)
	if !ok {
		require(t, "p11-kit", "p11-kit-client.so is not installed")
	}
	if _, err := exec.LookPath("p11-kit"); err != nil {
		require(t, "p11-kit", "p11-kit is not installed")
	}
	r := &Remote{backing: SoftHSM(t)}
	// Not t.TempDir: the path of a unix socket is limited to about 100 bytes.
	dir, err := os.MkdirTemp("", "p11kit")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r.socket = filepath.Join(dir, "socket")
	address := "unix:path=" + r.socket
	t.Setenv("P11_KIT_SERVER_ADDRESS", address)
	r.Token = r.backing
	r.Library = library
	r.Env = append(r.Env[:len(r.Env):len(r.Env)], "P11_KIT_SERVER_ADDRESS="+address)
	r.Start(t)
	t.Cleanup(func() { r.Kill() })
	return r
}

// Start starts the server and waits until it listens.
func (r *Remote) Start(t testing.TB) {
	t.Helper()
	_ = os.Remove(r.socket)
	r.server = exec.Command("p11-kit", "server", "--foreground", "--name", r.socket, "--provider", r.backing.Library,
		"pkcs11:token="+r.backing.Label)
	r.server.Env = append(os.Environ(), r.backing.Env...)
	// A group of its own, so that Kill reaches the process per connection as well.
	r.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.server.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		// The socket's file is there a moment before anybody listens.
		if conn, err := net.Dial("unix", r.socket); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatal("p11-kit server does not listen")
}

// Kill kills the server at once: the HSM is pulled out.
func (r *Remote) Kill() {
	if r.server == nil {
		return
	}
	_ = syscall.Kill(-r.server.Process.Pid, syscall.SIGKILL)
	_ = r.server.Wait()
	r.server = nil
}
