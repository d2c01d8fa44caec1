// Command oneclawd keeps secrets for AI agents on one machine: the daemon and
// the commands that its operator needs. `oneclawd --help` is the manual.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// version is set by the build.
var version = "dev"

func main() { os.Exit(run()) }

// run is main with an exit code: 0 done, 1 failed, 2 wrong usage or
// configuration.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newRoot().ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "oneclawd:", message(err))
	if fault.KindOf(err) == fault.Invalid {
		return 2
	}
	return 1
}

// message is an error for people: without the codes that programs read.
func message(err error) string {
	if f, ok := err.(*fault.Error); ok { //nolint:errorlint // only an error that is nothing but a fault
		if f.Err != nil {
			return f.Msg + " (" + message(f.Err) + ")"
		}
		return f.Msg
	}
	return err.Error()
}
