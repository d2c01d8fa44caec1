//go:build unix

package main

import (
	"os"
	"syscall"

	"golang.org/x/term"
)

// forwarded are the signals that a program that is run is to have.
var forwarded = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH}

// fromTerminal reports whether a signal came from the keyboard, which sends it to
// every process in the foreground.
func fromTerminal(s os.Signal) bool {
	return (s == syscall.SIGINT || s == syscall.SIGQUIT || s == syscall.SIGWINCH) && term.IsTerminal(0)
}

// codeOf is a program's exit code, as shells say it where a signal ended it.
func codeOf(p *os.ProcessState) int {
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return p.ExitCode()
}
