//go:build !linux

package appliance

// harden says what this system does not offer.
func harden() []string {
	return []string{"this system is not one to keep keys on in earnest: memory is not kept from swap and debuggers"}
}

func writable(string) error { return nil } // it will show

func freeSpace(string) (bytes uint64, ok bool) { return 0, false }

func clockUnsynchronised() (wrong, ok bool) { return false, false }
