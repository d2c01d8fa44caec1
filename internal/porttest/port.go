// Package porttest hands out addresses to tests that must name one before a
// server of theirs listens on it, or while none does. It knows nothing of the
// servers.
package porttest

import (
	"crypto/rand"
	"encoding/binary"
	"net"
	"strconv"
	"sync"
	"testing"
)

// The ports that are handed out, outside of those that systems give to whoever
// connects or listens without naming one (Linux from 32768, others from 49152):
// nobody gets one of these by chance.
const (
	first = 12000
	count = 20000
)

var (
	mu    sync.Mutex
	given = map[int]bool{}
)

// Address is an address of this machine, "127.0.0.1:PORT", on which nobody
// listens. No other call of this process gets it; one of another process has a
// chance of some 1 in 20,000.
func Address(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", Port(t))
}

// Port is the port of such an address.
func Port(t testing.TB) string {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	for range 1000 {
		var random [4]byte
		_, _ = rand.Read(random[:]) // never fails
		port := first + int(binary.NativeEndian.Uint32(random[:])%count)
		if given[port] {
			continue
		}
		l, err := net.Listen("tcp", ":"+strconv.Itoa(port)) // on all addresses: some tests listen so
		if err != nil {
			continue
		}
		_ = l.Close()
		given[port] = true
		return strconv.Itoa(port)
	}
	t.Fatal("porttest: no port is free")
	return ""
}
