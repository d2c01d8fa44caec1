package intents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/vault"
)

// Request is a transaction as an agent asks for it: the published texts.
type Request struct {
	To    string // "" with data creates a contract
	Value string // of the chain's coin, decimal: "0.25"
	Chain string // name or chain id
	Data  string // hex with 0x, or ""

	// Access is the access list of EIP-2930. With GasPrice it makes the transaction
	// one of that type.
	Access []AccessSpec `json:",omitempty"`

	KeyPath  string // "" means keys/{chain}-signer
	Nonce    *uint64
	GasLimit *uint64
	GasPrice string // wei; alone: EIP-155, or EIP-2930 with Access
	MaxFee   string // wei; with Tip: EIP-1559
	Tip      string

	// IdempotencyKey lets the request be repeated for 24 hours: "" for none.
	IdempotencyKey string
	// Simulate refuses what would revert, before anything is reserved.
	Simulate bool
	// Resimulate is Simulate, and once more right before the key signs: what would
	// do something else by then is refused.
	Resimulate bool `json:",omitempty"`
}

// parsed is a Request that makes sense.
type parsed struct {
	call     evm.Call
	path     vault.SecretPath // zero: by the chain's name
	chain    string
	nonce    *uint64
	gas      uint64 // 0: to be estimated
	fees     Fees   // empty: to be asked for
	key      string
	print    []byte
	simulate bool

	resimulate bool
}

// Bounds of a request.
const (
	maxCallData = 128 << 10 // what nodes take in one transaction
	maxGas      = 1 << 32
	maxKey      = 255
)

func (r Request) parse(kind Kind) (p parsed, err error) {
	if p.call, err = r.parseCall(); err != nil {
		return p, err
	}
	if p.fees, err = r.parseFees(); err != nil {
		return p, err
	}
	if r.KeyPath != "" {
		if p.path, err = vault.ParseSecretPath(r.KeyPath); err != nil {
			return p, err
		}
	}
	if r.GasLimit != nil {
		if *r.GasLimit == 0 || *r.GasLimit > maxGas {
			return p, ErrRequest.Detail("gas_limit must be 1 to %d", uint64(maxGas))
		}
		p.gas = *r.GasLimit
	}
	if !visible(r.IdempotencyKey) {
		return p, ErrBadIdemKey
	}
	p.chain, p.nonce, p.key, p.simulate = r.Chain, r.Nonce, r.IdempotencyKey, r.Simulate || r.Resimulate
	p.resimulate = r.Resimulate
	if p.key != "" {
		p.print, err = r.fingerprint(kind)
	}
	return p, err
}

func (r Request) parseCall() (c evm.Call, err error) {
	if c.Value, err = evm.ParseUnits(r.Value, nativeDecimals); err != nil {
		return c, ErrRequest.Detail("value must be a decimal number of the chain's coin such as \"0.25\", with at most %d decimals", nativeDecimals)
	}
	if c.Data, err = parseHex(r.Data); err != nil {
		return c, ErrRequest.Detail("data must be hex with 0x, of at most %d bytes", maxCallData)
	}
	if c.Access, err = parseAccess(r.Access); err != nil {
		return c, err
	}
	if r.To == "" {
		if len(c.Data) == 0 {
			return c, ErrRequest.Detail("to is needed; it may be empty only where data creates a contract")
		}
		return c, nil
	}
	to, err := evm.ParseAddress(r.To)
	if err != nil {
		return c, ErrRequest.Detail("to must be an address: 0x and 40 hex digits, in one case or with the checksum of EIP-55")
	}
	c.To = &to
	return c, nil
}

func (r Request) parseFees() (f Fees, err error) {
	for _, part := range []struct {
		name, text string
		to         **evm.Amount
	}{{"gas_price", r.GasPrice, &f.GasPrice}, {"max_fee_per_gas", r.MaxFee, &f.MaxFee}, {"max_priority_fee_per_gas", r.Tip, &f.Tip}} {
		if part.text == "" {
			continue
		}
		v, err := evm.ParseAmount(part.text)
		if err != nil {
			return f, ErrRequest.Detail("%s must be a whole number of wei in decimal", part.name)
		}
		*part.to = &v
	}
	switch {
	case f.GasPrice != nil && (f.MaxFee != nil || f.Tip != nil):
		return f, ErrRequest.Detail("gas_price does not go with max_fee_per_gas and max_priority_fee_per_gas")
	case (f.MaxFee == nil) != (f.Tip == nil):
		return f, ErrRequest.Detail("max_fee_per_gas and max_priority_fee_per_gas go together")
	case f.MaxFee != nil && f.Tip.Cmp(*f.MaxFee) > 0:
		return f, ErrRequest.Detail("max_priority_fee_per_gas is more than max_fee_per_gas")
	}
	return f, nil
}

func (f Fees) none() bool { return f.GasPrice == nil && f.MaxFee == nil }

// most is what a unit of gas costs at most.
func (f Fees) most() evm.Amount {
	if f.GasPrice != nil {
		return *f.GasPrice
	}
	return *f.MaxFee
}

func parseHex(s string) ([]byte, error) {
	if s == "" || s == "0x" {
		return nil, nil
	}
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) > 2*maxCallData {
		return nil, fmt.Errorf("not hex with 0x, or too long")
	}
	return hex.DecodeString(digits)
}

// visible reports whether a key may be a header's value; none is one.
func visible(key string) bool {
	if len(key) > maxKey {
		return false
	}
	for _, b := range []byte(key) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}

// fingerprint tells one request from another under the same Idempotency-Key.
func (r Request) fingerprint(kind Kind) ([]byte, error) {
	r.IdempotencyKey = ""
	raw, err := json.Marshal(struct {
		Kind    Kind
		Request Request
	}{kind, r})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}

// keyPath is where the key is: as asked, or the published default.
func (p parsed) keyPath(c Chain) (vault.SecretPath, error) {
	if p.path != (vault.SecretPath{}) {
		return p.path, nil
	}
	return vault.ParseSecretPath("keys/" + c.Name + "-signer")
}
