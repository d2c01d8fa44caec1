package evmtest

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// A reader for tests has to refuse what it is there to find.
func TestParseSigned(t *testing.T) {
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	from := crypto.PubkeyToAddress(key.PublicKey)
	plain := &types.LegacyTx{Nonce: 3, GasPrice: big.NewInt(7), Gas: 21_000, To: &from, Value: big.NewInt(1)}
	signed := func(s types.Signer) []byte {
		tx, err := types.SignNewTx(key, s, plain)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := tx.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	bound := signed(types.LatestSignerForChainID(big.NewInt(1337)))
	tx, who, err := ParseSigned(bound)
	if err != nil || tx.ChainID != 1337 || tx.Nonce != 3 || who != [20]byte(from) {
		t.Errorf("%+v by %s, %v", tx, who, err)
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "not a transaction": {0xc0}, "cut short": bound[:len(bound)-1], "for every chain": signed(types.HomesteadSigner{}),
	} {
		if _, _, err := ParseSigned(raw); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
