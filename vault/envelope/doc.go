// Package envelope seals one version of a secret for storage.
//
// # The concept
//
// Every value is encrypted under its own data key (DEK), made for it, used
// once and stored beside it, wrapped by the vault's key-encryption key (KEK).
// The KEK is used inside the HSM only. So the HSM handles 32 bytes per secret
// whatever its size, a store without the HSM is noise, and no key ever
// encrypts two values, which keeps AES-GCM far from its limits.
//
// An envelope opens only as what it was sealed as: organisation, vault, secret
// and version (the Binding) are authenticated with it. Whoever can write to
// the store can therefore not serve one secret as another, an old version as a
// new one, or a mixture of two envelopes. (An older store put back as a whole
// is beyond this package.)
//
// # The envelope, format 2
//
//	1 byte   format: 2
//	1 byte   algorithm: 1 = AES-256-GCM (NIST SP 800-38D), random nonce
//	4 bytes  generation of the vault's KEK, big-endian, from 1
//	2 bytes  n, length of the wrapped DEK, big-endian, 1 to 4096
//	n bytes  wrapped DEK, opaque, as the HSM made it
//	12 bytes nonce
//	rest     ciphertext, as long as the value, and the 16-byte tag
//
// There is one valid encoding of an envelope: all lengths have a fixed width,
// and what follows the nonce is authenticated to its last byte.
//
// # What is authenticated
//
// Wrapping the DEK and encrypting the value are both authenticated encryption,
// with different additional data (AAD), so that neither can stand in for the
// other. Both begin with
//
//	domain   ASCII, ended by a zero byte:
//	         "oneclawd/envelope/dek" for the DEK, "oneclawd/envelope/value" for the value
//	1 byte   format, as above
//	1 byte   algorithm, as above
//	16 bytes organisation
//	16 bytes vault
//	16 bytes secret
//	4 bytes  version, big-endian
//
// and the DEK's goes on with
//
//	4 bytes  generation, big-endian
//
// A vault gets another KEK, and its envelopes another wrapping of the same DEK:
// see Move. The value does not take part in that, nor is it looked at.
//
// # Format 1
//
// It has no generation, which is 1, and its value's AAD goes on with the
// envelope's first 4+n bytes: the value is tied to one wrapping of its key. A
// Move therefore opens it and seals it as format 2, under a new DEK. It is opened
// and no longer made.
//
// A value's length shows in its envelope; its content, path and metadata do
// not enter it in clear.
package envelope
