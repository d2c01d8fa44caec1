// Package oidc verifies tokens of identity providers: access tokens that they
// gave to programs, and ID tokens with which people sign in.
//
// Only issuers that were configured are believed, and only they are ever
// contacted: what a token says of its issuer chooses among them and leads
// nowhere else. An issuer's keys come from its discovery document and its JWK
// set, over the client that was given, or from a file at sites that cannot reach
// it.
//
// Keys are remembered. A token under an unknown key has them fetched again, but
// not more often than twice a minute, however many such tokens come; while the
// issuer does not answer, the keys that are known go on being used for a day.
//
// The algorithm of a token has to be one that its key is for. So none and the
// HMACs have no place to go wrong: no key is for them.
package oidc
