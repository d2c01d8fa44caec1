// Package backup copies an appliance's state while it serves, verifies such
// copies without any key, puts them back, and proves by a drill that they can
// be put back.
//
// # What a backup holds
//
// Everything that is state, as of one instant: the data file, and the archived
// audit events up to where the data file says that the archive begins. It
// holds no key of the HSM and no file of tls/ or keys/; a backup without the
// HSM is noise, unless it was made with a recovery key.
//
// # The file, format 1
//
//	magic      "oneclawd backup 1\n"
//	h frame    Header, JSON: whose backup it is and the wrapped store key
//	b frames   the content in blocks of 1 MiB, the last one shorter
//	m frame    Manifest, JSON: figures, and the SHA-256 of the header and of each block
//	s frame    a note by the key of the audit checkpoints over the manifest's SHA-256
//
// A frame is its kind (1 byte), the length of what follows (4 bytes,
// big-endian) and that. Nothing follows the s frame.
//
// The blocks, put together, are an age file (age-encryption.org/v1) whose file
// key is sealed under a key derived from the store key. What it holds is
// sections: a kind (1 byte), chunks with their lengths (4 bytes) and a chunk of
// length 0; see section.go. age authenticates each 64 KiB and their order, so
// nothing is believed that did not come from who has the store key. The
// signature shows the same to who has no key at all.
//
// # The escrow, format 2
//
// With a recovery key, the public half of a pair whose private half is in shares,
// the file key is sealed to that too, and there is one more section: an age file to
// the recovery key alone, with the store key and the data key of each envelope; see
// escrow.go. So who has the store key has no data key by it. The manifest counts
// them. Recover makes of such a backup, the private half and a new HSM what Restore
// makes with the old one.
//
// # Rules
//
// A backup is read twice by Restore: once to verify all of it, before anything
// is written, and once to write it, each block being held against what was
// verified. A restored folder is older than the HSM remembers, so the appliance
// refuses to start on it without --accept-rollback. That is intended: to put an
// old state back is a decision, and the audit log keeps it.
//
// The package opens no listener, decides no schedule and knows nothing of the
// configuration.
package backup
