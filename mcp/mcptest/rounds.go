package mcptest

import (
	"context"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// The inputs that tools ask for, and get with the next call.
var (
	askName    = elicit("What is your name?", "name", "string")
	askColour  = elicit("What is your favorite color?", "color", "string")
	askConfirm = elicit("Please confirm", "ok", "boolean")
)

func elicit(question, property, kind string) *sdk.ElicitParams {
	return &sdk.ElicitParams{Message: question, RequestedSchema: object(schema{property: schema{"type": kind}}, property)}
}

func roots() *sdk.ListRootsParams { return &sdk.ListRootsParams{} } //nolint:staticcheck // old clients have it

func needs(state string, inputs sdk.InputRequestMap) *result {
	return &result{InputRequests: inputs, RequestState: state}
}

// accepted is what a person answered, nil if they did not.
func accepted(got sdk.InputResponseMap, key string) map[string]any {
	if r, ok := got[key].(*sdk.ElicitResult); ok && r.Action == "accept" {
		return r.Content
	}
	return nil
}

func text(content map[string]any, key string) string {
	s, _ := content[key].(string)
	return s
}

// addRounds adds the tools that end with what they still need to know, and are called
// again with it.
func addRounds(s *sdk.Server) {
	const prefix = "test_input_required_result_"
	tool(s, prefix+"elicitation", func(_ context.Context, req *request) (*result, error) {
		if name := text(accepted(req.Params.InputResponses, "user_name"), "name"); name != "" {
			return said("Hello, " + name + "!"), nil
		}
		return needs("", sdk.InputRequestMap{"user_name": askName}), nil
	})
	tool(s, prefix+"sampling", once("capital_question", sampling("What is the capital of France?")))
	tool(s, prefix+"list_roots", once("client_roots", roots()))
	tool(s, prefix+"request_state", confirmed)
	tool(s, prefix+"tampered_state", confirmed)
	tool(s, prefix+"multiple_inputs", func(_ context.Context, req *request) (*result, error) {
		all := sdk.InputRequestMap{"user_name": askName, "greeting": sampling("Generate a greeting"), "client_roots": roots()}
		for key := range all {
			if req.Params.InputResponses[key] == nil {
				return needs("multiple_inputs", all), nil
			}
		}
		return said("all there"), nil
	})
	tool(s, prefix+"multi_round", rounds)
	tool(s, prefix+"capabilities", func(_ context.Context, req *request) (*result, error) {
		can, all := req.ClientCapabilities(), sdk.InputRequestMap{}
		if can != nil && can.Elicitation != nil {
			all["user_name"] = askName
		}
		if can != nil && can.Sampling != nil { //nolint:staticcheck // old clients have it
			all["greeting"] = sampling("Generate a greeting")
		}
		if len(all) == 0 || len(req.Params.InputResponses) > 0 {
			return said("nothing more to ask"), nil
		}
		return needs("", all), nil
	})
}

// once asks one thing.
func once(key string, ask sdk.InputRequest) func(context.Context, *request) (*result, error) {
	return func(_ context.Context, req *request) (*result, error) {
		if req.Params.InputResponses[key] != nil {
			return said("thank you"), nil
		}
		return needs("", sdk.InputRequestMap{key: ask}), nil
	}
}

const confirmState = "state-of-confirm"

// confirmed keeps a state at the client, and knows it again.
func confirmed(_ context.Context, req *request) (*result, error) {
	switch {
	case req.Params.RequestState == "":
		return needs(confirmState, sdk.InputRequestMap{"confirm": askConfirm}), nil
	case req.Params.RequestState != confirmState:
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "not a state of this server"}
	}
	return said("state-ok"), nil
}

// rounds asks twice, and keeps the first answer at the client.
func rounds(_ context.Context, req *request) (*result, error) {
	state, got := req.Params.RequestState, req.Params.InputResponses
	switch {
	case state == "":
		return needs("round=1", sdk.InputRequestMap{"step1": askName}), nil
	case state == "round=1":
		return needs("round=2;name="+text(accepted(got, "step1"), "name"), sdk.InputRequestMap{"step2": askColour}), nil
	}
	return said(strings.TrimPrefix(state, "round=2;name=") + " likes " + text(accepted(got, "step2"), "color")), nil
}
