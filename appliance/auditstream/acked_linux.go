package auditstream

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// acknowledged waits until the other side's kernel has taken every byte that was
// written to c, the end included. It has not, and never will, if the other side
// was closed before they came.
func acknowledged(c net.Conn, until time.Time) error {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	for {
		var queued, broken int
		var failed error
		if err := raw.Control(func(fd uintptr) {
			if queued, failed = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ); failed == nil {
				broken, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
			}
		}); err != nil {
			return err
		}
		switch {
		case failed != nil:
			return failed
		case broken != 0:
			return syscall.Errno(broken)
		case queued == 0:
			return nil
		case time.Now().After(until):
			return errNoEnd
		}
		time.Sleep(time.Millisecond)
	}
}
