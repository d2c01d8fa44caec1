package evm

import (
	"math/big"
	"strings"

	"github.com/holiman/uint256"
)

// Amount is a number of a coin's or token's smallest unit, such as wei: an
// unsigned integer of 256 bits. Amounts compare with ==; the zero value is none.
// Arithmetic that would leave the range is an error.
type Amount struct{ v uint256.Int }

// NewAmount returns n as an amount.
func NewAmount(n uint64) Amount { return Amount{*uint256.NewInt(n)} }

// MaxAmount is the largest amount, which approvals use to say "without limit".
func MaxAmount() Amount { return Amount{*new(uint256.Int).SetAllOne()} }

// AmountOf returns n as an amount, unless it is negative or beyond 256 bits.
func AmountOf(n *big.Int) (Amount, error) {
	v, overflow := uint256.FromBig(n)
	if overflow || n.Sign() < 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{*v}, nil
}

// Longer texts than these are not amounts, whatever their digits are.
const (
	maxDecimals = 77 // digits of the largest amount, less one
	maxDigits   = 78
)

// ParseAmount reads a decimal integer: digits, without sign or leading zeros.
func ParseAmount(s string) (Amount, error) {
	if !digits(s, maxDigits) {
		return Amount{}, ErrAmount.Detail("Not an amount: it has to be a decimal integer")
	}
	return parse(s)
}

// ParseUnits reads a decimal number of units that have so many decimals, such as
// "1.5" ether with 18. It takes digits with one point between them at most, and
// no more digits behind it than there are decimals: nothing is rounded.
func ParseUnits(s string, decimals int) (Amount, error) {
	whole, fraction, point := strings.Cut(s, ".")
	switch {
	case decimals < 0 || decimals > maxDecimals:
		return Amount{}, ErrAmount.Detail("No unit has so many decimals")
	case !digits(whole, maxDigits), point && !fractional(fraction):
		return Amount{}, ErrAmount.Detail("Not an amount: it has to be a decimal number such as 1.5")
	case len(fraction) > decimals:
		return Amount{}, ErrAmount.Detail("The amount has more than %d digits behind the point", decimals)
	}
	return parse(whole + fraction + strings.Repeat("0", decimals-len(fraction)))
}

func digits(s string, most int) bool {
	return fractional(s) && len(s) <= most && (s[0] != '0' || len(s) == 1)
}

func fractional(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func parse(digits string) (Amount, error) {
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return Amount{}, nil
	}
	v, err := uint256.FromDecimal(digits)
	if err != nil {
		return Amount{}, ErrOverflow
	}
	return Amount{*v}, nil
}

// String is the decimal integer.
func (a Amount) String() string { return a.v.Dec() }

// Units is the amount in units of so many decimals, without needless zeros: 1.5.
func (a Amount) Units(decimals int) string {
	s := a.v.Dec()
	if decimals <= 0 {
		return s
	}
	if missing := decimals + 1 - len(s); missing > 0 {
		s = strings.Repeat("0", missing) + s
	}
	whole, fraction := s[:len(s)-decimals], strings.TrimRight(s[len(s)-decimals:], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// Big returns a copy.
func (a Amount) Big() *big.Int { return a.v.ToBig() }

// Uint64 returns the amount if it fits.
func (a Amount) Uint64() (n uint64, fits bool) { return a.v.Uint64(), a.v.IsUint64() }

// IsZero reports whether there is nothing.
func (a Amount) IsZero() bool { return a.v.IsZero() }

// Cmp is -1, 0 or 1 as a is less than, equal to or more than b.
func (a Amount) Cmp(b Amount) int { return a.v.Cmp(&b.v) }

// Add returns a + b.
func (a Amount) Add(b Amount) (Amount, error) {
	var sum Amount
	if _, overflow := sum.v.AddOverflow(&a.v, &b.v); overflow {
		return Amount{}, ErrOverflow
	}
	return sum, nil
}

// Sub returns a − b; there are no negative amounts.
func (a Amount) Sub(b Amount) (Amount, error) {
	var rest Amount
	if _, underflow := rest.v.SubOverflow(&a.v, &b.v); underflow {
		return Amount{}, ErrOverflow.Detail("More would be taken from an amount than it has")
	}
	return rest, nil
}

// Mul returns a · b.
func (a Amount) Mul(b Amount) (Amount, error) {
	var product Amount
	if _, overflow := product.v.MulOverflow(&a.v, &b.v); overflow {
		return Amount{}, ErrOverflow
	}
	return product, nil
}

// MarshalText implements encoding.TextMarshaler: JSON has amounts as strings,
// since its numbers lose digits.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler as ParseAmount does.
func (a *Amount) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAmount(string(text))
	return err
}
