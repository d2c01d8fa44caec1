package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// browse has the system open an address in a browser, where there is one to look at.
func browse(ctx context.Context, address string) {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return // it came from outside: nothing else may be opened
	}
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	default:
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return
		}
	}
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the address is an argument of its own
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}
