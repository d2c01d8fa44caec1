package mcptest

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func addResources(s *sdk.Server) {
	for _, c := range []*sdk.ResourceContents{
		{URI: "test://static-text", MIMEType: "text/plain", Text: "This is the content of the static text resource."},
		{URI: "test://static-binary", MIMEType: "image/png", Blob: pixel},
		{URI: "test://watched-resource", MIMEType: "text/plain", Text: "Watched resource content"},
	} {
		s.AddResource(&sdk.Resource{Name: strings.TrimPrefix(c.URI, "test://"), URI: c.URI, MIMEType: c.MIMEType},
			func(context.Context, *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
				return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{c}}, nil
			})
	}
	s.AddResourceTemplate(&sdk.ResourceTemplate{Name: "template", URITemplate: "test://template/{id}/data", MIMEType: "application/json"},
		func(_ context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			uri := req.Params.URI
			id := strings.TrimSuffix(strings.TrimPrefix(uri, "test://template/"), "/data")
			text := fmt.Sprintf(`{"id":%q,"templateTest":true,"data":"Data for ID: %s"}`, id, id)
			return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: "application/json", Text: text}}}, nil
		})
}

func addPrompts(s *sdk.Server) {
	add := func(name string, answer func(req *sdk.GetPromptRequest) *sdk.GetPromptResult, args ...string) {
		p := &sdk.Prompt{Name: name, Description: name}
		for _, a := range args {
			p.Arguments = append(p.Arguments, &sdk.PromptArgument{Name: a, Required: true})
		}
		s.AddPrompt(p, func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			return answer(req), nil
		})
	}
	says := func(all ...sdk.Content) *sdk.GetPromptResult {
		out := &sdk.GetPromptResult{Description: "a prompt"}
		for _, c := range all {
			out.Messages = append(out.Messages, &sdk.PromptMessage{Role: "user", Content: c})
		}
		return out
	}
	add("test_simple_prompt", func(*sdk.GetPromptRequest) *sdk.GetPromptResult {
		return says(&sdk.TextContent{Text: "This is a simple prompt for testing."})
	})
	add("test_prompt_with_arguments", func(req *sdk.GetPromptRequest) *sdk.GetPromptResult {
		a := req.Params.Arguments
		return says(&sdk.TextContent{Text: fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", a["arg1"], a["arg2"])})
	}, "arg1", "arg2")
	add("test_prompt_with_embedded_resource", func(req *sdk.GetPromptRequest) *sdk.GetPromptResult {
		of := &sdk.ResourceContents{URI: req.Params.Arguments["resourceUri"], MIMEType: "text/plain", Text: "Embedded resource content for testing."}
		return says(&sdk.EmbeddedResource{Resource: of}, &sdk.TextContent{Text: "Please process the embedded resource above."})
	}, "resourceUri")
	add("test_prompt_with_image", func(*sdk.GetPromptRequest) *sdk.GetPromptResult {
		return says(&sdk.ImageContent{Data: pixel, MIMEType: "image/png"}, &sdk.TextContent{Text: "Please analyze the image above."})
	})
	add("test_input_required_result_prompt", func(req *sdk.GetPromptRequest) *sdk.GetPromptResult {
		if c := accepted(req.Params.InputResponses, "user_context"); c != nil {
			return says(&sdk.TextContent{Text: "Context: " + text(c, "context")})
		}
		return &sdk.GetPromptResult{InputRequests: sdk.InputRequestMap{"user_context": elicit("Please provide context", "context", "string")}}
	})
}
