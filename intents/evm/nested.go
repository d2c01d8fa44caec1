package evm

import "encoding/binary"

// nestedMethods are those whose arguments are calls: of routers and tokens that
// take several at once, of Multicall3, of accounts that are contracts.
func nestedMethods() []method {
	return []method{
		{name: "multicall(bytes[])", effects: func(f frame, a args) { f.multicall(a, 0) }},
		{name: "multicall(uint256,bytes[])", effects: func(f frame, a args) { f.multicall(a, 1) }},
		{name: "multicall(bytes32,bytes[])", effects: func(f frame, a args) { f.multicall(a, 1) }},

		{name: "aggregate((address,bytes)[])", effects: func(f frame, a args) { f.aggregate(a, 0, 1) }},
		{name: "blockAndAggregate((address,bytes)[])", effects: func(f frame, a args) { f.aggregate(a, 0, 1) }},
		{name: "tryAggregate(bool,(address,bytes)[])", effects: func(f frame, a args) { f.aggregate(a, 1, 1) }},
		{name: "tryBlockAndAggregate(bool,(address,bytes)[])", effects: func(f frame, a args) { f.aggregate(a, 1, 1) }},
		{name: "aggregate3((address,bool,bytes)[])", effects: func(f frame, a args) { f.aggregate(a, 0, 2) }},
		{name: "aggregate3Value((address,bool,uint256,bytes)[])", effects: func(f frame, a args) { f.aggregate(a, 0, 3) }},

		{name: "execute(address,uint256,bytes)", effects: execute},
		{name: "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)", effects: execTransaction},
		{name: "execTransactionFromModule(address,uint256,bytes,uint8)", effects: execTransactionFromModule},
		{name: "multiSend(bytes)", effects: multiSend, delegable: true},
	}
}

// multicall is calls of the contract's own methods, by whoever called this one.
func (f frame) multicall(a args, i int) {
	f.called()
	list, n := a.list(i, 1)
	for k := range n {
		data := list.bytes(k)
		if *a.err != nil {
			return
		}
		if len(data) == 0 {
			continue // a call of nothing, not a transfer
		}
		f.visit(f.sender, call{to: &f.self, data: data}, f.depth+1)
	}
}

// aggregate is calls by the contract, of tuples that end in the call's data, in
// word last. One of three words has a value before it.
func (f frame) aggregate(a args, i, last int) {
	f.called()
	list, n := a.list(i, 1)
	for k := range n {
		t := list.at(k)
		var value Amount
		if last == 3 {
			value = t.amount(2)
		}
		to, data := t.address(0), t.bytes(last)
		if *a.err != nil {
			return
		}
		f.calls(to, value, data)
	}
}

func execute(f frame, a args) {
	f.called()
	f.perform(a, a.address(0), a.amount(1), a.bytes(2), 0)
}

// What an account that is a Safe does with a call, besides calling.
const delegated = 1

// perform visits a call by an account, if its arguments could be read.
func (f frame) perform(a args, to Address, value Amount, data []byte, operation int) {
	if operation > delegated {
		a.fail()
	}
	if *a.err != nil {
		return
	}
	if operation == delegated {
		f.runs(to, data)
	} else {
		f.calls(to, value, data)
	}
}

func execTransaction(f frame, a args) {
	execTransactionFromModule(f, a)
	if _ = a.bytes(9); *a.err == nil {
		f.refunds(a.amount(6), a.address(7), a.address(8))
	}
}

func execTransactionFromModule(f frame, a args) {
	f.called()
	f.perform(a, a.address(0), a.amount(1), a.bytes(2), a.number(3))
}

// refunds notes that a Safe pays whoever relays its transaction, if it says at
// what price: in a coin of its choice, for gas that only the end will tell.
func (f frame) refunds(price Amount, coin, to Address) {
	if price.IsZero() {
		return
	}
	asset := Asset{Standard: Native}
	if !coin.IsZero() {
		asset = token(ERC20, coin)
	}
	if to.IsZero() {
		to = f.sender
	}
	f.add(Effect{Kind: Transfer, Asset: asset, Amount: MaxAmount(), Unlimited: true, From: f.self, To: to})
}

// multiSend is Safe's list of calls, packed: operation, to, value, length, data.
func multiSend(f frame, a args) {
	if f.sender != f.self { // else whoever runs this as its own is noted already
		f.called()
	}
	const head = 1 + 20 + 32 + 32
	for b := a.bytes(0); len(b) > 0 && *a.err == nil; {
		if len(b) < head {
			a.fail()
			return
		}
		var value Amount
		value.v.SetBytes32(b[21:53])
		n := binary.BigEndian.Uint64(b[77:85])
		if [24]byte(b[53:77]) != [24]byte{} || n > uint64(len(b)-head) {
			a.fail()
			return
		}
		f.perform(a, Address(b[1:21]), value, b[head:head+n], int(b[0]))
		b = b[head+n:]
	}
}
