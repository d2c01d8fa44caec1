// Package attested makes connections that end in an appliance whose machine and
// image a policy accepts, and no others.
//
// A Transport appraises the appliance before anything is sent to it: it draws a
// nonce, asks for evidence over a connection, and holds that against the policy, the
// key that the connection proved and the key of the appliance's tokens. From then
// on it speaks only over connections that prove the same key. No CA is asked: the
// attested key is the appliance's identity. When the key is another one, or the
// appraisal is old, the appliance is appraised anew, and a request waits for that.
//
// The package knows how to ask an appliance and how to hold connections to a key.
// What evidence is worth is package attest's to say, and what is sent over the
// connections is anybody's: a Transport fits into client.Options as into any
// http.Client.
package attested
