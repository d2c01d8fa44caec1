package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
)

func (s *Server) chainRoutes() []route {
	const (
		tag   = "Chains"
		all   = "/v1/chains"
		admin = "/v1/admin/chains"
		row   = admin + "/{chain_id}"
	)
	return []route{
		handle(get, all, "listChains", s.listChains, public, doc(tag, "List the chains that transactions can be on")),
		handle(get, all+"/{identifier}", "getChain", s.getChain, public, doc(tag, "Look at a chain, by name or chain id")),
		handle(get, admin, "adminListChains", s.adminListChains, who(human), doc(tag, "List all chains, with their nodes")),
		handle(post, admin, "createChain", s.createChain, who(human), status(201), doc(tag, "Register a chain")),
		handle(put, row, "updateChain", s.updateChain, who(human), doc(tag, "Change a chain, or its nodes")),
		handle(get, row+"/health", "getChainHealth", s.getChainHealth, who(human), doc(tag, "Which nodes of a chain answer")),
		handle(remove, row, "deleteChain", s.deleteChain, who(human), doc(tag, "Take a chain away")),
	}
}

func (s *Server) listChains(ctx context.Context, _ *none) (*reply[api.ChainListResponse], error) {
	all, err := s.intents.Chains(ctx)
	if err != nil {
		return nil, err
	}
	return answer(api.ChainListResponse{Chains: listOf(all, publicChain)})
}

type chainInput struct {
	Identifier string `path:"identifier" maxLength:"64"`
}

func (s *Server) getChain(ctx context.Context, in *chainInput) (*reply[api.ChainResponse], error) {
	c, err := s.intents.Chain(ctx, in.Identifier)
	if err != nil {
		return nil, err
	}
	return answer(publicChain(c))
}

func (s *Server) adminListChains(ctx context.Context, _ *none) (*reply[api.ChainListResponse], error) {
	all, err := s.intents.Registry(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.ChainListResponse{Chains: listOf(all, wireChain)})
}

type newChainInput struct{ Body api.CreateChainRequest }

func (s *Server) createChain(ctx context.Context, in *newChainInput) (*reply[api.ChainResponse], error) {
	b := in.Body
	native := b.NativeCurrency
	if native == "" {
		native = "ETH"
	}
	c, err := s.intents.AddChain(ctx, caller(ctx), intents.Chain{
		Name: b.Name, DisplayName: b.DisplayName, ChainID: b.ChainID, RPC: intents.ParseRPC(b.RPCURL), WebSocket: b.WSURL,
		Explorer: b.ExplorerURL, Native: native, Testnet: b.IsTestnet, Enabled: b.IsEnabled == nil || *b.IsEnabled,
	})
	if err != nil {
		return nil, err
	}
	return answer(wireChain(c))
}

type changeChainInput struct {
	ChainID id.ID `path:"chain_id" format:"uuid"`
	Body    api.UpdateChainRequest
}

func (s *Server) updateChain(ctx context.Context, in *changeChainInput) (*reply[api.ChainResponse], error) {
	b := in.Body
	c, err := s.intents.ChangeChain(ctx, caller(ctx), in.ChainID, func(c *intents.Chain) {
		replace(&c.DisplayName, b.DisplayName)
		replace(&c.WebSocket, b.WSURL)
		replace(&c.Explorer, b.ExplorerURL)
		replace(&c.Native, b.NativeCurrency)
		replace(&c.Testnet, b.IsTestnet)
		replace(&c.Enabled, b.IsEnabled)
		if b.RPCURL != nil {
			c.RPC = intents.ParseRPC(*b.RPCURL)
		}
	})
	if err != nil {
		return nil, err
	}
	return answer(wireChain(c))
}

func replace[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

type chainRowInput struct {
	ChainID id.ID `path:"chain_id" format:"uuid"`
}

func (s *Server) deleteChain(ctx context.Context, in *chainRowInput) (*none, error) {
	return nil, s.intents.RemoveChain(ctx, caller(ctx), in.ChainID)
}

func (s *Server) getChainHealth(ctx context.Context, in *chainRowInput) (*reply[api.ChainHealthResponse], error) {
	c, head, nodes, err := s.intents.NodeHealth(ctx, caller(ctx), in.ChainID)
	if err != nil {
		return nil, err
	}
	return answer(api.ChainHealthResponse{Chain: c.Name, ChainID: c.ChainID, Head: head, Nodes: listOf(nodes, wireNode)})
}

func wireNode(h node.Health) api.NodeHealth {
	return api.NodeHealth{Node: h.Node, State: string(h.State), Failures: h.Failures, Error: h.Err, RetryAt: api.At(h.Retry)}
}

func wireChain(c intents.Chain) api.ChainResponse {
	return api.ChainResponse{
		ID: c.ID.String(), Name: c.Name, DisplayName: c.DisplayName, ChainID: c.ChainID, RPCURL: intents.JoinRPC(c.RPC), WSURL: c.WebSocket,
		ExplorerURL: c.Explorer, NativeCurrency: c.Native, IsTestnet: c.Testnet, IsEnabled: c.Enabled,
		CreatedAt: api.At(c.CreatedAt), UpdatedAt: api.At(c.UpdatedAt),
	}
}

// publicChain is what anybody may know: not where a site's nodes are in full.
func publicChain(c intents.Chain) api.ChainResponse {
	out := wireChain(c)
	out.RPCURL, out.WSURL = c.PublicRPC(), ""
	return out
}
