// Package people looks after accounts: how people come in, prove who they are,
// get a new password, and leave; and who belongs to an organisation.
//
// # Nobody learns who has an account
//
// Signing up, asking for a new password and failing to sign in answer alike
// whether an address is known or not: the same text, the same work, one event
// and at most one mail. What is different goes to the address itself. So an
// account exists only once its address is confirmed: until then it is a Ticket,
// found by the hash of a token that was mailed, and cannot stand in anybody's
// way.
//
// # What is handed out once
//
// Tokens that are mailed, codes of devices and recovery codes are random and are
// kept as a keyed hash. Each is used up in the transaction of what it buys, so
// two that come at once cannot both succeed.
//
// # Guessing
//
// Wrong passwords of one address, known or not, and wrong codes of one person
// make the next attempt wait longer and longer, up to a quarter of an hour. The
// count is on disk; attempts on one account take turns, so that many at once are
// not all looked at before the first is counted.
//
// # Leaving
//
// Whoever authenticates is looked up, so that keys and tokens die with the
// user's record. What is left of somebody is cleared up after that, in steps that
// can be repeated; see Departed.
package people
