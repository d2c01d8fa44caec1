package node

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// account is what a prestate trace says of one, and what an override sets.
type account struct {
	Balance   *quantity             `json:"balance,omitempty"`
	Nonce     json.RawMessage       `json:"nonce,omitempty"` // nodes write it as a number and take it as a quantity
	Code      *octets               `json:"code,omitempty"`
	Storage   map[evm.Hash]evm.Hash `json:"storage,omitempty"`
	StateDiff map[evm.Hash]evm.Hash `json:"stateDiff,omitempty"`
}

// state is what calls before have left: overrides of a block's state.
type state map[evm.Address]account

// frame is a call, as callTracer has it.
type frame struct {
	GasUsed      *count
	Output       *octets
	Error        string
	RevertReason string
	Logs         []log
	Calls        []frame
}

// traced runs the calls one by one on the block's state, and what the traces say
// that each changed is put on that for the next one.
func (s *simulation) traced() (out []SimResult, able bool, err error) {
	left := state{}
	for _, c := range s.calls {
		r := SimResult{Method: TraceCall}
		args := argumentsOf(c.From, c.Call, c.Gas)
		var call frame
		var diff struct{ Pre, Post state }
		able, err := s.trace(&call, args, left, "callTracer", "withLog")
		if err == nil && able {
			able, err = s.trace(&diff, args, left, "prestateTracer", "diffMode")
		}
		var refused *refusal
		switch {
		case errors.As(err, &refused):
			if err := r.settle(err); err != nil {
				return nil, true, err
			}
			out = append(out, r)
			continue
		case err != nil || !able:
			return nil, able, err
		case call.GasUsed == nil:
			return nil, true, s.node.fails("debug_traceCall: the call used no gas")
		}
		r.GasUsed = uint64(*call.GasUsed)
		var data octets
		if call.Output != nil {
			data = *call.Output
		}
		r.ended(s.node, call.Error == "", call.Error, data)
		next := left.with(diff.Pre, diff.Post)
		if err := s.tracedChanges(&r, call, diff.Pre, diff.Post, left, next); err != nil {
			return nil, true, err
		}
		left, out = next, append(out, r)
	}
	return out, true, nil
}

func (s *simulation) trace(out any, args arguments, left state, tracer, option string) (bool, error) {
	config := map[string]any{"tracer": tracer, "tracerConfig": map[string]any{option: true}}
	if len(left) > 0 {
		config["stateOverrides"] = left
	}
	return s.node.optional(s.ctx, out, "debug_traceCall", args, s.block, config)
}

// with puts what a call changed on what those before it left. Storage that is
// there before and not after is zero.
func (s state) with(pre, post state) state {
	next := maps.Clone(s)
	for who := range pre {
		if _, there := post[who]; !there {
			post[who] = account{} // storage only, all of it cleared
		}
	}
	for who, after := range post {
		a := next[who]
		if after.Balance != nil {
			a.Balance = after.Balance
		}
		if n, ok := nonceOf(after.Nonce); ok {
			a.Nonce = n
		}
		if after.Code != nil {
			a.Code = after.Code
		}
		slots := maps.Clone(a.StateDiff)
		if slots == nil {
			slots = map[evm.Hash]evm.Hash{}
		}
		for slot := range pre[who].Storage {
			slots[slot] = evm.Hash{}
		}
		maps.Copy(slots, after.Storage)
		if a.StateDiff = slots; len(slots) == 0 {
			a.StateDiff = nil
		}
		next[who] = a
	}
	return next
}

func nonceOf(raw json.RawMessage) (json.RawMessage, bool) {
	var n uint64
	if raw == nil || json.Unmarshal(raw, &n) != nil {
		return raw, raw != nil
	}
	text, err := json.Marshal(number(n))
	return text, err == nil
}

// tracedChanges compares balances before and after: the trace has those of the
// native coin, and tokens are asked on both states.
func (s *simulation) tracedChanges(r *SimResult, call frame, pre, post, before, after state) error {
	for _, who := range slices.SortedFunc(maps.Keys(post), func(a, b evm.Address) int { return slices.Compare(a[:], b[:]) }) {
		if had, has := pre[who].Balance, post[who].Balance; has != nil {
			var was evm.Amount
			if had != nil {
				was = had.Amount
			}
			r.changed(touched{who, native}, was, has.Amount)
		}
	}
	var tokens touches
	call.transfers(&tokens)
	r.Partial = tokens.full()
	for _, t := range tokens {
		was, ok1, err1 := s.balance(t, before)
		is, ok2, err2 := s.balance(t, after)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if ok1 && ok2 {
			r.changed(t, was, is)
		}
	}
	return nil
}

// transfers collects whose tokens the call, and those within it, may have moved.
func (f frame) transfers(out *touches) {
	if f.Error != "" {
		return
	}
	for _, l := range f.Logs {
		if from, to, _, ok := l.transfer(); ok {
			out.add(from, erc20(l.Address))
			out.add(to, erc20(l.Address))
		}
	}
	for _, c := range f.Calls {
		c.transfers(out)
	}
}

func (s *simulation) balance(t touched, on state) (evm.Amount, bool, error) {
	var b octets
	params := []any{question(t), s.block}
	if len(on) > 0 {
		params = append(params, on)
	}
	err := s.node.call(s.ctx, &b, "eth_call", params...)
	var r *refusal
	if errors.As(err, &r) {
		return evm.Amount{}, false, nil
	}
	n, ok := wordOf(b)
	return n, ok, err
}
