package httpapi

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

type guardrailsInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
}

func (s *Server) getGuardrails(ctx context.Context, in *guardrailsInput) (*reply[api.GuardrailsResponse], error) {
	x, err := s.intents.Limits(ctx, caller(ctx), in.AgentID)
	if err != nil {
		return nil, err
	}
	return answer(wireGuardrails(x))
}

type newGuardrailsInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.GuardrailsRequest
}

func (s *Server) updateGuardrails(ctx context.Context, in *newGuardrailsInput) (*reply[api.GuardrailsResponse], error) {
	b := in.Body
	spec := intents.ExtraSpec{
		PerDay: b.TxPerDay, Methods: b.AllowedMethods, AllowUnlimited: b.AllowUnlimitedApprovals,
		NoPersonal: b.NoPersonalSign, NoTyped: b.NoTypedData, RawDigests: b.RawDigests, Domains: b.AllowedDomains,
	}
	if a := b.Approval; a != nil {
		spec.Approval = &intents.ApprovalSpec{
			Above: a.AboveETH, Methods: a.Methods, NewRecipients: a.NewRecipients, Approvers: a.Approvers,
			Within: time.Duration(a.WithinSeconds) * time.Second,
		}
	}
	for _, t := range b.TokenLimits {
		spec.Tokens = append(spec.Tokens, intents.TokenSpec{ChainID: t.ChainID, Token: t.Token, MaxAmount: t.MaxAmount, DailyLimit: t.DailyLimit})
	}
	x, err := s.intents.SetLimits(ctx, caller(ctx), in.AgentID, spec)
	if err != nil {
		return nil, err
	}
	return answer(wireGuardrails(x))
}

func wireGuardrails(x intents.Extra) api.GuardrailsResponse {
	out := api.GuardrailsResponse{
		TxPerDay: x.PerDay, AllowedMethods: notNil(x.Methods), TokenLimits: []api.TokenLimit{}, AllowUnlimitedApprovals: x.AllowUnlimited,
		NoPersonalSign: x.NoPersonal, NoTypedData: x.NoTyped, RawDigests: x.RawDigests,
		AllowedDomains: listOf(x.Domains, evm.Address.String),
	}
	if a := x.Approval; a != nil {
		out.Approval = &api.ApprovalRule{
			Methods: notNil(a.Methods), NewRecipients: a.NewRecipients, Approvers: a.Approvers, WithinSeconds: int(a.Within / time.Second),
		}
		if a.Above != nil {
			out.Approval.AboveETH = a.Above.Units(18)
		}
	}
	for _, t := range x.Tokens {
		w := api.TokenLimit{ChainID: t.ChainID, Token: t.Token.String()}
		if t.MaxAmount != nil {
			w.MaxAmount = t.MaxAmount.String()
		}
		if t.DailyLimit != nil {
			w.DailyLimit = t.DailyLimit.String()
		}
		out.TokenLimits = append(out.TokenLimits, w)
	}
	return out
}

func (s *Server) getFreeze(ctx context.Context, _ *none) (*reply[api.FreezeResponse], error) {
	f, frozen, err := s.intents.Frozen(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wireFreeze(f, frozen))
}

type freezeInput struct{ Body api.FreezeRequest }

func (s *Server) freezeSigning(ctx context.Context, in *freezeInput) (*reply[api.FreezeResponse], error) {
	f, err := s.intents.FreezeSigning(ctx, caller(ctx), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return answer(wireFreeze(f, true))
}

func (s *Server) thawSigning(ctx context.Context, _ *none) (*none, error) {
	return nil, s.intents.Thaw(ctx, caller(ctx))
}

func wireFreeze(f intents.Freeze, frozen bool) api.FreezeResponse {
	out := api.FreezeResponse{Frozen: frozen, Reason: f.Reason, FrozenAt: api.At(f.At)}
	if frozen {
		out.FrozenBy = wirePrincipal(policy.Principal{Type: string(identity.KindUser), ID: f.By})
	}
	return out
}
