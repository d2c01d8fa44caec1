// Package api is the vocabulary of oneclawd's HTTP API: the bodies that go in
// and out, and nothing that handles them.
//
// The server, the Go client, the CLI and the MCP tools share these types, so
// the package imports only the standard library. Field names are those of the
// published v1 API and may not change. Three habits of its clients shape the
// types:
//
//   - Some read a published object strictly and fail on a field they do not
//     know. Such an object carries exactly the published fields; anything the
//     appliance has to add travels in a header or on a route of its own.
//   - Lists are always enveloped and never null. Slices that must appear have
//     no omitempty; whoever fills them passes a slice that is not nil.
//   - A PATCH tells "absent" from "null". Fields that null clears are Optional.
//
// Identifiers are strings here: a body may come from anywhere, and the server
// is the one to parse them.
package api
