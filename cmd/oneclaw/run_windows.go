package main

import "os"

// forwarded are the signals that a program that is run is to have. On Windows the
// console sends them to it by itself.
var forwarded = []os.Signal{os.Interrupt}

func fromTerminal(os.Signal) bool { return true }

// codeOf is a program's exit code.
func codeOf(p *os.ProcessState) int { return p.ExitCode() }
