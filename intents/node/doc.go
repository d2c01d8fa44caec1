// Package node talks to the nodes of a chain over JSON-RPC: what is an account's
// nonce and balance, what costs gas, what would a call do, here is a transaction,
// what became of it.
//
// A chain has several nodes, in order of preference; one that fails is left out
// for a while and the next one asked. None is trusted with more than its answer:
// it has to be of the right chain before it is used, and again after it was away;
// what it says is bounded, checked and made printable; and whether a transaction
// is on the chain is never concluded from the words that it was refused with.
//
// The package knows nothing of agents, keys or guardrails, and keeps nothing on
// disk. Connections are made by the HTTP client that it is given. A JSON-RPC call
// is one POST, written here: go-ethereum's client does not compare ids, and takes
// web sockets and tracing along.
package node
