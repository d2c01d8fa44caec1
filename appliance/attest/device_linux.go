package attest

import (
	"os"

	"github.com/google/go-sev-guest/client"
)

// openDevice opens the guest device.
func openDevice(path string) (client.Device, error) {
	// The library keeps the reason of a failure to itself.
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := new(client.LinuxDevice)
	if err := d.Open(path); err != nil {
		return nil, err
	}
	return d, nil
}
