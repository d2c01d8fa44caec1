package evm

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
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

// RevertReason says in words why a call was reverted, from the bytes that it
// returned. The words are the contract's, and so not to be believed; they are one
// line of printable characters at most 256 long.
func RevertReason(data []byte) (string, RevertKind) {
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
	if e, ok := commonErrors[selector]; ok {
		if text := e.text(a); *a.err == nil {
			return text, RevertCustom
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

// customError is an error that contracts declare: its name, and the types of its
// values.
type customError struct {
	name  string
	kinds []string
}

func declare(signatures ...string) map[[4]byte]customError {
	out := make(map[[4]byte]customError, len(signatures))
	for _, s := range signatures {
		name, list, _ := strings.Cut(strings.TrimSuffix(s, ")"), "(")
		e := customError{name: name}
		if list != "" {
			e.kinds = strings.Split(list, ",")
		}
		out[Selector(s)] = e
	}
	return out
}

func (e customError) text(values args) string {
	texts := make([]string, len(e.kinds))
	for i, kind := range e.kinds {
		switch kind {
		case "address":
			texts[i] = values.address(i).String()
		case "uint256":
			texts[i] = values.amount(i).String()
		default: // bytes32
			texts[i] = Hash(values.word(i)).String()
		}
	}
	return Printable(e.name+"("+strings.Join(texts, ", ")+")", maxReason)
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
