package evm

import (
	"math"

	"github.com/holiman/uint256"
)

// Call is what a transaction does: it takes value and data to an account. To is
// nil where it creates a contract instead, whose code Data is.
type Call struct {
	To     *Address
	Value  Amount
	Data   []byte
	Access []Access `json:",omitempty"` // what it costs depends on it, what it does not
}

// TxType says how a transaction is encoded and how it offers to pay for gas.
type TxType uint8

// The types that are signed here.
const (
	Legacy     TxType = iota // EIP-155: GasPrice
	AccessList               // EIP-2930: GasPrice and an access list
	DynamicFee               // EIP-1559: MaxFee, Tip and an access list
)

// Access is an entry of an access list (EIP-2930): storage that the transaction
// says beforehand it will use.
type Access struct {
	Address Address
	Slots   []Hash
}

// Tx is an unsigned transaction.
type Tx struct {
	Type    TxType
	ChainID uint64
	Nonce   uint64
	Call
	Gas      uint64 // limit
	GasPrice Amount // per gas; of Legacy and AccessList
	MaxFee   Amount // per gas, tip included; of DynamicFee
	Tip      Amount // per gas, to whoever makes the block; of DynamicFee
}

// maxData is the size of call data beyond which nodes keep no transaction.
const maxData = 128 << 10

// Check says whether the transaction can be valid on any chain. Whether it is on
// this one, now, is for a node to say.
func (t Tx) Check() error {
	dynamic := t.Type == DynamicFee
	switch {
	case t.Type > DynamicFee:
		return ErrTransaction.Detail("The type of the transaction is not known")
	case t.ChainID == 0:
		return ErrTransaction.Detail("A transaction without a chain would be valid on all of them")
	case t.Nonce == math.MaxUint64: // EIP-2681
		return ErrTransaction.Detail("The nonce is out of range")
	case t.Gas == 0:
		return ErrTransaction.Detail("The gas limit is zero")
	case dynamic && !t.GasPrice.IsZero(), !dynamic && !(t.MaxFee.IsZero() && t.Tip.IsZero()):
		return ErrTransaction.Detail("The fees are not those of the transaction's type")
	case t.Tip.Cmp(t.MaxFee) > 0:
		return ErrTransaction.Detail("The priority fee is more than the maximal fee")
	case t.Type == Legacy && len(t.Access) > 0:
		return ErrTransaction.Detail("A legacy transaction has no access list")
	case t.To == nil && len(t.Data) == 0:
		return ErrTransaction.Detail("A transaction without recipient and without code would lose its value")
	case len(t.Data) > maxData:
		return ErrTransaction.Detail("The data is larger than %d bytes", maxData)
	}
	_, err := t.MaxCost()
	return err
}

// MaxCost is the most that the transaction can take from its sender: its value
// and all of its gas at the highest price. Rollups charge their data on top.
func (t Tx) MaxCost() (Amount, error) {
	price := t.GasPrice
	if t.Type == DynamicFee {
		price = t.MaxFee
	}
	fee, err := price.Mul(NewAmount(t.Gas))
	if err != nil {
		return Amount{}, err
	}
	return fee.Add(t.Value)
}

// Digest is what is signed. A legacy transaction has its chain in it (EIP-155).
func (t Tx) Digest() Hash {
	if t.Type == Legacy {
		return keccak256(rlp(nil).list(t.items().number(t.ChainID).number(0).number(0)))
	}
	return keccak256(t.envelope(t.items()))
}

// encoded is the transaction with its signature.
func (t Tx) encoded(sig Signature) []byte {
	v := NewAmount(uint64(sig.recovery))
	if t.Type == Legacy { // 35 + 2 × chain and v; 35 lets 27 and 28 be those of any chain
		v.v.AddUint64(new(uint256.Int).Lsh(uint256.NewInt(t.ChainID), 1), 35+uint64(sig.recovery))
	}
	return t.envelope(t.items().amount(v).amount(numberOf(sig.r)).amount(numberOf(sig.s)))
}

// envelope is a list of items with the type before it, which a legacy one has not
// (EIP-2718).
func (t Tx) envelope(items rlp) []byte {
	if t.Type == Legacy {
		return rlp(nil).list(items)
	}
	return rlp{byte(t.Type)}.list(items)
}

// items are the parts of the transaction that its type has, in their order.
func (t Tx) items() (r rlp) {
	if t.Type != Legacy {
		r = r.number(t.ChainID)
	}
	r = r.number(t.Nonce)
	if t.Type == DynamicFee {
		r = r.amount(t.Tip).amount(t.MaxFee)
	} else {
		r = r.amount(t.GasPrice)
	}
	r = r.number(t.Gas)
	if t.To == nil {
		r = r.bytes(nil)
	} else {
		r = r.bytes(t.To[:])
	}
	r = r.amount(t.Value).bytes(t.Data)
	if t.Type != Legacy {
		r = r.list(accessList(t.Access))
	}
	return r
}

func accessList(list []Access) (r rlp) {
	for _, a := range list {
		var slots rlp
		for _, s := range a.Slots {
			slots = slots.bytes(s[:])
		}
		r = r.list(rlp(nil).bytes(a.Address[:]).list(slots))
	}
	return r
}

func numberOf(word [32]byte) Amount { return Amount{*new(uint256.Int).SetBytes32(word[:])} }
