package broker

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "broker"), os.NewFile(uintptr(fds[1]), "broker child"), nil
}

// orphaned is the signal that tells a child of its parent's end.
const orphaned = syscall.SIGUSR1

// tieToParent has the kernel tell the child when we end, even by SIGKILL. The
// child sees its socket close as well, but not while it hangs in a driver. It is
// told and not killed, because killing a driver can destroy what it writes:
// SoftHSM, for one, writes its token anew at each login, and one that is cut
// off there leaves no token.
func tieToParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: orphaned}
}

// endWithParent ends this process when it is an orphan: after a call that is
// under way, by the closed socket, or else soon.
func endWithParent() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, orphaned)
	go func() {
		<-told
		time.Sleep(mercy)
		os.Exit(1)
	}()
}

// checkPeer makes sure that the other end is the parent, run by the same user:
// whoever talks to this process can use every key.
func checkPeer(conn net.Conn) error {
	uc, ok := conn.(*net.UnixConn)
	if !ok {
		return errors.New("broker: the parent's socket is not a unix socket")
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if credErr != nil {
		return credErr
	}
	if int(cred.Uid) != os.Getuid() || int(cred.Pid) != os.Getppid() {
		return errors.New("broker: the other end of the socket is not the parent process")
	}
	return nil
}

// harden keeps the PIN and opened keys out of core dumps, debuggers and swap.
func harden() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unlimited)
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil && limit.Cur == unix.RLIM_INFINITY {
		// Only without a limit: under one, later allocations would fail. ONFAULT
		// locks pages as they are used, not the stacks and arenas set aside.
		_ = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
	}
}
