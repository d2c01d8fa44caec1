package porttest

import (
	"net"
	"testing"
)

// Whoever gets an address can listen there, and nobody else gets it, whether or not
// somebody listens. It is none that a system gives to who does not name one.
func TestAddress(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		at := Address(t)
		if seen[at] {
			t.Fatalf("%s was given out twice", at)
		}
		seen[at] = true
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		if port := l.Addr().(*net.TCPAddr).Port; port >= 32768 {
			t.Errorf("port %d is one that systems give out", port)
		}
		_ = l.Close()
	}
}
