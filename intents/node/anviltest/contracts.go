package anviltest

import (
	"embed"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// The sources are beside them; contracts/build.sh compiles them.
//
//go:embed contracts/Token.bin contracts/Reverter.bin
var compiled embed.FS

// Token is what a token is called. Account 0 deploys it and has all of it.
type Token struct {
	Name, Version, Symbol string
	Decimals              uint8
	Supply                evm.Amount
}

// USDC is a token like Circle's on Base Sepolia, whose signatures have the same
// domain but for the contract.
func USDC() Token {
	return Token{Name: "USDC", Version: "2", Symbol: "USDC", Decimals: 6, Supply: evm.NewAmount(1_000_000_000000)}
}

// DeployToken deploys contracts/Token.sol.
func (c *Chain) DeployToken(token Token) evm.Address {
	c.t.Helper()
	return c.Send(0, evm.Call{Data: token.Code(c.t)})
}

// Code is what makes the token: the data of a transaction without a recipient.
func (token Token) Code(t testing.TB) []byte {
	t.Helper()
	args := encode(t, token.Name, token.Version, token.Symbol, int(token.Decimals), token.Supply)
	return append(code(t, "Token"), args...)
}

// DeployReverter deploys contracts/Reverter.sol.
func (c *Chain) DeployReverter() evm.Address {
	c.t.Helper()
	return c.Send(0, evm.Call{Data: code(c.t, "Reverter")})
}

// Calldata is a call of a method, such as "transfer(address,uint256)".
func Calldata(t testing.TB, method string, args ...any) []byte {
	t.Helper()
	selector := evm.Selector(method)
	return append(selector[:], encode(t, args...)...)
}

// encode writes arguments as contracts read them: a word for each address,
// amount, hash and number, and for a text the place where it is.
func encode(t testing.TB, args ...any) []byte {
	t.Helper()
	var head, tail []byte
	for _, a := range args {
		switch a := a.(type) {
		case evm.Address:
			head = append(head, word(new(big.Int).SetBytes(a[:]))...)
		case evm.Amount:
			head = append(head, word(a.Big())...)
		case evm.Hash:
			head = append(head, a[:]...)
		case int:
			head = append(head, word(big.NewInt(int64(a)))...)
		case string:
			head = append(head, word(big.NewInt(int64(32*len(args)+len(tail))))...)
			padded := make([]byte, (len(a)+31)/32*32)
			copy(padded, a)
			tail = append(append(tail, word(big.NewInt(int64(len(a))))...), padded...)
		default:
			t.Fatalf("anviltest: no argument is %T", a)
		}
	}
	return append(head, tail...)
}

func word(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

func code(t testing.TB, name string) []byte {
	t.Helper()
	text, err := compiled.ReadFile("contracts/" + name + ".bin")
	ok(t, err)
	b, err := hex.DecodeString(string(text))
	ok(t, err)
	return b
}
