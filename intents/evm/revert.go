package evm

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
)

// RevertKind says how a contract gave its reason for reverting.
type RevertKind string

// The kinds.
const (
	RevertSilent RevertKind = "none"    // it gave none
	RevertError  RevertKind = "error"   // a text: require, revert
	RevertPanic  RevertKind = "panic"   // a code of the compiler's: assert, overflow
	RevertCustom RevertKind = "custom"  // an error that the contract declares
	RevertOther  RevertKind = "unknown" // bytes of no known form
)

// CustomErrors are errors that contracts declare, by selector.
type CustomErrors map[[4]byte]abi.Error

// ParseErrors reads the errors of a contract's ABI, as compilers write it.
func ParseErrors(abiJSON []byte) (CustomErrors, error) {
	parsed, err := abi.JSON(bytes.NewReader(abiJSON))
	if err != nil {
		return nil, fmt.Errorf("evm: reading an ABI: %w", err)
	}
	out := CustomErrors{}
	for _, e := range parsed.Errors {
		out[[4]byte(e.ID[:4])] = e
	}
	return out, nil
}

// RevertReason says in words why a call was reverted, from the bytes that it
// returned: what errors of its own the contract declares can be told in extra.
// The words are the contract's, and so not to be believed; they are one line of
// printable characters at most 256 long.
func RevertReason(data []byte, extra ...CustomErrors) (string, RevertKind) {
	if len(data) == 0 {
		return "reverted without a reason", RevertSilent
	}
	if len(data) < 4 || len(data) > maxData {
		return "reverted with data of no known form", RevertOther
	}
	selector := [4]byte(data)
	a := args{data[4:], new(error)}
	switch selector {
	case errorSelector:
		if text := a.bytes(0); *a.err == nil {
			return Printable(string(text), maxReason), RevertError
		}
		return "reverted with data of no known form", RevertOther
	case panicSelector:
		if code := a.amount(0); *a.err == nil {
			return panicText(code), RevertPanic
		}
		return "reverted with data of no known form", RevertOther
	}
	for _, known := range append(extra, commonErrors) {
		if e, ok := known[selector]; ok {
			if text, ok := customText(e, data[4:]); ok {
				return text, RevertCustom
			}
		}
	}
	return "custom error 0x" + hex.EncodeToString(selector[:]), RevertCustom
}

var (
	errorSelector = [4]byte{0x08, 0xc3, 0x79, 0xa0} // Error(string)
	panicSelector = [4]byte{0x4e, 0x48, 0x7b, 0x71} // Panic(uint256)
)

// panics are Solidity's.
var panics = map[uint64]string{
	0x00: "generic panic",
	0x01: "an assertion failed",
	0x11: "arithmetic overflow or underflow",
	0x12: "division by zero",
	0x21: "a number is no value of its enum",
	0x22: "storage is encoded wrongly",
	0x31: "an element was taken from an empty array",
	0x32: "an index is out of bounds",
	0x41: "too much memory was asked for",
	0x51: "a function was called that is not set",
}

func panicText(code Amount) string {
	n, fits := code.Uint64()
	if text, ok := panics[n]; ok && fits {
		return fmt.Sprintf("panic 0x%02x: %s", n, text)
	}
	return "panic of unknown code"
}

// commonErrors are those that most tokens share (ERC-6093), and a few of
// OpenZeppelin's.
var commonErrors = declare(
	"ERC20InsufficientBalance(address,uint256,uint256)", "ERC20InvalidSender(address)", "ERC20InvalidReceiver(address)",
	"ERC20InsufficientAllowance(address,uint256,uint256)", "ERC20InvalidApprover(address)", "ERC20InvalidSpender(address)",
	"ERC721InvalidOwner(address)", "ERC721NonexistentToken(uint256)", "ERC721IncorrectOwner(address,uint256,address)",
	"ERC721InvalidReceiver(address)", "ERC721InsufficientApproval(address,uint256)",
	"ERC1155InsufficientBalance(address,uint256,uint256,uint256)", "ERC1155InvalidReceiver(address)",
	"ERC1155MissingApprovalForAll(address,address)",
	"ERC2612ExpiredSignature(uint256)", "ERC2612InvalidSigner(address,address)",
	"OwnableUnauthorizedAccount(address)", "AccessControlUnauthorizedAccount(address,bytes32)",
	"EnforcedPause()", "ReentrancyGuardReentrantCall()", "SafeERC20FailedOperation(address)", "FailedCall()",
)

func declare(signatures ...string) CustomErrors {
	out := CustomErrors{}
	for _, s := range signatures {
		name, list, _ := strings.Cut(strings.TrimSuffix(s, ")"), "(")
		var in abi.Arguments
		for kind := range strings.SplitSeq(list, ",") {
			if t, err := abi.NewType(kind, "", nil); err == nil {
				in = append(in, abi.Argument{Type: t})
			}
		}
		out[Selector(s)] = abi.NewError(name, in)
	}
	return out
}

func customText(e abi.Error, data []byte) (string, bool) {
	values, err := e.Inputs.UnpackValues(data)
	if err != nil && len(e.Inputs) > 0 {
		return "", false
	}
	texts := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case [32]byte:
			texts[i] = Hash(v).String()
		case []byte:
			texts[i] = "0x" + hex.EncodeToString(v[:min(len(v), 64)])
		case string, bool, common.Address, *big.Int, uint8, uint16, uint32, uint64, int8, int16, int32, int64:
			texts[i] = fmt.Sprint(v)
		default:
			texts[i] = "…" // lists and structs would be long
		}
	}
	return Printable(e.Name+"("+strings.Join(texts, ", ")+")", maxReason), true
}

const maxReason = 256

// Printable makes one line of what a stranger wrote, with no more than so many
// characters. What cannot be printed becomes a question mark.
func Printable(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n >= most {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
