package main

import (
	"syscall"
	"time"
)

// cpu is the time that this process has spent computing: unlike a clock, it does
// not count what other processes took.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
