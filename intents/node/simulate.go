package node

import (
	"context"
	"errors"
	"math/big"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// SimCall is a call to be simulated.
type SimCall struct {
	From evm.Address
	evm.Call
	Gas uint64 // limit; what the node allows if 0
}

// SimStatus is how a simulated call ended.
type SimStatus string

// The statuses.
const (
	SimSuccess  SimStatus = "success"
	SimReverted SimStatus = "reverted" // by the contract, or for want of gas
	SimError    SimStatus = "error"    // it could not be run: too little balance, or the node is not able to
)

// SimMethod is what a simulation was made with. Nodes differ in what they offer.
type SimMethod string

// The methods, best first.
const (
	SimulateV1 SimMethod = "eth_simulateV1"
	TraceCall  SimMethod = "debug_traceCall"
	PlainCall  SimMethod = "eth_call" // no changes of balances, and nothing of what calls before it did
)

// SimResult is what a call would do. It pays no fee: what it costs is GasUsed at
// some price.
type SimResult struct {
	Status  SimStatus
	GasUsed uint64
	Reason  string         // printable, if it was not a success
	Kind    evm.RevertKind // of Reason, if it was reverted
	Changes []Change
	Partial bool // there may be more changes than those
	Method  SimMethod
}

// Change is a balance that is another after a call.
type Change struct {
	Address       evm.Address
	Asset         evm.Asset // the native coin, or an ERC-20 token
	Before, After evm.Amount
}

// Delta is by how much: less than nothing if there is less.
func (c Change) Delta() *big.Int { return new(big.Int).Sub(c.After.Big(), c.Before.Big()) }

// Bounds of a simulation. Of more balances than these the rest is not told.
const (
	maxSimCalls = 16
	maxTouched  = 48
)

// ErrSimulation says that a simulation asks for too much, or for nothing.
var ErrSimulation = fault.New(fault.Invalid, "invalid_simulation", "A simulation has between one and 16 calls")

// Simulate runs calls one after the other on a block's state, each on what those
// before it left; the newest block's if block is 0. A call that is reverted is a
// result, not an error.
func (p *Pool) Simulate(ctx context.Context, calls []SimCall, block uint64) ([]SimResult, error) {
	if len(calls) == 0 || len(calls) > maxSimCalls {
		return nil, ErrSimulation
	}
	var out []SimResult
	err := p.ask(ctx, func(n *node) (err error) {
		at := number(block)
		if block == 0 { // the same state for all that is asked
			if err := n.call(ctx, &at, "eth_blockNumber"); err != nil {
				return err
			}
		}
		out, err = (&simulation{ctx: ctx, node: n, block: at, calls: calls}).run()
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// simulation is one, on one node.
type simulation struct {
	ctx   context.Context
	node  *node
	block quantity
	calls []SimCall
}

func (s *simulation) run() ([]SimResult, error) {
	for _, method := range []func() ([]SimResult, bool, error){s.v1, s.traced} {
		if out, able, err := method(); able || err != nil {
			return out, err
		}
	}
	return s.plain()
}

// touched is a balance that a call may have changed.
type touched struct {
	who   evm.Address
	asset evm.Asset
}

// full: there may be more that were not added.
func (t touches) full() bool { return len(t) >= maxTouched }

// touches is a list of them, each once.
type touches []touched

func (t *touches) add(who evm.Address, asset evm.Asset) {
	if who.IsZero() || t.full() {
		return
	}
	for _, have := range *t {
		if have == (touched{who, asset}) {
			return
		}
	}
	*t = append(*t, touched{who, asset})
}

// log is an event of a contract.
type log struct {
	Address evm.Address
	Topics  []evm.Hash
	Data    octets
}

// transferTopic is that of Transfer(address,address,uint256).
var transferTopic = evm.Hash{
	0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa,
	0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef,
}

// transfer reads an event of ERC-20's; ERC-721's have one topic more.
func (l log) transfer() (from, to evm.Address, n evm.Amount, ok bool) {
	if len(l.Topics) != 3 || l.Topics[0] != transferTopic || len(l.Data) != 32 {
		return from, to, n, false
	}
	n, ok = wordOf(l.Data)
	return evm.Address(l.Topics[1][12:]), evm.Address(l.Topics[2][12:]), n, ok
}

var native = evm.Asset{Standard: evm.Native}

func erc20(token evm.Address) evm.Asset { return evm.Asset{Standard: evm.ERC20, Token: token} }

// plain runs each call by itself.
func (s *simulation) plain() ([]SimResult, error) {
	out := make([]SimResult, len(s.calls))
	for i, c := range s.calls {
		r := &out[i]
		if r.Method = PlainCall; i > 0 {
			r.Status, r.Reason = SimError, "the node cannot simulate several calls"
			continue
		}
		args := argumentsOf(c.From, c.Call, c.Gas)
		var returned octets
		var gas count
		err := s.node.call(s.ctx, &returned, "eth_call", args, s.block)
		if err == nil {
			err = s.node.call(s.ctx, &gas, "eth_estimateGas", args, s.block)
		}
		if err := r.settle(err); err != nil {
			return nil, err
		}
		r.GasUsed = uint64(gas)
	}
	return out, nil
}

// settle notes how a call ended. What remains an error says nothing of the call.
func (r *SimResult) settle(err error) error {
	var revert *Revert
	var refused *refusal
	switch err = reverted(err); {
	case err == nil:
		r.Status = SimSuccess
	case errors.As(err, &revert):
		r.Status, r.Reason, r.Kind = SimReverted, revert.Reason, revert.Kind
	case errors.As(err, &refused):
		r.Status, r.Reason = SimError, refused.message
	default:
		return err
	}
	return nil
}

// ended notes how a call ended that was run: without gas or with a wrong
// instruction it is reverted too, and only the message says why.
func (r *SimResult) ended(n *node, success bool, message string, data octets) {
	if success {
		r.Status = SimSuccess
		return
	}
	r.Status = SimReverted
	r.Reason, r.Kind = evm.RevertReason(data)
	if len(data) == 0 && !has(message, "revert", "execution failed") {
		r.Reason = n.clean(message)
	}
}
