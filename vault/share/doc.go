// Package share lets somebody offer one secret to somebody else.
//
// A share names a secret, not a version: it follows what is written there. It
// is offered to a user or an agent of the organisation, to an e-mail address,
// to whoever registered the agent that offers, or to anyone with the link. Those
// it is offered to must accept it before it opens; the identifier of a share is
// random, since for a link it is all there is to know.
//
// A share lends its creator's right to read, and lends no more than there is:
// at every access the creator's right is decided anew, for the address and the
// time of that access, and a creator who may no longer read or act has nothing
// to lend. The recipient needs no right of its own, and no vault binding or
// scope of the recipient's is asked for; that is what sharing is for. One thing
// is not lent: an agent that signs through the Intents API never sees a signing
// key. Nor does a stranger, who might be such an agent without its token.
//
// The IP rules of the creator's organisation hold for every access, also where
// who reads is of another organisation or sends no token.
//
// An access is decided, counted (against the share's limit and the secret's
// own) and audited in one durable transaction before the value is opened, as
// every read is.
//
// # Passphrases
//
// A passphrase is kept as an Argon2id hash. Guesses at one share take turns and
// are counted in its record, in the transaction that records the refusal:
// nobody is told that a guess was wrong before it counts, a restart forgets
// none, and after a few each further one has to wait longer, up to an hour.
//
// # E-mail addresses
//
// An offer to an address becomes one to a user when somebody proves that the
// address is theirs: see ClaimForEmail. The address is never in the audit log.
package share
