package httpapi

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/internal/id"
)

func (s *Server) transactionRoutes() []route {
	const (
		tag    = "Transactions"
		all    = "/v1/agents/{agent_id}/transactions"
		one    = all + "/{tx_id}"
		limits = "/v1/agents/{agent_id}/guardrails"
		freeze = "/v1/org/signing-freeze"
	)
	return []route{
		handle(post, all, "submitTransaction", s.submitTransaction, status(201), answers(201, api.TransactionResponse{}), answers(200, api.TransactionResponse{}), answers(202, api.ApprovalPendingResponse{}), answers(422, api.TransactionRefusedResponse{}),
			doc(tag, "Have a transaction signed and broadcast")),
		handle(post, all+"/sign", "signTransaction", s.signTransaction, doc(tag, "Have a transaction signed, and broadcast it yourself")),
		handle(get, all, "listTransactions", s.listTransactions, doc(tag, "List an agent's transactions, newest first")),
		handle(get, one, "getTransaction", s.getTransaction, doc(tag, "Look at a transaction")),
		handle(get, one+"/confirmation", "getTransactionConfirmation", s.getConfirmation, doc(tag, "What the chain made of a transaction")),
		handle(get, limits, "getAgentGuardrails", s.getGuardrails, doc(tag, "Look at the limits of an agent beyond those in its record")),
		handle(put, limits, "updateAgentGuardrails", s.updateGuardrails, who(human), doc(tag, "Set them")),
		handle(get, freeze, "getSigningFreeze", s.getFreeze, doc(tag, "Whether signing is stopped in the organisation")),
		handle(put, freeze, "freezeSigning", s.freezeSigning, who(human), doc(tag, "Stop all signing in the organisation at once")),
		handle(remove, freeze, "thawSigning", s.thawSigning, who(human), doc(tag, "Let agents sign again")),
	}
}

type newTransactionInput struct {
	AgentID        id.ID  `path:"agent_id" format:"uuid"`
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key within 24 hours gets the same answer"`
	Body           api.TransactionRequest
}

// transactionReply has a status of its own: 201, 200 for an earlier answer, and
// 202 with an ApprovalPendingResponse where people have to agree first.
type transactionReply struct {
	Status int
	Body   any
}

func (in *newTransactionInput) request() intents.Request {
	b := in.Body
	return intents.Request{
		To: b.To, Value: b.Value, Chain: b.Chain, Data: b.Data, KeyPath: b.SigningKeyPath, Nonce: b.Nonce, GasLimit: b.GasLimit,
		GasPrice: b.GasPrice, MaxFee: b.MaxFeePerGas, Tip: b.MaxPriorityFee, IdempotencyKey: in.IdempotencyKey, Simulate: b.SimulateFirst,
		Access: accessOf(b.AccessList), Resimulate: b.Resimulate,
	}
}

func accessOf(list []api.AccessEntry) []intents.AccessSpec {
	return listOf(list, func(e api.AccessEntry) intents.AccessSpec {
		return intents.AccessSpec{Address: e.Address, Slots: slices.Concat(e.StorageKeys, e.StorageKeysSnake)}
	})
}

func (s *Server) submitTransaction(ctx context.Context, in *newTransactionInput) (*transactionReply, error) {
	out, err := s.intents.Submit(ctx, caller(ctx), in.AgentID, in.request())
	if err != nil {
		return nil, err
	}
	switch {
	case out.Intent.State == intents.Simulated:
		return refusedReply(out.Intent), nil
	case out.Approval != nil:
		return &transactionReply{http.StatusAccepted, wirePending(*out.Approval)}, nil
	case out.Repeated:
		return &transactionReply{http.StatusOK, wireTransaction(out.Intent, true)}, nil
	}
	return &transactionReply{http.StatusCreated, wireTransaction(out.Intent, true)}, nil
}

func (s *Server) signTransaction(ctx context.Context, in *newTransactionInput) (*reply[api.SignTransactionResponse], error) {
	out, err := s.intents.Sign(ctx, caller(ctx), in.AgentID, in.request())
	if err != nil {
		return nil, err
	}
	if err := notSigned(out); err != nil {
		return nil, err
	}
	t := wireTransaction(out.Intent, true)
	return answer(api.SignTransactionResponse{
		SignedTx: t.SignedTx, TxHash: t.TxHash, From: out.Intent.From.String(), To: t.To, Chain: t.Chain, ChainID: t.ChainID,
		Nonce: out.Intent.Nonce, ValueWei: t.ValueWei, Status: "sign_only", SimulationID: t.SimulationID, SimulationStatus: t.SimulationStatus,
		MaxFeePerGas: t.MaxFeePerGas, MaxPriorityFee: t.MaxPriorityFee,
	})
}

// notSigned says why what should only be signed was not.
func notSigned(out intents.Outcome) error {
	switch {
	case out.Approval != nil:
		return intents.ErrNeedsPeople.Detail("Access denied: people have to agree to this first; send it again when they have").About(out.Approval.ID.String())
	case out.Intent.State == intents.Simulated:
		return intents.ErrWouldRevert.Detail("%s: %s", intents.ErrWouldRevert.Msg, out.Intent.Error)
	}
	return nil
}

type transactionsInput struct {
	AgentID  id.ID `path:"agent_id" format:"uuid"`
	SignedTx bool  `query:"include_signed_tx" doc:"Whether the signed bytes are wanted too"`
	Limit    int64 `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Before   id.ID `query:"before" format:"uuid" doc:"Those before this one, for the next page"`
}

func (s *Server) listTransactions(ctx context.Context, in *transactionsInput) (*reply[api.TransactionListResponse], error) {
	list, err := s.intents.List(ctx, caller(ctx), in.AgentID, in.Before, int(in.Limit))
	if err != nil {
		return nil, err
	}
	return answer(api.TransactionListResponse{Transactions: listOf(list, func(t intents.Intent) api.TransactionResponse {
		return wireTransaction(t, in.SignedTx)
	})})
}

type transactionInput struct {
	AgentID  id.ID `path:"agent_id" format:"uuid"`
	TxID     id.ID `path:"tx_id" format:"uuid"`
	SignedTx bool  `query:"include_signed_tx" doc:"Whether the signed bytes are wanted too"`
}

func (s *Server) getTransaction(ctx context.Context, in *transactionInput) (*reply[api.TransactionResponse], error) {
	t, err := s.intents.Get(ctx, caller(ctx), in.AgentID, in.TxID)
	if err != nil {
		return nil, err
	}
	return answer(wireTransaction(t, in.SignedTx))
}

type confirmationInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	TxID    id.ID `path:"tx_id" format:"uuid"`
}

func (s *Server) getConfirmation(ctx context.Context, in *confirmationInput) (*reply[api.ConfirmationResponse], error) {
	t, err := s.intents.Get(ctx, caller(ctx), in.AgentID, in.TxID)
	if err != nil {
		return nil, err
	}
	return answer(wireConfirmation(t))
}

func wireTransaction(t intents.Intent, signed bool) api.TransactionResponse {
	out := api.TransactionResponse{
		ID: t.ID.String(), AgentID: t.Agent.String(), Chain: t.Chain, ChainID: t.ChainID, ValueWei: t.Call.Value.String(),
		Status: t.Status(), ErrorMessage: t.Error, CreatedAt: api.At(t.CreatedAt), SignedAt: api.At(t.SignedAt),
	}
	if t.Call.To != nil {
		out.To = t.Call.To.String()
	}
	if last := t.Last(); last != nil {
		out.TxHash = last.Hash.String()
		if signed {
			out.SignedTx = "0x" + hex.EncodeToString(last.Raw)
		}
	}
	if t.Simulation != nil {
		out.SimulationID, out.SimulationStatus = t.Simulation.ID.String(), string(t.Simulation.Status)
	}
	if t.Fees.MaxFee != nil {
		out.MaxFeePerGas, out.MaxPriorityFee = t.Fees.MaxFee.String(), t.Fees.Tip.String()
	}
	return out
}

func wireConfirmation(t intents.Intent) api.ConfirmationResponse {
	out := api.ConfirmationResponse{
		ID: t.ID.String(), State: string(t.State), Final: t.State.Final(), From: t.From.String(), Nonce: t.Nonce,
		TxHashes:  listOf(t.Tries, func(try intents.Try) string { return try.Hash.String() }),
		SettledAt: api.At(t.SettledAt), ErrorMessage: t.Error,
	}
	if b := t.Block; b != nil {
		out.TxHash, out.BlockNumber, out.BlockHash, out.GasUsed, out.GasPrice = b.Tx.String(), b.Number, b.Hash.String(), b.Gas, b.Price.String()
	}
	if a, created := t.Contract(); created {
		out.Contract = a.String()
	}
	return out
}
