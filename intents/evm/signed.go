package evm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// Signed is a transaction as it goes to a node.
type Signed struct {
	Raw  []byte
	Hash Hash
}

// Sign puts a signature of t.Digest on it. Whose signature it is, is not looked
// at: recovering that costs more than signing.
func (t Tx) Sign(sig Signature) (Signed, error) {
	if err := t.Check(); err != nil {
		return Signed{}, err
	}
	tx, err := t.encoding().WithSignature(t.signer(), sig.recoverable())
	if err != nil {
		return Signed{}, ErrSignature.Because(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return Signed{}, ErrTransaction.Because(err)
	}
	return Signed{Raw: raw, Hash: RawHash(raw)}, nil
}

// maxRaw bounds a signed transaction: its data, an access list, and the rest.
const maxRaw = 2 * maxData

// ParseSigned reads a signed transaction of a type that is signed here, and says
// who signed it. Those that are not bound to a chain are refused.
func ParseSigned(raw []byte) (Tx, Address, error) {
	if len(raw) > maxRaw {
		return Tx{}, Address{}, ErrTransaction.Detail("The transaction is larger than %d bytes", maxRaw)
	}
	var tx types.Transaction
	if err := tx.UnmarshalBinary(raw); err != nil {
		return Tx{}, Address{}, ErrTransaction.Because(err)
	}
	if tx.Type() > types.DynamicFeeTxType || !tx.Protected() {
		return Tx{}, Address{}, ErrTransaction.Detail("The transaction is not of a type that is signed here, or not bound to a chain")
	}
	t, err := decoded(&tx)
	if err == nil {
		err = t.Check()
	}
	if err != nil {
		return Tx{}, Address{}, err
	}
	from, err := types.Sender(t.signer(), &tx)
	if err != nil {
		return Tx{}, Address{}, ErrSignature.Because(err)
	}
	return t, Address(from), nil
}

func decoded(tx *types.Transaction) (Tx, error) {
	chain := tx.ChainId()
	if !chain.IsUint64() {
		return Tx{}, ErrTransaction.Detail("The chain's id is out of range")
	}
	t := Tx{
		Type: TxType(tx.Type()), ChainID: chain.Uint64(), Nonce: tx.Nonce(), Gas: tx.Gas(),
		Call: Call{To: (*Address)(tx.To()), Data: tx.Data()},
	}
	fields := map[*Amount]*big.Int{&t.Value: tx.Value()}
	if t.Type == DynamicFee {
		fields[&t.MaxFee], fields[&t.Tip] = tx.GasFeeCap(), tx.GasTipCap()
	} else {
		fields[&t.GasPrice] = tx.GasPrice()
	}
	for to, from := range fields {
		var err error
		if *to, err = AmountOf(from); err != nil {
			return Tx{}, err
		}
	}
	for _, a := range tx.AccessList() {
		entry := Access{Address: Address(a.Address)}
		for _, k := range a.StorageKeys {
			entry.Slots = append(entry.Slots, Hash(k))
		}
		t.Access = append(t.Access, entry)
	}
	return t, nil
}

// RawHash is the hash by which a chain knows the bytes of a signed transaction.
func RawHash(raw []byte) Hash { return Hash(crypto.Keccak256(raw)) }
