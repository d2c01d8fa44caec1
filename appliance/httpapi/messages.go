package httpapi

import (
	"context"
	"encoding/hex"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
)

func (s *Server) messageRoutes() []route {
	const (
		tag = "Transactions"
		of  = "/v1/agents/{agent_id}"
		one = of + "/transactions/{tx_id}"
	)
	return []route{
		handle(post, of+"/sign", "signIntent", s.signIntent, doc(tag, "Have a message, typed data or a transaction signed")),
		handle(post, of+"/transactions/explain", "explainTransaction", s.explainTransaction, doc(tag, "What each guardrail would say of a transaction, without side effects")),
		handle(post, one+"/speed-up", "speedUpTransaction", s.speedUpTransaction, doc(tag, "Sign a transaction again with its nonce and higher fees")),
		handle(post, one+"/cancel", "cancelTransaction", s.cancelTransaction, doc(tag, "Sign a transfer of nothing with a transaction's nonce, to take its place")),
	}
}

type signIntentInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.SignIntentRequest
}

func (s *Server) signIntent(ctx context.Context, in *signIntentInput) (*reply[api.SignIntentResponse], error) {
	b := in.Body
	if b.IntentType == "transaction" {
		return s.signAsIntent(ctx, in)
	}
	m, err := s.intents.SignMessage(ctx, caller(ctx), in.AgentID, intents.MessageRequest{
		Type: intents.MessageType(b.IntentType), Chain: b.Chain, Message: b.Message, Typed: b.TypedData, Hash: b.Hash, KeyPath: b.SigningKeyPath,
	})
	if err != nil {
		return nil, err
	}
	out := api.SignIntentResponse{
		IntentType: b.IntentType, Chain: m.Chain.Name, From: m.From.String(), Signature: "0x" + hex.EncodeToString(m.Signature),
	}
	if m.Type == intents.Personal {
		out.MessageHash = m.Digest.String()
	} else {
		out.TypedDataHash = m.Digest.String()
	}
	return answer(out)
}

// signAsIntent is transactions/sign under its other name.
func (s *Server) signAsIntent(ctx context.Context, in *signIntentInput) (*reply[api.SignIntentResponse], error) {
	b := in.Body
	out, err := s.intents.Sign(ctx, caller(ctx), in.AgentID, intents.Request{
		To: b.To, Value: b.Value, Chain: b.Chain, Data: b.Data, KeyPath: b.SigningKeyPath, Nonce: b.Nonce, GasLimit: b.GasLimit,
		GasPrice: b.GasPrice, MaxFee: b.MaxFeePerGas, Tip: b.MaxPriorityFee, Access: accessOf(b.AccessList),
	})
	if err != nil {
		return nil, err
	}
	if err := notSigned(out); err != nil {
		return nil, err
	}
	t := wireTransaction(out.Intent, true)
	return answer(api.SignIntentResponse{
		IntentType: b.IntentType, Chain: t.Chain, From: out.Intent.From.String(), SignedTx: t.SignedTx, TxHash: t.TxHash,
	})
}

func (s *Server) explainTransaction(ctx context.Context, in *newTransactionInput) (*reply[api.ExplanationResponse], error) {
	x, err := s.intents.Explain(ctx, caller(ctx), in.AgentID, in.request())
	if err != nil {
		return nil, err
	}
	out := api.ExplanationResponse{Allowed: x.Allowed(), From: x.From.String(), Chain: x.Chain.Name, Asks: x.Asks, Effects: listOf(x.Effects, wireEffect)}
	for _, v := range x.Verdicts {
		w := api.RuleVerdict{Rule: v.Rule, Allowed: v.Refusal == nil}
		if v.Refusal != nil {
			w.Detail = v.Refusal.Msg
		}
		out.Rules = append(out.Rules, w)
	}
	return answer(out)
}

func wireEffect(e evm.Effect) api.EffectOfRequest {
	out := api.EffectOfRequest{Kind: string(e.Kind), Method: e.Method, Selector: e.Selector, Unlimited: e.Unlimited}
	for _, a := range []struct {
		to   *string
		from evm.Address
	}{{&out.From, e.From}, {&out.To, e.To}, {&out.Contract, e.Contract}, {&out.Token, e.Asset.Token}} {
		if !a.from.IsZero() {
			*a.to = a.from.String()
		}
	}
	if e.Kind != evm.Invocation {
		out.Standard, out.Amount = string(e.Asset.Standard), e.Amount.String()
		if e.Asset.Standard == evm.ERC721 || e.Asset.Standard == evm.ERC1155 {
			out.TokenID = e.Asset.ID.String()
		}
	}
	return out
}

type speedUpInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	TxID    id.ID `path:"tx_id" format:"uuid"`
	Body    api.SpeedUpRequest
}

func (s *Server) speedUpTransaction(ctx context.Context, in *speedUpInput) (*reply[api.TransactionResponse], error) {
	t, err := s.intents.SpeedUp(ctx, caller(ctx), in.AgentID, in.TxID, in.Body.MaxFeePerGas, in.Body.MaxPriorityFee)
	if err != nil {
		return nil, err
	}
	return answer(wireTransaction(t, true))
}

func (s *Server) cancelTransaction(ctx context.Context, in *confirmationInput) (*reply[api.TransactionResponse], error) {
	t, err := s.intents.Cancel(ctx, caller(ctx), in.AgentID, in.TxID)
	if err != nil {
		return nil, err
	}
	return answer(wireTransaction(t, true))
}
