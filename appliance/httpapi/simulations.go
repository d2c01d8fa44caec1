package httpapi

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
)

func (s *Server) simulationRoutes() []route {
	const (
		tag = "Transactions"
		all = "/v1/agents/{agent_id}/transactions"
	)
	return []route{
		handle(post, all+"/simulate", "simulateTransaction", s.simulateTransaction, doc(tag, "What a transaction would do, without signing it")),
		handle(post, all+"/simulate-bundle", "simulateBundle", s.simulateBundle, doc(tag, "What transactions would do one after the other")),
	}
}

func (s *Server) simulateTransaction(ctx context.Context, in *newTransactionInput) (*reply[api.SimulationResponse], error) {
	done, err := s.intents.Simulate(ctx, caller(ctx), in.AgentID, []intents.Request{in.request()})
	if err != nil {
		return nil, err
	}
	return answer(wireSimulation(done[0]))
}

type bundleInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.SimulateBundleRequest
}

func (s *Server) simulateBundle(ctx context.Context, in *bundleInput) (*reply[api.BundleSimulationResponse], error) {
	requests := listOf(in.Body.Transactions, func(b api.TransactionRequest) intents.Request {
		return (&newTransactionInput{Body: b}).request()
	})
	done, err := s.intents.Simulate(ctx, caller(ctx), in.AgentID, requests)
	if err != nil {
		return nil, err
	}
	return answer(api.BundleSimulationResponse{Simulations: listOf(done, wireSimulation)})
}

func wireSimulation(m intents.Simulation) api.SimulationResponse {
	r := m.Result
	out := api.SimulationResponse{
		SimulationID: m.ID.String(), Status: string(r.Status), GasUsed: r.GasUsed, SimulatedAt: api.At(m.At),
		BalanceChanges: listOf(r.Changes, func(c node.Change) api.BalanceChange { return wireChange(m, c) }),
	}
	switch r.Status {
	case node.SimReverted:
		out.Error, out.ErrorCode, out.ErrorReadable, out.RevertReason = r.Reason, "execution_reverted", r.Reason, r.Reason
	case node.SimError:
		out.Error, out.ErrorCode, out.ErrorReadable = r.Reason, "simulation_error", r.Reason
	}
	return out
}

// nativeDecimals are those of the coin of every chain in the registry.
const nativeDecimals = 18

// wireChange writes amounts in units that people use, where the token says what
// these are.
func wireChange(m intents.Simulation, c node.Change) api.BalanceChange {
	out := api.BalanceChange{Address: c.Address.String(), Token: "native", TokenSymbol: m.Chain.Native}
	decimals := nativeDecimals
	if c.Asset.Standard != evm.Native {
		info := m.Tokens[c.Asset.Token]
		out.Token, out.TokenSymbol, decimals = c.Asset.Token.String(), info.Symbol, info.Decimals
	}
	sign, by := "+", c.After
	if c.After.Cmp(c.Before) < 0 {
		sign, by = "-", c.Before
		by, _ = by.Sub(c.After)
	} else {
		by, _ = by.Sub(c.Before)
	}
	out.Before, out.After, out.Change = c.Before.Units(decimals), c.After.Units(decimals), sign+by.Units(decimals)
	return out
}

// refusedReply is the answer for a transaction whose simulation failed. Clients
// read it as a transaction or as a problem.
func refusedReply(t intents.Intent) *transactionReply {
	detail := intents.ErrWouldRevert.Msg
	if t.Error != "" {
		detail += ": " + t.Error
	}
	return &transactionReply{http.StatusUnprocessableEntity, api.TransactionRefusedResponse{
		TransactionResponse: wireTransaction(t, true), Type: api.TypeBlank, Title: http.StatusText(http.StatusUnprocessableEntity),
		Detail: detail, Code: intents.ErrWouldRevert.Code,
	}}
}
