// Package mcp is the MCP server of oneclawd: the tools through which a model's
// client lists, reads and keeps secrets, sends transactions and inspects texts.
//
// A tool is a thin call of the Go SDK (appliance/client). The server decides
// nothing: whoever calls a tool calls the API, with their own credential and
// from their own address, and gets its answer. Inside the daemon the API is
// reached without a network, through InProcess.
//
// Two transports lead to the same tools. Handler speaks streamable HTTP, in both
// eras of the protocol at one URL; Standalone speaks to one client over a pair of
// pipes, or has a Handler of its own. A guard stands before every call: it inspects what goes in, keeps values
// that were fetched from leaving through another tool, and takes them out of what
// comes back.
//
// At one origin, if it is set, clients are led to an authorization server; what that
// gives out is exchanged at the API.
//
// The package must not know how secrets are stored, who may read them, or what
// stands behind the API.
package mcp
