//go:build !linux

package attest

import "github.com/google/go-sev-guest/client"

// openDevice is for Linux; evidence can be appraised everywhere.
func openDevice(string) (client.Device, error) { return nil, ErrUnsupported }
