package evm

import (
	"encoding/hex"
	"errors"
)

// Effects says what a call by from would bring about: the native coin that it
// takes along, what the methods of tokens move and allow, and the same of calls
// within calls. There is at least one effect, and call data of a known method
// that is not what the method takes is an error: whoever decides on effects has
// to refuse it.
//
// Of calls within calls, From says who makes them. A coin that a contract hands
// on is there twice, once from the sender and once from the contract.
func Effects(from Address, c Call) ([]Effect, error) {
	w := newWalk()
	w.visit(from, call{to: c.To, value: c.Value, data: c.Data}, 0)
	if w.err != nil {
		return nil, w.err
	}
	return w.out, nil
}

// Bounds of calls within calls. Each level of them is visited anew, and places
// in call data can be the same: without a bound little data can be many calls.
const (
	maxCallDepth = 6
	maxVisited   = 8 * maxData
	maxEffects   = 512
)

var errNested = errors.New("more calls within calls than can be looked through")

// call is a call on its way through contracts. A delegate one runs the code of
// to as self.
type call struct {
	to       *Address
	value    Amount
	data     []byte
	delegate bool
	self     Address // for delegate
}

// walk is a reading of a call, as far as it got.
type walk struct {
	methods map[[4]byte]method
	out     []Effect
	bytes   int // that may still be visited
	err     error
}

func newWalk() *walk { return &walk{methods: known, bytes: maxVisited} }

// frame is where a method's effects are read: the call of it.
type frame struct {
	*walk
	sender   Address
	self     Address // the contract whose method it is
	selector string
	method   string
	depth    int
}

func (w *walk) visit(from Address, c call, depth int) {
	if w.bytes -= len(c.data) + 64; w.bytes < 0 || depth > maxCallDepth || len(w.out) >= maxEffects {
		w.err = errors.Join(w.err, ErrCalldata.Detail("The call has %v", errNested))
	}
	if w.err != nil {
		return
	}
	f := frame{walk: w, sender: from, depth: depth}
	if c.to == nil {
		f.add(Effect{Kind: Creation, Asset: Asset{Standard: Native}, Amount: c.value, From: from})
		return
	}
	if f.self = *c.to; !c.delegate && (!c.value.IsZero() || len(c.data) == 0) {
		f.add(Effect{Kind: Transfer, Asset: Asset{Standard: Native}, Amount: c.value, From: from, To: *c.to})
	}
	if len(c.data) == 0 && !c.delegate {
		return
	}
	m, readable := method{}, false
	if len(c.data) >= 4 {
		f.selector = "0x" + hex.EncodeToString(c.data[:4])
		m, readable = w.methods[[4]byte(c.data)]
		f.method = m.name
	}
	if c.delegate {
		f.self, f.sender, readable = c.self, c.self, readable && m.delegable
		f.add(Effect{Kind: Invocation, Delegate: true, From: c.self, To: *c.to})
	}
	switch {
	case readable:
		m.effects(f, args{c.data[4:], &w.err})
	case !c.delegate:
		f.add(Effect{Kind: Invocation, From: from, To: *c.to})
	}
}

// add notes an effect of the method that is being read.
func (f frame) add(e Effect) {
	e.Contract, e.Selector, e.Method, e.Depth = f.self, f.selector, f.method, f.depth
	f.out = append(f.out, e)
}

// called notes the call itself, of a method that only leads to others.
func (f frame) called() { f.add(Effect{Kind: Invocation, From: f.sender, To: f.self}) }

// calls visits a call that the contract makes.
func (f frame) calls(to Address, value Amount, data []byte) {
	f.visit(f.self, call{to: &to, value: value, data: data}, f.depth+1)
}

// runs visits code that the contract runs as its own.
func (f frame) runs(to Address, data []byte) {
	f.visit(f.self, call{to: &to, data: data, delegate: true, self: f.self}, f.depth+1)
}

func (f frame) moves(a Asset, n Amount, from, to Address) {
	f.add(Effect{Kind: Transfer, Asset: a, Amount: n, From: from, To: to})
}

func (f frame) allows(a Asset, n Amount, owner, spender Address) {
	f.add(Effect{Kind: Approval, Asset: a, Amount: n, Unlimited: boundless(n), From: owner, To: spender})
}
