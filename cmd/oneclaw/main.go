// Command oneclaw is the command line of people and agents who use a oneclawd:
// sign in, keep secrets, run programs with them, look after agents. It is a client
// of the HTTP API and gets no more than any other program would; `oneclaw --help` is
// the manual. What runs an appliance is oneclawd.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "dev"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := false // a command was understood and ran
	root := newRoot()
	watch(root, &began)
	err := root.ExecuteContext(ctx)
	var left exited
	switch {
	case err == nil:
		return codeDone
	case errors.As(err, &left):
		return int(left)
	case ctx.Err() != nil:
		return codeInterrupted
	}
	fmt.Fprintln(os.Stderr, "oneclaw:", message(err))
	if !began {
		return codeUsage
	}
	return exitCode(err)
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
