// Package mcptest has what the conformance suite of MCP asks a server for and no
// product has: tools, resources and prompts with answers that the suite knows.
//
// Everything adds them to a server, so that the suite runs against the handlers,
// the authentication and the guard that clients meet.
package mcptest

import sdk "github.com/modelcontextprotocol/go-sdk/mcp"

// Everything adds the suite's tools, resources and prompts to a server.
func Everything(s *sdk.Server) {
	addPlain(s)
	addAsking(s)
	addRounds(s)
	addResources(s)
	addPrompts(s)
}

type (
	request = sdk.CallToolRequest
	result  = sdk.CallToolResult
	schema  = map[string]any
)

func said(text string) *result { return &result{Content: []sdk.Content{&sdk.TextContent{Text: text}}} }

// object is the schema of an object with these properties.
func object(properties schema, required ...string) schema {
	out := schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}
