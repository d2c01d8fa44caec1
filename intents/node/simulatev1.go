package node

import (
	"errors"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// ether is where eth_simulateV1 says that transfers of the native coin are
// events of.
var ether = evm.Address{
	0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
}

// simulated is what eth_simulateV1 says of one call.
type simulated struct {
	Status     *count
	GasUsed    *count
	ReturnData octets
	Logs       []log
	Error      *struct {
		Code    int
		Message string
		Data    octets
	}
}

// v1 runs the calls twice: once to see whose balances they touch, and once with
// questions in between for what these have. The questions are for tokens, whose
// events need not be true; those of the native coin are the node's.
func (s *simulation) v1() (out []SimResult, able bool, err error) {
	var first []simulated
	if first, able, err = s.simulate(s.arguments()); err != nil || !able {
		return s.unable(able, err)
	}
	out = make([]SimResult, len(s.calls))
	var tokens, coins touches
	for i, c := range first {
		r := &out[i]
		r.Method, r.GasUsed = SimulateV1, uint64(*c.GasUsed)
		if c.Error != nil {
			data := c.Error.Data
			if len(data) == 0 {
				data = c.ReturnData
			}
			r.ended(s.node, false, c.Error.Message, data)
		} else {
			r.ended(s.node, *c.Status == 1, "reverted", c.ReturnData)
		}
		if limit := s.calls[i].Gas; r.Kind == evm.RevertSilent && limit > 0 && r.GasUsed >= limit {
			r.Reason = "out of gas" // not every node says so
		}
		for _, l := range c.Logs {
			from, to, _, ok := l.transfer()
			switch {
			case ok && l.Address == ether:
				coins.add(from, native)
				coins.add(to, native)
			case ok:
				tokens.add(from, erc20(l.Address))
				tokens.add(to, erc20(l.Address))
			}
		}
	}
	for i := range out {
		out[i].Partial = coins.full() || tokens.full()
	}
	if err := s.coinChanges(out, first, coins); err != nil {
		return nil, true, err
	}
	return out, true, s.tokenChanges(out, tokens)
}

// unable says what to do without an answer: a node that cannot run calls says so
// of all of them, which tells of one only.
func (s *simulation) unable(able bool, err error) ([]SimResult, bool, error) {
	var r *refusal
	if !able || !errors.As(err, &r) {
		return nil, able, err
	}
	if len(s.calls) > 1 {
		return nil, false, nil
	}
	out := []SimResult{{Method: SimulateV1}}
	return out, true, out[0].settle(err)
}

func (s *simulation) arguments() []arguments {
	list := make([]arguments, len(s.calls))
	for i, c := range s.calls {
		list[i] = argumentsOf(c.From, c.Call, c.Gas)
	}
	return list
}

func (s *simulation) simulate(calls []arguments) ([]simulated, bool, error) {
	var blocks []struct{ Calls []simulated }
	request := map[string]any{
		"blockStateCalls": []any{map[string]any{"calls": calls}}, "traceTransfers": true, "validation": false,
	}
	able, err := s.node.optional(s.ctx, &blocks, "eth_simulateV1", request, s.block)
	if err != nil || !able {
		return nil, able, err
	}
	if len(blocks) != 1 || len(blocks[0].Calls) != len(calls) {
		return nil, true, s.node.fails("eth_simulateV1: the answer is not to the calls that were asked for")
	}
	for _, c := range blocks[0].Calls {
		if c.Status == nil || c.GasUsed == nil {
			return nil, true, s.node.fails("eth_simulateV1: a call has no status, or used no gas")
		}
	}
	return blocks[0].Calls, true, nil
}

// coinChanges adds up the transfers of the native coin, from what each had.
func (s *simulation) coinChanges(out []SimResult, calls []simulated, coins touches) error {
	has := map[evm.Address]evm.Amount{}
	for _, c := range coins {
		var q quantity
		if err := s.node.call(s.ctx, &q, "eth_getBalance", c.who, s.block); err != nil {
			return err
		}
		has[c.who] = q.Amount
	}
	for i, call := range calls {
		before := map[evm.Address]evm.Amount{}
		for who, n := range has {
			before[who] = n
		}
		for _, l := range call.Logs {
			from, to, n, ok := l.transfer()
			if !ok || l.Address != ether || out[i].Status != SimSuccess {
				continue
			}
			var err1, err2 error
			if had, ok := has[from]; ok {
				has[from], err1 = had.Sub(n)
			}
			if had, ok := has[to]; ok {
				has[to], err2 = had.Add(n)
			}
			if err1 != nil || err2 != nil {
				return s.node.fails("eth_simulateV1: more is transferred than there is")
			}
		}
		for _, c := range coins {
			out[i].changed(c, before[c.who], has[c.who])
		}
	}
	return nil
}

func (r *SimResult) changed(t touched, before, after evm.Amount) {
	if before != after {
		r.Changes = append(r.Changes, Change{Address: t.who, Asset: t.asset, Before: before, After: after})
	}
}

// tokenChanges asks the tokens for balances before, between and after the calls.
func (s *simulation) tokenChanges(out []SimResult, tokens touches) error {
	if len(tokens) == 0 {
		return nil
	}
	questions := make([]arguments, len(tokens))
	for i, t := range tokens {
		questions[i] = question(t)
	}
	list := append([]arguments{}, questions...)
	for _, c := range s.arguments() {
		list = append(append(list, c), questions...)
	}
	answers, able, err := s.simulate(list)
	var r *refusal
	if errors.As(err, &r) || err == nil && !able {
		for i := range out {
			out[i].Partial = true
		}
		return nil // too much for the node: what the calls do is known all the same
	}
	if err != nil {
		return err
	}
	stride := len(tokens) + 1
	for i := range out {
		for k, t := range tokens {
			before, ok1 := answered(answers[i*stride+k])
			after, ok2 := answered(answers[(i+1)*stride+k])
			if ok1 && ok2 {
				out[i].changed(t, before, after)
			}
		}
	}
	return nil
}

// question is a call that asks a token for a balance.
func question(t touched) arguments {
	token := t.asset.Token
	data := append(append(octets{}, balanceOfCall...), make([]byte, 12)...)
	gas := number(200_000)
	return arguments{To: &token, Data: append(data, t.who[:]...), Gas: &gas}
}

func answered(c simulated) (evm.Amount, bool) {
	n, ok := wordOf(c.ReturnData)
	return n, ok && *c.Status == 1
}
