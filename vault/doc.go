// Package vault owns vaults and secrets: the rules of reading and writing
// them, and of granting others the right to.
//
// A vault belongs to an organisation and has a KEK in the HSM. A secret is a
// path in a vault; each write makes a new version, sealed under a fresh DEK
// (see vault/envelope). Policies grant principals permissions on path
// patterns (see vault/policy).
//
// Every method takes the principal who asks and does four things in one
// order: authorise, audit, act, answer. The decision and its audit event are
// one transaction, and a value is unsealed only after that transaction is
// durable. There is no other way to a secret, whichever door the request came
// through.
//
// Whether something exists is said only to those who may know: permission is
// decided before a path is looked up, and a vault of another organisation is
// a vault that does not exist.
package vault
