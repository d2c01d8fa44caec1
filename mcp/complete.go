package mcp

import (
	"context"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxCompletions is what the protocol allows in one answer.
const maxCompletions = 100

// complete proposes the paths of secrets, and vaults, that begin with what was
// typed.
func (s *server) complete(ctx context.Context, req *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
	all, err := s.proposals(ctx, req.Params.Argument.Name)
	if err != nil {
		return nil, err
	}
	out := sdk.CompletionResultDetails{Values: []string{}}
	for _, value := range all {
		if strings.HasPrefix(value, req.Params.Argument.Value) {
			if out.Total++; len(out.Values) < maxCompletions {
				out.Values = append(out.Values, value)
			}
		}
	}
	out.HasMore = out.Total > len(out.Values)
	return &sdk.CompleteResult{Completion: out}, nil
}

func (s *server) proposals(ctx context.Context, arg string) ([]string, error) {
	var out []string
	switch arg {
	case "path":
		all, err := s.listOf(ctx)
		for _, m := range all {
			out = append(out, m.Path)
		}
		return out, err
	case "vault_id":
		c, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		all, err := c.api.ListVaults(ctx)
		if err != nil {
			return nil, s.explain(ctx, err, ofVault)
		}
		for _, v := range all.Vaults {
			out = append(out, v.ID)
		}
	case "chain":
		c, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		all, err := c.api.ListChains(ctx)
		if err != nil {
			return nil, s.explain(ctx, err, ofVault)
		}
		for _, v := range all.Chains {
			out = append(out, v.Name)
		}
	}
	return out, nil
}
