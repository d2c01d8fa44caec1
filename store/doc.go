// Package store keeps all durable state that decides anything, in one bbolt
// file, sealed record by record.
//
// # Transactions
//
// A domain package declares a Tx interface and gets a txn.Runner for it from
// Runner; *Tx has the methods of every domain, one file each. View reads a
// snapshot. Update does not touch bbolt from the caller: its closure is handed
// to one writer goroutine, which runs all closures that are waiting as one
// group and makes the group durable with one sync. Each closure sees
//
//	its own changes → those of the closures before it in the group → the last durable state
//
// so closures are serial, each runs once, one that fails or panics leaves
// nothing behind, and a record that every closure rewrites (the head of a hash
// chain) is sealed and written once a group. Nobody is answered before the
// sync; if it fails, all of the group are told so and nothing has changed.
//
// Rules for callers: a closure touches known keys only (a scan in Update is an
// error), does no I/O, and never opens another transaction, since it would wait
// for itself. Bytes and values that a Tx returns are not modified.
//
// # Sealing
//
// The file opens sealed: only its Meta can be read. One of an older schema stays
// as it is, and can only be copied, until Migrate. Unseal takes the store key,
// from which the record, name and purpose keys are derived; Seal forgets them
// and everything decrypted with them. Every record is XAES-256-GCM under the
// record key, bound to its table, its key and its version, so that a flipped
// byte or two swapped records do not open. Record keys that would spell a name
// are Names: HMACs under the name key.
//
// # When things break
//
// With a ballast, a file that is given up when the disk is full, the audit log goes
// on for as long as that lasts, so that what is read can still be written down;
// changes are refused until there is space for the ballast again.
//
// A full disk, a read-only file system or an I/O error fails the group and
// nothing else; the next group tries again. The page structure of the file is
// checked before bbolt maps it, because bbolt panics on damage. A commit whose
// last sync failed is neither true nor false: it is settled before anything
// else is written (see finish).
package store
