// Package evmtest reads, for tests, transactions that package evm signed. It reads
// them with go-ethereum, as a node does, which has no part in making them. It must not
// be used but by tests.
package evmtest

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// ParseSigned reads a signed transaction, and says who signed it. It is an error if a
// chain would not take it, or another chain would too.
func ParseSigned(raw []byte) (evm.Tx, evm.Address, error) {
	var tx types.Transaction
	if err := tx.UnmarshalBinary(raw); err != nil {
		return evm.Tx{}, evm.Address{}, err
	}
	if tx.Type() > types.DynamicFeeTxType || !tx.Protected() {
		return evm.Tx{}, evm.Address{}, errors.New("the transaction is not of a type that is signed here, or not bound to a chain")
	}
	t, err := decoded(&tx)
	if err == nil {
		err = t.Check()
	}
	if err != nil {
		return evm.Tx{}, evm.Address{}, err
	}
	signer := types.LatestSignerForChainID(tx.ChainId())
	if digest := signer.Hash(&tx); evm.Hash(digest) != t.Digest() {
		return evm.Tx{}, evm.Address{}, fmt.Errorf("the digest is %s, to go-ethereum %s", t.Digest(), digest)
	}
	from, err := types.Sender(signer, &tx)
	return t, evm.Address(from), err
}

func decoded(tx *types.Transaction) (evm.Tx, error) {
	t := evm.Tx{
		Type: evm.TxType(tx.Type()), ChainID: tx.ChainId().Uint64(), Nonce: tx.Nonce(), Gas: tx.Gas(),
		Call: evm.Call{To: (*evm.Address)(tx.To()), Data: tx.Data()},
	}
	fields := map[*evm.Amount]*big.Int{&t.Value: tx.Value()}
	if t.Type == evm.DynamicFee {
		fields[&t.MaxFee], fields[&t.Tip] = tx.GasFeeCap(), tx.GasTipCap()
	} else {
		fields[&t.GasPrice] = tx.GasPrice()
	}
	for to, from := range fields {
		var err error
		if *to, err = evm.AmountOf(from); err != nil {
			return evm.Tx{}, err
		}
	}
	for _, a := range tx.AccessList() {
		entry := evm.Access{Address: evm.Address(a.Address)}
		for _, k := range a.StorageKeys {
			entry.Slots = append(entry.Slots, evm.Hash(k))
		}
		t.Access = append(t.Access, entry)
	}
	return t, nil
}
