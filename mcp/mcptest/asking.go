package mcptest

import (
	"context"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// addAsking adds the tools that ask clients with sessions while they run.
func addAsking(s *sdk.Server) {
	tool(s, "test_sampling", func(ctx context.Context, req *request) (*result, error) {
		r, err := req.Session.CreateMessage(ctx, sampling("Test prompt for sampling")) //nolint:staticcheck // old clients have it
		if err != nil {
			return nil, err
		}
		text, _ := r.Content.(*sdk.TextContent)
		return said("LLM response: " + text.Text), nil
	})
	for name, of := range map[string]schema{
		"test_elicitation": object(schema{"username": schema{"type": "string", "description": "User's response"}}, "username"),
		"test_elicitation_sep1034_defaults": object(schema{
			"name": schema{"type": "string", "default": "John Doe"}, "age": schema{"type": "integer", "default": 30},
			"score": schema{"type": "number", "default": 95.5}, "verified": schema{"type": "boolean", "default": true},
			"status": schema{"type": "string", "enum": []string{"active", "inactive", "pending"}, "default": "active"},
		}),
		"test_elicitation_sep1330_enums": object(enums()),
	} {
		tool(s, name, func(ctx context.Context, req *request) (*result, error) {
			r, err := req.Session.Elicit(ctx, &sdk.ElicitParams{Message: "Please answer", RequestedSchema: of})
			if err != nil {
				return nil, err
			}
			return said(fmt.Sprintf("Elicitation result: action=%s, content=%v", r.Action, r.Content)), nil
		})
	}
}

func sampling(text string) *sdk.CreateMessageParams { //nolint:staticcheck // old clients have it
	return &sdk.CreateMessageParams{ //nolint:staticcheck // old clients have it
		Messages: []*sdk.SamplingMessage{{Role: "user", Content: &sdk.TextContent{Text: text}}}, MaxTokens: 100, //nolint:staticcheck // old clients have it
	}
}

// enums are choices in every form that there is.
func enums() schema {
	options := []string{"option1", "option2", "option3"}
	titled := []schema{
		{"const": "value1", "title": "First Option"}, {"const": "value2", "title": "Second Option"}, {"const": "value3", "title": "Third Option"},
	}
	return schema{
		"untitledSingle": schema{"type": "string", "enum": options},
		"titledSingle":   schema{"type": "string", "oneOf": titled},
		"legacyEnum":     schema{"type": "string", "enum": []string{"opt1", "opt2", "opt3"}, "enumNames": []string{"Option One", "Option Two", "Option Three"}},
		"untitledMulti":  schema{"type": "array", "minItems": 1, "maxItems": 3, "items": schema{"type": "string", "enum": options}},
		"titledMulti":    schema{"type": "array", "minItems": 1, "maxItems": 3, "items": schema{"type": "string", "anyOf": titled}},
	}
}
