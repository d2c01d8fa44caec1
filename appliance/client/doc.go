// Package client is the Go SDK of oneclawd: every operation of its HTTP API as
// a method with typed bodies.
//
// A Client speaks to one appliance as one principal: an agent or a person with
// a key, or whoever holds a token. It exchanges keys for short-lived tokens and
// renews them by itself, makes up the Idempotency-Key of what must not happen
// twice, and repeats a request only where that is safe. A method is named after
// its operation in the API's description, so that one finds the other.
//
// Refusals are of type *Error, which carries the problem as the appliance wrote
// it (RFC 9457) and answers errors.Is for the kinds in this package.
//
// The package knows the wire types and net/http, and nothing of what stands
// behind the API: the CLI and the MCP server are built on it, and get no more
// than any other program would.
package client
