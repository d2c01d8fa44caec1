// Package identity says who someone is and how they prove it.
//
// People belong to an organisation and sign in with a password or a 1ck_ API
// key. Agents belong to an organisation too and prove themselves with an ocv_
// key, which buys a short-lived JWT (RFC 7519, EdDSA per RFC 8037). Whatever
// the proof, the result is a Principal, and a Principal is what every other
// service asks for first.
//
// A JWT freezes an agent's scopes and vault binding as a ceiling; whether the
// agent is still active is looked up on every request, and a revoked token
// stays revoked across restarts.
//
// Keys are 32 random bytes, so they are looked up by an HMAC under a pepper
// that only an unsealed appliance has: slow hashing protects guessable
// secrets, and would only let a stranger burn our memory here. Passwords are
// guessable and take Argon2id.
//
// The package decides who, never what they may do with a secret: that is
// vault/policy. It knows nothing of HTTP or of where records are kept.
package identity
