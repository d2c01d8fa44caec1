package httpapi

import (
	"context"
	"encoding/hex"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func (s *Server) signingKeyRoutes() []route {
	const (
		tag = "Signing keys"
		all = "/v1/agents/{agent_id}/signing-keys"
		one = all + "/{chain}"
	)
	return []route{
		handle(post, all, "createSigningKey", s.createSigningKey, who(human), status(201), doc(tag, "Make a key in the HSM that an agent signs with on a chain")),
		handle(get, all, "listSigningKeys", s.listSigningKeys, doc(tag, "List the keys of an agent in the HSM")),
		handle(post, one+"/rotate", "rotateSigningKey", s.rotateSigningKey, who(human), doc(tag, "Make another key, with another address, in its place")),
		handle(post, one+"/import", "importSigningKey", s.importSigningKey, who(human), status(201), doc(tag, "Put a key that was made elsewhere into the HSM")),
		handle(remove, one, "deactivateSigningKey", s.deactivateSigningKey, who(human), doc(tag, "Have the agent sign with its key no more")),
		handle(get, one+"/balance", "getSigningKeyBalance", s.getSigningKeyBalance, doc(tag, "What the address of a key has")),
	}
}

type newSigningKeyInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.CreateSigningKeyRequest
}

func (s *Server) createSigningKey(ctx context.Context, in *newSigningKeyInput) (*reply[api.SigningKeyResponse], error) {
	return signingKeyReply(s.intents.CreateSigningKey(ctx, caller(ctx), in.AgentID, in.Body.Chain))
}

type signingKeysInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
}

func (s *Server) listSigningKeys(ctx context.Context, in *signingKeysInput) (*reply[api.SigningKeyListResponse], error) {
	all, err := s.intents.SigningKeys(ctx, caller(ctx), in.AgentID)
	if err != nil {
		return nil, err
	}
	return answer(api.SigningKeyListResponse{Keys: listOf(all, wireSigningKey)})
}

type signingKeyInput struct {
	AgentID id.ID  `path:"agent_id" format:"uuid"`
	Chain   string `path:"chain" maxLength:"64"`
}

func (s *Server) rotateSigningKey(ctx context.Context, in *signingKeyInput) (*reply[api.SigningKeyResponse], error) {
	return signingKeyReply(s.intents.RotateSigningKey(ctx, caller(ctx), in.AgentID, in.Chain))
}

type importSigningKeyInput struct {
	AgentID id.ID  `path:"agent_id" format:"uuid"`
	Chain   string `path:"chain" maxLength:"64"`
	Body    api.ImportSigningKeyRequest
}

func (s *Server) importSigningKey(ctx context.Context, in *importSigningKeyInput) (*reply[api.SigningKeyResponse], error) {
	p := caller(ctx)
	if err := s.accounts.Reenter(ctx, p, in.Body.Password); err != nil {
		return nil, err
	}
	key := plain.FromString(in.Body.PrivateKey)
	defer key.Wipe()
	return signingKeyReply(s.intents.ImportSigningKey(ctx, p, in.AgentID, in.Chain, key, true))
}

func (s *Server) deactivateSigningKey(ctx context.Context, in *signingKeyInput) (*none, error) {
	return nil, s.intents.DeactivateSigningKey(ctx, caller(ctx), in.AgentID, in.Chain)
}

func (s *Server) getSigningKeyBalance(ctx context.Context, in *signingKeyInput) (*reply[api.SigningKeyBalanceResponse], error) {
	k, c, has, err := s.intents.Balance(ctx, caller(ctx), in.AgentID, in.Chain)
	if err != nil {
		return nil, err
	}
	return answer(api.SigningKeyBalanceResponse{
		Chain: c.Name, ChainID: c.ChainID, Address: k.Address.String(), Balance: has.Units(nativeDecimals), BalanceWei: has.String(),
		NativeCurrency: c.Native,
	})
}

func signingKeyReply(k intents.SigningKey, err error) (*reply[api.SigningKeyResponse], error) {
	if err != nil {
		return nil, err
	}
	return answer(wireSigningKey(k))
}

func wireSigningKey(k intents.SigningKey) api.SigningKeyResponse {
	out := api.SigningKeyResponse{
		ID: k.ID.String(), AgentID: k.Agent.String(), Chain: k.Chain, Curve: "secp256k1", PublicKey: "0x" + hex.EncodeToString(k.Key.Public[:]),
		Address: k.Address.String(), KeyVersion: k.Version, IsActive: k.Active, Origin: "hsm", CreatedAt: api.At(k.CreatedAt), RotatedAt: api.At(k.EndedAt),
	}
	if k.Imported {
		out.Origin = "imported"
	}
	return out
}
