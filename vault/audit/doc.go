// Package audit is the log of everything that was attempted, and the proof that
// the log is whole.
//
// # What is logged
//
// An Event says who did what to what, how it ended and why. Append turns it
// into a leaf: one line of JSON whose bytes never change again. It runs in the
// store transaction of the change that the event describes, so the one is never
// durable without the other, and for a read it is durable before the value
// leaves.
//
// # What proves it
//
// Two structures stand over the same leaves.
//
// The chain links the events of one organisation: each carries the hash of the
// one before it. It is simple enough to check by hand, and shows an
// organisation that nothing between two of its own events was taken out. Who
// can write the whole store can also compute it anew.
//
// The Merkle log (RFC 6962 hashes) covers all leaves of the appliance. Its root
// over any number of leaves is kept in a few dozen hashes, the tiles, and any
// two roots can be shown to be of one growing log. Now and then a Checkpoint,
// that is size, root and time, is signed by a key that only the HSM can use.
// Whoever kept one, anywhere, can later show that nothing it covers was
// changed, dropped, moved or cut off. The HSM keeps the newest one itself, as
// its Anchor: so an older copy of the data file that is put back is noticed at
// the next start, by CheckAnchor.
//
// # Where it is
//
// Tiles, chain heads, the newest checkpoint and the newest leaves (the outbox)
// are in the store. The Drainer copies leaves from the outbox to the Archive
// and removes them only when they are safe there. The archive is trusted with
// nothing: Log.Verify holds each leaf against the tiles, these against what was
// signed, and names the first bad record. An export holds all that is needed to
// do so on another machine: VerifyExport needs the verifier key and nothing
// else.
//
// The package knows nothing of HTTP, of databases or of PKCS#11.
package audit
