package broker

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// RunChild is what the hidden subcommand does: serve the parent on file 3 until
// it closes the socket or ends. Open loads the driver, in this process only.
func RunChild(ctx context.Context, open Open) error {
	// A terminal's Ctrl-C and a service manager's stop reach this process as well.
	// The parent still needs its keys to finish what it is doing; it closes the
	// socket when it is done, and if it is killed, we are told.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	endWithParent()
	harden()
	syscall.CloseOnExec(holdFD) // what the driver starts does not hold it
	file := os.NewFile(childFD, "broker socket")
	if file == nil {
		return fmt.Errorf("broker: file %d is not open; this command is run by the daemon, not by hand", childFD)
	}
	conn, err := net.FileConn(file)
	_ = file.Close()
	if err != nil {
		return fmt.Errorf("broker: file %d is not a socket; this command is run by the daemon, not by hand: %w", childFD, err)
	}
	defer conn.Close()
	if err := checkPeer(conn); err != nil {
		return err
	}
	return Serve(ctx, conn, open)
}
