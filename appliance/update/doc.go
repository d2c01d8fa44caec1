// Package update is the form of a signed bundle that carries a release to
// machines without a network, and the judgement of whether it may be installed
// on one.
//
// # The file
//
// A tar archive (USTAR, not compressed) and nothing after it. Its first member is
// MANIFEST, a signed note (c2sp.org/signed-note, Ed25519) with the text
//
//	oneclawd update 1
//	{ the Manifest as JSON, in one line }
//
// The others are the files that the manifest names, in its order: each a plain
// file of the size and the SHA-256 that were signed. Since sizes are signed before
// anything is read, nothing unpacks to more than it says, and since every byte of
// the archive is accounted for, nothing hides in it.
//
// # Rules
//
// Read believes nothing before the signature of a trusted key was checked, and
// hands out no file before all were. The package decides no trust: the keys are
// the caller's. It installs nothing, starts nothing and opens no connection.
package update
