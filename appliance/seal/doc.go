// Package seal keeps one small secret, the HSM's PIN, encrypted in a file that may
// lie beside the data and go into backups.
//
// The secret is sealed under a random seal key. Slots each wrap that seal key for
// somebody: an snp slot for one image on one chip, by a key that the firmware
// derives for it and for nothing else; a passphrase slot; a shamir slot for so many
// of a group of people; an upgrade slot for whoever has a code, once, on the way to
// a named next image. One slot is enough to open.
//
// What the firmware derives is gone with the chip and changes with the image. So a
// file always has a slot by which people can open it, a passphrase or shares: one
// without is not written, and the last is not removed.
//
// A failed try says that it failed and not why. Which slots there are is no secret
// (Describe). Removing a slot does not take the secret from whoever kept a copy of
// the file and can open that: then the PIN is to be changed.
//
// Split is for a secret of which there is no file at all: it is in the shares alone.
//
// The package knows nothing of HSMs, of configuration or of who may try; Argon2id
// is what slows tries down.
package seal
