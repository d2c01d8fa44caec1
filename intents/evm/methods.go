package evm

// method is a method whose effects are known.
type method struct {
	name      string // with its types
	effects   func(frame, args)
	delegable bool // it means the same where it runs as another contract
}

// known are all of them, by selector.
var known = bySelector(tokenMethods(), youngerTokenMethods(), permit2Methods(), nestedMethods())

func bySelector(lists ...[]method) map[[4]byte]method {
	out := map[[4]byte]method{}
	for _, list := range lists {
		for _, m := range list {
			out[Selector(m.name)] = m
		}
	}
	return out
}

// Selector is how call data begins that is for a method, of which the name and
// the types of its arguments are given: "transfer(address,uint256)".
func Selector(method string) [4]byte {
	sum := keccak256([]byte(method))
	return [4]byte(sum[:])
}

// tokenMethods are those of ERC-20, 721 and 1155, and what extends these. The
// token is the contract that is called.
func tokenMethods() []method {
	return []method{
		{name: "transfer(address,uint256)", effects: transfer},
		{name: "transferFrom(address,address,uint256)", effects: transferFrom},
		{name: "approve(address,uint256)", effects: func(f frame, a args) {
			f.allows(token(AnyToken, f.self), a.amount(1), f.sender, a.address(0))
		}},
		{name: "increaseAllowance(address,uint256)", effects: func(f frame, a args) {
			f.allows(token(ERC20, f.self), a.amount(1), f.sender, a.address(0))
		}},
		{name: "decreaseAllowance(address,uint256)", effects: func(f frame, a args) {
			_ = a.amount(1) // by which there will be less
			f.allows(token(ERC20, f.self), Amount{}, f.sender, a.address(0))
		}},
		{name: "increaseApproval(address,uint256)", effects: func(f frame, a args) { // as LINK still has it
			f.allows(token(ERC20, f.self), a.amount(1), f.sender, a.address(0))
		}},
		{name: "transferAndCall(address,uint256)", effects: transfer},       // ERC-1363
		{name: "transferAndCall(address,uint256,bytes)", effects: transfer}, // and ERC-677
		{name: "transferFromAndCall(address,address,uint256)", effects: transferFrom},
		{name: "transferFromAndCall(address,address,uint256,bytes)", effects: transferFrom},
		{name: "approveAndCall(address,uint256)", effects: approveAndCall},
		{name: "approveAndCall(address,uint256,bytes)", effects: approveAndCall},

		{name: "safeTransferFrom(address,address,uint256)", effects: transferOne},
		{name: "safeTransferFrom(address,address,uint256,bytes)", effects: transferOne},
		{name: "safeTransferFrom(address,address,uint256,uint256,bytes)", effects: func(f frame, a args) {
			_ = a.bytes(4)
			f.moves(Asset{ERC1155, f.self, a.amount(2)}, a.amount(3), a.address(0), a.address(1))
		}},
		{name: "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", effects: transferBatch},
		{name: "setApprovalForAll(address,bool)", effects: approveAll},

		// ERC-2612 and what went before it and after.
		{name: "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", effects: permit},
		{name: "permit(address,address,uint256,uint256,bytes)", effects: permit},
		{name: "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)", effects: permitDAI},
		{name: "permit(address,uint256,uint256,uint8,bytes32,bytes32)", effects: permitOne},
		{name: "permit(address,uint256,uint256,bytes)", effects: permitOne}, // ERC-4494

		// EIP-3009
		{name: "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)", effects: authorized},
		{name: "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)", effects: authorized},
		{name: "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)", effects: authorized},
		{name: "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)", effects: authorized},
	}
}

// youngerTokenMethods are those of standards that fewer tokens keep to.
func youngerTokenMethods() []method {
	return []method{
		// ERC-777
		{name: "send(address,uint256,bytes)", effects: transfer},
		{name: "operatorSend(address,address,uint256,bytes,bytes)", effects: transferFrom},
		{name: "authorizeOperator(address)", effects: func(f frame, a args) { f.entrusts(a.address(0), true) }},

		// ERC-6909
		{name: "transfer(address,uint256,uint256)", effects: func(f frame, a args) {
			f.moves(Asset{ERC1155, f.self, a.amount(1)}, a.amount(2), f.sender, a.address(0))
		}},
		{name: "transferFrom(address,address,uint256,uint256)", effects: func(f frame, a args) {
			f.moves(Asset{ERC1155, f.self, a.amount(2)}, a.amount(3), a.address(0), a.address(1))
		}},
		{name: "approve(address,uint256,uint256)", effects: func(f frame, a args) {
			f.allows(Asset{ERC1155, f.self, a.amount(1)}, a.amount(2), f.sender, a.address(0))
		}},
		{name: "setOperator(address,bool)", effects: approveAll},
	}
}

func transfer(f frame, a args) {
	f.moves(token(ERC20, f.self), a.amount(1), f.sender, a.address(0))
}

func transferFrom(f frame, a args) {
	f.moves(token(AnyToken, f.self), a.amount(2), a.address(0), a.address(1))
}

func approveAndCall(f frame, a args) {
	f.allows(token(ERC20, f.self), a.amount(1), f.sender, a.address(0))
}

func transferOne(f frame, a args) {
	f.moves(Asset{ERC721, f.self, a.amount(2)}, NewAmount(1), a.address(0), a.address(1))
}

func transferBatch(f frame, a args) {
	ids, n := a.list(2, 1)
	amounts, m := a.list(3, 1)
	if n != m || n == 0 || n > maxEffects {
		a.fail() // there would be no effect, or none that a contract takes
		return
	}
	for i := range n {
		f.moves(Asset{ERC1155, f.self, ids.amount(i)}, amounts.amount(i), a.address(0), a.address(1))
	}
}

func approveAll(f frame, a args) {
	f.entrusts(a.address(0), a.bool(1))
}

// entrusts notes that somebody may move all that the sender has, or no longer.
func (f frame) entrusts(to Address, all bool) {
	e := Effect{Kind: ApprovalForAll, Asset: token(AnyToken, f.self), From: f.sender, To: to}
	if all {
		e.Amount, e.Unlimited = MaxAmount(), true
	}
	f.add(e)
}

func permit(f frame, a args) {
	_ = a.amount(3)
	f.allows(token(ERC20, f.self), a.amount(2), a.address(0), a.address(1))
}

// permitDAI is a permit of all or nothing.
func permitDAI(f frame, a args) {
	var n Amount
	if a.bool(4) {
		n = MaxAmount()
	}
	f.allows(token(ERC20, f.self), n, a.address(0), a.address(1))
}

// permitOne is a permit for one token, of whoever has it.
func permitOne(f frame, a args) {
	_ = a.amount(2)
	f.allows(Asset{ERC721, f.self, a.amount(1)}, NewAmount(1), Address{}, a.address(0))
}

func authorized(f frame, a args) {
	_ = a.word(5)
	f.moves(token(ERC20, f.self), a.amount(2), a.address(0), a.address(1))
}
