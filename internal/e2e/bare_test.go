package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

// bareVariable makes the test program serve next to nothing, in a process of
// its own: what HTTP costs on this machine, to hold the daemon's figures
// against.
const bareVariable = "ONECLAW_E2E_BARE"

const bareBody = `{"id":"00000000-0000-0000-0000-000000000000","path":"a/b","type":"generic","value":"0123456789abcdef","version":1,"metadata":{}}`

func serveBare() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a benchmark on this machine
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, bareBody)
	})}
	go func() { // ends with the benchmark, whose end of the pipe closes
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	return ignoreClosed(server.Serve(l))
}

func ignoreClosed(err error) error {
	if err == http.ErrServerClosed { //nolint:errorlint // Serve returns it bare
		return nil
	}
	return err
}
