package node

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// TokenInfo is what a token says of itself: anybody can call theirs USDC.
type TokenInfo struct {
	Symbol   string // printable, at most 16 characters
	Decimals int
}

// ErrNotAToken says that a contract does not answer as an ERC-20 token.
var ErrNotAToken = ErrRefused.Detail("The contract does not answer as a token does")

const (
	maxSymbol   = 16
	maxDecimals = 77
)

// Selectors of what tokens are asked.
var (
	symbolCall    = octets{0x95, 0xd8, 0x9b, 0x41} // symbol()
	decimalsCall  = octets{0x31, 0x3c, 0xe5, 0x67} // decimals()
	balanceOfCall = octets{0x70, 0xa0, 0x82, 0x31} // balanceOf(address)
)

// TokenInfo asks a token for its symbol and decimals.
func (p *Pool) TokenInfo(ctx context.Context, token evm.Address) (TokenInfo, error) {
	var symbol, decimals octets
	err := p.ask(ctx, func(n *node) error {
		err := n.call(ctx, &symbol, "eth_call", map[string]any{"to": token, "data": symbolCall}, "latest")
		if err != nil {
			return err
		}
		return n.call(ctx, &decimals, "eth_call", map[string]any{"to": token, "data": decimalsCall}, "latest")
	})
	var r *refusal
	if errors.As(err, &r) {
		return TokenInfo{}, ErrNotAToken.Because(err)
	}
	if err != nil {
		return TokenInfo{}, err
	}
	n, ok := wordOf(decimals)
	d, fits := n.Uint64()
	name, named := symbolOf(symbol)
	if !ok || !fits || d > maxDecimals || !named {
		return TokenInfo{}, ErrNotAToken
	}
	return TokenInfo{Symbol: name, Decimals: int(d)}, nil
}

// symbolOf reads a string, or the 32 bytes that some old tokens return instead.
func symbolOf(b octets) (string, bool) {
	text := ""
	switch {
	case len(b) == 32:
		text = strings.TrimRight(string(b), "\x00")
	case len(b) >= 64 && binary.BigEndian.Uint64(b[24:32]) == 32:
		n := binary.BigEndian.Uint64(b[56:64])
		if n > uint64(len(b)-64) {
			return "", false
		}
		text = string(b[64 : 64+n])
	}
	return evm.Printable(text, maxSymbol), text != ""
}

// wordOf reads a number from the first word of what a call returned.
func wordOf(b octets) (evm.Amount, bool) {
	if len(b) < 32 {
		return evm.Amount{}, false
	}
	var q quantity
	text, _ := octets(b[:32]).MarshalText()
	err := q.UnmarshalText(text)
	return q.Amount, err == nil
}
