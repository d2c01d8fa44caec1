// Package pkcs11 is an hsm.Module on a PKCS#11 token.
//
// What the token holds: one root key labelled "oneclawd-root-kek", Ed25519
// signing keys, secp256k1 account keys, and a data object for the anchor. Vault KEKs are not token
// objects, of which many tokens have room for a few hundred only: they are
// wrapped under the root key and opened when used.
//
// There are two kinds of root key, told apart by which object exists:
//
//   - AES-256, where the token offers AES key wrapping and AES-GCM. KEKs are then
//     made, opened and used inside the token.
//   - RSA-3072, where it does not (small USB tokens, p11-kit's remoting). KEKs are
//     then made in Go, wrapped with OAEP, opened by the token into locked memory,
//     and used in Go. Describe says so.
//
// A token that went away does not heal: PKCS#11 wants C_Finalize and
// C_Initialize, which are process-wide and leak in some drivers. So a Module
// that has lost its token stays lost and answers hsm.ErrUnavailable at once;
// its owner opens a new one, in practice package broker by starting a new
// process. For the same reason, one process has one Module at a time.
//
// The package knows nothing of processes, vaults or the appliance's
// configuration file. Without cgo only the configuration part is built, and
// Open says what is missing.
package pkcs11
