package evm

// permit2Methods are those of Uniswap's Permit2, which holds the approvals of
// many tokens: the token is an argument. What an owner signed for it gives one
// spender an amount; what a spender calls moves it.
func permit2Methods() []method {
	return []method{
		{name: "approve(address,address,uint160,uint48)", effects: func(f frame, a args) {
			_ = a.bits(3, 48)
			f.allows(token(ERC20, a.address(0)), a.bits(2, 160), f.sender, a.address(1))
		}},
		{name: "permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)", effects: func(f frame, a args) {
			_ = a.bytes(7)
			f.allows(token(ERC20, a.address(1)), a.bits(2, 160), a.address(0), a.address(5))
		}},
		{name: "permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)", effects: permitBatch},
		{name: "transferFrom(address,address,uint160,address)", effects: func(f frame, a args) {
			f.moves(token(ERC20, a.address(3)), a.bits(2, 160), a.address(0), a.address(1))
		}},
		{name: "transferFrom((address,address,uint160,address)[])", effects: func(f frame, a args) {
			list, n := a.list(0, 4)
			for i := range f.some(a, n) {
				t := list.from(4 * i)
				f.moves(token(ERC20, t.address(3)), t.bits(2, 160), t.address(0), t.address(1))
			}
		}},
		{name: "permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)", effects: spend},
		{name: "permitWitnessTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes32,string,bytes)", effects: spend},
		{name: "permitTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes)", effects: spendBatch},
		{name: "permitWitnessTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes32,string,bytes)", effects: spendBatch},
	}
}

// some is n, if so many effects are not too many or too few.
func (f frame) some(a args, n int) int {
	if n == 0 || n > maxEffects {
		a.fail()
		return 0
	}
	return n
}

func permitBatch(f frame, a args) {
	batch := a.at(1)
	list, n := batch.list(0, 4)
	for i := range f.some(a, n) {
		d := list.from(4 * i)
		f.allows(token(ERC20, d.address(0)), d.bits(1, 160), a.address(0), batch.address(1))
	}
}

// spend moves what was permitted, or a part of it.
func spend(f frame, a args) {
	f.moves(token(ERC20, a.address(0)), a.amount(5), a.address(6), a.address(4))
}

func spendBatch(f frame, a args) {
	permitted, n := a.at(0).list(0, 2)
	details, m := a.list(1, 2)
	if n != m {
		a.fail()
	}
	for i := range f.some(a, n) {
		if *a.err != nil {
			return
		}
		f.moves(token(ERC20, permitted.address(2*i)), details.amount(2*i+1), a.address(2), details.address(2*i))
	}
}
