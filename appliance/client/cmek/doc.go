// Package cmek encrypts values with a key that the appliance never has: a
// customer-managed encryption key (CMEK).
//
// A vault that has one knows only the key's fingerprint. Whoever writes a value
// there encrypts it first, and whoever reads one decrypts it. The appliance keeps
// what it is given, under its own keys as any value. It sees a key only while
// it re-encrypts a vault's values from one to another, which it is asked to.
//
// The package does arithmetic on bytes. It knows nothing of HTTP or of vaults.
package cmek
