package operator

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// ErrInUse: another daemon answers on the socket.
var ErrInUse = fault.New(fault.Unavailable, "operator_socket_in_use", "another daemon answers on the operator's socket")

// Peer is who is at the other end, as the kernel says.
type Peer struct {
	UID uint32
	PID int32
}

// Listen makes the socket at path, mode 0600, and accepts the superuser and
// this process's own user. A socket that a crash left behind is replaced.
func Listen(path string, log *slog.Logger) (net.Listener, error) {
	if err := clearStale(path); err != nil {
		return nil, err
	}
	short, done, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("the operator's socket %s: %w; operator.socket names another place", path, err)
	}
	l.SetUnlinkOnClose(false) // by its short name it may be another's by then
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &listener{UnixListener: l, path: path, log: log}, nil
}

// clearStale removes the socket of a process that is gone.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and not a socket; operator.socket names another place", path)
	}
	if c, err := dial(path); err == nil {
		_ = c.Close()
		return ErrInUse.Detail("another oneclawd is using this data: it answers on %s", path)
	}
	return os.Remove(path)
}

func dial(path string) (net.Conn, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return net.DialTimeout("unix", short, 5*time.Second)
}

// maxName is the longest name of a socket that all systems take.
const maxName = 100

// shorten returns another name of path that the kernel takes, since sun_path
// holds about a hundred bytes and folders of data may be deep. It is good
// until done is called.
func shorten(path string) (short string, done func(), err error) {
	if len(path) <= maxName {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), func() { _ = dir.Close() }, nil
}

// listener accepts peers that may operate the daemon and hangs up on others.
type listener struct {
	*net.UnixListener
	path string
	log  *slog.Logger
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(c)
		if err == nil && (peer.UID == 0 || int(peer.UID) == os.Geteuid()) {
			return &conn{UnixConn: c, peer: peer}, nil
		}
		l.log.Warn("somebody who may not operate this daemon tried its socket", "uid", peer.UID, "pid", peer.PID, "err", err)
		_ = c.Close()
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	return errors.Join(l.UnixListener.Close(), ignoreGone(os.Remove(l.path)))
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

type conn struct {
	*net.UnixConn
	peer Peer
}
