package mcptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// pixel is a picture of one pixel, silence a sound without one.
var (
	pixel   = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82")
	silence = []byte("RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00\x80>\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00")
)

// tool adds a tool that takes anything.
func tool(s *sdk.Server, name string, do func(ctx context.Context, req *request) (*result, error)) {
	sdk.AddTool(s, &sdk.Tool{Name: name, Description: name}, func(ctx context.Context, req *request, _ any) (*result, any, error) {
		res, err := do(ctx, req)
		return res, nil, err
	})
}

// addPlain adds the tools that only answer.
func addPlain(s *sdk.Server) {
	text := &sdk.TextContent{Text: "This is a simple text response for testing."}
	image := &sdk.ImageContent{Data: pixel, MIMEType: "image/png"}
	embedded := func(uri, text string) sdk.Content {
		return &sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: uri, MIMEType: "text/plain", Text: text}}
	}
	for name, content := range map[string][]sdk.Content{
		"test_simple_text":       {text},
		"test_image_content":     {image},
		"test_audio_content":     {&sdk.AudioContent{Data: silence, MIMEType: "audio/wav"}},
		"test_embedded_resource": {embedded("test://embedded-resource", "This is an embedded resource content.")},
		"test_multiple_content_types": {
			&sdk.TextContent{Text: "Multiple content types test:"}, image, embedded("test://mixed-content-resource", `{"test":"data","value":123}`),
		},
		"test_streaming_elicitation": {text},
		"test_reconnection":          {text},
	} {
		tool(s, name, func(context.Context, *request) (*result, error) { return &result{Content: content}, nil })
	}
	tool(s, "test_error_handling", func(context.Context, *request) (*result, error) {
		return nil, errors.New("This tool intentionally returns an error for testing") //nolint:staticcheck // the suite's words
	})
	tool(s, "test_missing_capability", missingCapability)
	addTalking(s)
	addChanging(s)
	addSchemas(s)
}

// addTalking adds the tools that say something before they answer.
func addTalking(s *sdk.Server) {
	log := func(lines ...string) func(context.Context, *request) (*result, error) {
		return func(ctx context.Context, req *request) (*result, error) {
			for _, line := range lines {
				if err := req.Session.Log(ctx, &sdk.LoggingMessageParams{Level: "info", Data: line}); err != nil { //nolint:staticcheck // old clients have it
					return nil, err
				}
			}
			return said("logged"), nil
		}
	}
	tool(s, "test_tool_with_logging", log("Tool execution started", "Tool processing data", "Tool execution completed"))
	tool(s, "test_logging_tool", log("one line"))
	tool(s, "test_tool_with_progress", func(ctx context.Context, req *request) (*result, error) {
		token := req.Params.GetProgressToken()
		for _, done := range []float64{0, 50, 100} {
			err := req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: done, Total: 100})
			if err != nil {
				return nil, err
			}
		}
		return said(fmt.Sprint(token)), nil
	})
}

// addChanging adds the tools that change what the server has.
func addChanging(s *sdk.Server) {
	tool(s, "test_trigger_tool_change", func(context.Context, *request) (*result, error) {
		tool(s, "test_transient", func(context.Context, *request) (*result, error) { return said("gone soon"), nil })
		return said("changed"), nil
	})
	tool(s, "test_trigger_prompt_change", func(context.Context, *request) (*result, error) {
		s.AddPrompt(&sdk.Prompt{Name: "test_transient", Description: "a prompt that came later"}, func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			return &sdk.GetPromptResult{}, nil
		})
		return said("changed"), nil
	})
}

// addSchemas adds the tools whose schemas the suite reads.
func addSchemas(s *sdk.Server) {
	for name, of := range map[string]string{
		"json_schema_2020_12_tool": `{
			"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
			"$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
			"properties": {
				"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"},
				"contactMethod": {"type": "string", "enum": ["phone", "email"]}, "phone": {"type": "string"}, "email": {"type": "string"}
			},
			"allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
			"if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
			"then": {"required": ["phone"]}, "else": {"required": ["email"]}, "additionalProperties": false
		}`,
		"test_x_mcp_header": `{
			"type": "object",
			"properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "level": {"type": "integer"}}
		}`,
	} {
		def := &sdk.Tool{Name: name, Description: name, InputSchema: json.RawMessage(of)}
		sdk.AddTool(s, def, func(_ context.Context, _ *request, in map[string]any) (*result, any, error) {
			return said(fmt.Sprintf("called with %v", in)), nil, nil
		})
	}
}

// missingCapability needs a client that can sample.
func missingCapability(_ context.Context, req *request) (*result, error) {
	if c := req.ClientCapabilities(); c != nil && c.Sampling != nil { //nolint:staticcheck // what the suite asks for
		return said("sampled"), nil
	}
	data, err := json.Marshal(sdk.MissingRequiredClientCapabilityData{
		RequiredCapabilities: &sdk.ClientCapabilities{Sampling: &sdk.SamplingCapabilities{}}, //nolint:staticcheck // what the suite asks for
	})
	if err != nil {
		return nil, err
	}
	return nil, &jsonrpc.Error{Code: sdk.CodeMissingRequiredClientCapabilities, Message: "the client cannot sample", Data: data}
}
