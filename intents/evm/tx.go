package evm

import (
	"math"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
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

// Digest is what is signed.
func (t Tx) Digest() Hash { return Hash(t.signer().Hash(t.encoding())) }

func (t Tx) signer() types.Signer {
	return types.LatestSignerForChainID(new(big.Int).SetUint64(t.ChainID))
}

// encoding is the transaction as go-ethereum has it.
func (t Tx) encoding() *types.Transaction {
	to := (*common.Address)(t.To)
	chain := new(big.Int).SetUint64(t.ChainID)
	switch t.Type {
	case DynamicFee:
		return types.NewTx(&types.DynamicFeeTx{
			ChainID: chain, Nonce: t.Nonce, GasTipCap: t.Tip.Big(), GasFeeCap: t.MaxFee.Big(), Gas: t.Gas,
			To: to, Value: t.Value.Big(), Data: t.Data, AccessList: accessList(t.Access),
		})
	case AccessList:
		return types.NewTx(&types.AccessListTx{
			ChainID: chain, Nonce: t.Nonce, GasPrice: t.GasPrice.Big(), Gas: t.Gas,
			To: to, Value: t.Value.Big(), Data: t.Data, AccessList: accessList(t.Access),
		})
	default:
		return types.NewTx(&types.LegacyTx{
			Nonce: t.Nonce, GasPrice: t.GasPrice.Big(), Gas: t.Gas, To: to, Value: t.Value.Big(), Data: t.Data,
		})
	}
}

func accessList(list []Access) types.AccessList {
	out := make(types.AccessList, len(list))
	for i, a := range list {
		keys := make([]common.Hash, len(a.Slots))
		for j, s := range a.Slots {
			keys[j] = common.Hash(s)
		}
		out[i] = types.AccessTuple{Address: common.Address(a.Address), StorageKeys: keys}
	}
	return out
}
