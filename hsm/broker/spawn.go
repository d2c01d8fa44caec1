package broker

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// childFD is the socket in the child: the first file after standard error.
const childFD = 3

// holdFD is Config.Hold in the child, if there is one.
const holdFD = 4

// childConn is the socket to a child, and the child.
type childConn struct {
	net.Conn
	child *os.Process
	gone  chan struct{} // closed when the child was reaped
}

// mercy is how long a child may take to log out of its token.
const mercy = 2 * time.Second

// Close closes the socket and kills the child at once: it may hang in its
// driver, and the next one needs its sessions.
func (c *childConn) Close() error {
	_ = c.child.Kill()
	return c.Conn.Close()
}

// finish asks the child to end, by closing our direction, and waits for that.
func (c *childConn) finish() {
	if half, ok := c.Conn.(*net.UnixConn); ok {
		_ = half.CloseWrite()
	}
	c.wait(mercy)
}

// wait waits until the child is gone, but not longer than patience.
func (c *childConn) wait(patience time.Duration) {
	select {
	case <-c.gone:
	case <-time.After(patience):
	}
}

// spawn runs a child with one end of a socket pair as its file 3.
func spawn(cfg Config) (*childConn, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	defer ours.Close() // FileConn has a duplicate
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(cfg.Executable, cfg.Args...)
	cmd.Env = append(withoutSecrets(os.Environ()), cfg.Env...)
	cmd.ExtraFiles = []*os.File{theirs}
	if cfg.Hold != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, cfg.Hold)
	}
	relay := &lineLog{log: cfg.Log}
	cmd.Stdout, cmd.Stderr = relay, relay
	cmd.WaitDelay = time.Second // what the driver started may hold the pipe open
	tieToParent(cmd)

	c := &childConn{Conn: conn, gone: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer close(c.gone)
		// The kernel kills the child when the thread that made it ends, not the
		// process; so this goroutine keeps its thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		c.child = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// maxLine bounds a relayed line; drivers can be talkative.
const maxLine = 400

// lineLog relays what the child and its driver print, by line.
type lineLog struct {
	log  *slog.Logger
	rest []byte
}

var _ io.Writer = (*lineLog)(nil)

// Write implements io.Writer. os/exec calls it from one goroutine only, since
// both streams are the same writer.
func (l *lineLog) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok && len(line) < maxLine {
			return len(p), nil
		}
		if len(line) > maxLine {
			line = line[:maxLine]
		}
		if len(bytes.TrimSpace(line)) > 0 {
			l.log.Warn("hsm broker says", "line", string(line))
		}
		l.rest = rest
	}
}

// withoutSecrets leaves out the PIN and the passphrase, which may have come to
// this process in its environment: the child gets its PIN over the socket.
func withoutSecrets(env []string) []string {
	return slices.DeleteFunc(env, func(s string) bool {
		return strings.HasPrefix(s, "ONECLAW_HSM_PIN=") || strings.HasPrefix(s, "ONECLAW_HSM_PASSPHRASE=")
	})
}
