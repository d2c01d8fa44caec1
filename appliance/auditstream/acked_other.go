//go:build !linux

package auditstream

import (
	"net"
	"time"
)

// acknowledged cannot be found out here; that the other side ended in order has
// to do.
func acknowledged(net.Conn, time.Time) error { return nil }
