// Command oneclawd keeps secrets for AI agents on one machine: the daemon and
// the commands that its operator needs. `oneclawd --help` is the manual.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// version is set by the build.
var version = "dev"

func main() { os.Exit(run()) }

// run is main with an exit code: 0 done, 1 failed, 2 wrong usage or
// configuration.
func run() int {
	// What is written is for this user alone: Badger, for one, makes its files for
	// everybody to read. What is for others has its mode set.
	unix.Umask(0o077)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := false // a command was understood and ran
	root := newRoot()
	watch(root, &began)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "oneclawd:", message(err))
	if !began || fault.KindOf(err) == fault.Invalid {
		return 2
	}
	return 1
}

// watch makes every command below c say that it began: an error before that is
// one of usage.
func watch(c *cobra.Command, began *bool) {
	if do := c.RunE; do != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			*began = true
			return do(cmd, args)
		}
	}
	for _, sub := range c.Commands() {
		watch(sub, began)
	}
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
