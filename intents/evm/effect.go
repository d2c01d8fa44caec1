package evm

import "github.com/holiman/uint256"

// Effect is one thing that a call or a signed message would bring about, as far
// as it can be read from it. What contracts do is for them to say: an effect of
// a token that lies is a lie, and a call of an unknown method is only that.
type Effect struct {
	Kind     Kind
	Contract Address // what is called, or believes the message; zero for a new contract
	Selector string  // of the method, "0xa9059cbb"; empty where there is none
	Method   string  // its name and types, if it is known
	Depth    int     // 0 for what is asked for itself, more for calls within calls
	Delegate bool    // Contract runs another's code as its own (delegatecall)

	// What moves, or may be moved from now on.
	Asset     Asset
	Amount    Amount // 0 of an approval takes it back
	Unlimited bool   // no bound that means something

	From Address // whose it is; in a message that does not say, zero: the signer's
	To   Address // who gets it, who may spend it, or what is called
}

// Kind is a kind of effect.
type Kind string

// The kinds.
const (
	Transfer       Kind = "transfer"         // Amount of Asset goes from From to To
	Approval       Kind = "approval"         // To may move Amount of From's Asset
	ApprovalForAll Kind = "approval_for_all" // To may move all of From's tokens of Asset
	Invocation     Kind = "call"             // something happens in Contract
	Creation       Kind = "create"           // a contract is created, with Amount of the native coin
)

// Asset is what a chain's accounts have: its native coin, or a token.
type Asset struct {
	Standard Standard
	Token    Address // its contract; zero for the native coin
	ID       Amount  // which one, of tokens that differ
}

// Standard says what kind of token an asset is.
type Standard string

// The standards. A method that ERC-20 and ERC-721 both have does not tell which
// it is: of an AnyToken, Amount is either how much, or the id of one token.
const (
	Native   Standard = "native"
	ERC20    Standard = "erc20"
	ERC721   Standard = "erc721"
	ERC1155  Standard = "erc1155" // and ERC-6909, which counts in the same way
	AnyToken Standard = "unknown"
)

func token(s Standard, contract Address) Asset { return Asset{Standard: s, Token: contract} }

var infinite96 = *uint256.MustFromHex("0xffffffffffffffffffffffff")

// boundless reports whether an approved amount is not meant as one: from 2^128 on
// nobody has so much of anything, and 2^96-1 is what tokens that count in 96
// bits take for infinity.
func boundless(a Amount) bool {
	return a.v.BitLen() > 128 || a.v == infinite96
}
