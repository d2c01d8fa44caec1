package evm

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common/math"
)

// hash reads a struct and hashes it (EIP-712, hashStruct). Reading and hashing
// are one pass, so that what was checked is what is signed.
func (s structs) hash(name string, v any) ([32]byte, map[string]any, error) {
	e := encoder{structs: s, typeHash: map[string][]byte{}}
	return e.structure(name, v)
}

// encoder remembers the hashes of types, which an array of structs would have
// made anew for each.
type encoder struct {
	structs
	typeHash map[string][]byte
}

func (e encoder) structure(name string, v any) (sum [32]byte, out map[string]any, err error) {
	values, ok := v.(map[string]any)
	if !ok || len(values) != len(e.structs[name]) {
		return sum, nil, errors.New("a struct does not have the fields that its type has")
	}
	if e.typeHash[name] == nil {
		sum := keccak256([]byte(e.encodeType(name)))
		e.typeHash[name] = sum[:]
	}
	enc := append(make([]byte, 0, 32*(1+len(values))), e.typeHash[name]...)
	out = make(map[string]any, len(values))
	for _, f := range e.structs[name] {
		given, there := values[f.name]
		if !there {
			return sum, nil, errors.New("a struct does not have the fields that its type has")
		}
		word, value, err := e.value(f.kind, given)
		if err != nil {
			return sum, nil, fmt.Errorf("%s: %w", f.name, err)
		}
		enc, out[f.name] = append(enc, word[:]...), value
	}
	return keccak256(enc), out, nil
}

// value encodes one value as a word, and returns it as what it is: Address,
// bool, string, []byte, Amount (unsigned), *big.Int (signed), map[string]any,
// []any.
func (e encoder) value(kind string, v any) (word [32]byte, out any, err error) {
	if of, length, ok := array(kind); ok {
		return e.list(of, length, v)
	}
	if e.structs[kind] != nil {
		sum, fields, err := e.structure(kind, v)
		return sum, fields, err
	}
	wrong := fmt.Errorf("it is not a value of type %s", kind)
	text, isText := v.(string)
	switch {
	case kind == "bool":
		b, ok := v.(bool)
		if !ok {
			return word, nil, wrong
		}
		if b {
			word[31] = 1
		}
		return word, b, nil
	case strings.HasPrefix(kind, "uint"), strings.HasPrefix(kind, "int"):
		return integer(kind, v, wrong)
	case !isText:
		return word, nil, wrong
	case kind == "string":
		return keccak256([]byte(text)), text, nil
	case kind == "address":
		a, err := ParseAddress(text)
		copy(word[12:], a[:])
		return word, a, err
	default:
		return octets(kind, text, wrong)
	}
}

func (e encoder) list(of string, length int, v any) (word [32]byte, out any, err error) {
	items, ok := v.([]any)
	if !ok || length >= 0 && len(items) != length {
		return word, nil, errors.New("it is not an array of the length that its type has")
	}
	enc := make([]byte, 0, 32*len(items))
	values := make([]any, len(items))
	for i, item := range items {
		w, value, err := e.value(of, item)
		if err != nil {
			return word, nil, err
		}
		enc, values[i] = append(enc, w[:]...), value
	}
	return keccak256(enc), values, nil
}

// octets reads bytes, or bytesN of exactly N.
func octets(kind, text string, wrong error) (word [32]byte, out any, err error) {
	digits, prefixed := strings.CutPrefix(text, "0x")
	b, err := hex.DecodeString(digits)
	if err != nil || !prefixed {
		return word, nil, wrong
	}
	if kind == "bytes" {
		return keccak256(b), b, nil
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(kind, "bytes")); err != nil || len(b) != n {
		return word, nil, wrong
	}
	copy(word[:], b)
	return word, b, nil
}

// JSON numbers with a fraction or an exponent are not integers here, even where
// their value is one.
var (
	decimal     = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,77})$`)
	hexadecimal = regexp.MustCompile(`^0x[0-9a-fA-F]{1,64}$`)
)

func integer(kind string, v any, wrong error) (word [32]byte, out any, err error) {
	text, _ := v.(string)
	if n, ok := v.(json.Number); ok && decimal.MatchString(n.String()) {
		text = n.String()
	}
	n := new(big.Int)
	switch {
	case decimal.MatchString(text):
		n.SetString(text, 10)
	case hexadecimal.MatchString(text):
		n.SetString(text[2:], 16)
	default:
		return word, nil, wrong
	}
	width, signed := strings.CutPrefix(kind, "int")
	if !signed {
		width = strings.TrimPrefix(kind, "uint")
	}
	bits, err := strconv.Atoi(width)
	if err != nil || !within(n, bits, signed) {
		return word, nil, wrong
	}
	if signed {
		return [32]byte(math.U256Bytes(new(big.Int).Set(n))), n, nil
	}
	a, err := AmountOf(n)
	return a.v.Bytes32(), a, err
}

// within reports whether an integer of so many bits can be n.
func within(n *big.Int, bits int, signed bool) bool {
	switch {
	case !signed:
		return n.Sign() >= 0 && n.BitLen() <= bits
	case n.Sign() < 0:
		return new(big.Int).Not(n).BitLen() < bits // two's complement: one more below zero
	default:
		return n.BitLen() < bits
	}
}
