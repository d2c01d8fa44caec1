//go:build !linux

package appliance

// harden says what this system does not offer.
func harden() []string {
	return []string{"this system is not one to keep keys on in earnest: memory is not kept from swap and debuggers"}
}
