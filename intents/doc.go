// Package intents lets agents move value without ever seeing a key.
//
// An agent states an intent: this call, on this chain, signed by the key at
// this path. One transaction of the store decides whether the guardrails allow
// it and reserves what it needs: the place of its Idempotency-Key, what it will
// spend, and its nonce. The key signs, in that transaction if it is a secret and
// after it if it is in the HSM; the signed bytes are stored, and only then a node
// sees them. Whatever is killed when, the same intent is never signed
// with a second nonce: after a restart, and after any answer that is not clear,
// the identical bytes are sent again and the chain says, by their hash, what
// became of them.
//
//	Reserved ──► Signed ──► Broadcast ──► Confirmed
//	    │           │           ├───────► Reverted
//	    ▼           ▼           ▼
//	Released     Rejected    Replaced
//
// Nonces belong to an Account, which is an address on a chain: two agents may
// sign with one key. What a call really does is decoded by evm.Effects, so that
// a token's recipient is held against the same list as that of plain value.
//
// The package knows nothing of HTTP and of how records are stored. Nodes are
// reached through an interface, keys through vault and hsm.
package intents
