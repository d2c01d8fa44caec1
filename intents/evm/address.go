package evm

import (
	"encoding/hex"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto/keccak"
)

// Address names an account or a contract. The zero value is the zero address.
type Address [20]byte

// ParseAddress reads 0x and 40 hex digits. Digits of one case are taken as they
// are; of mixed case they have to satisfy EIP-55, so that a mistyped address
// does not pass.
func ParseAddress(s string) (Address, error) {
	var a Address
	if !decodeHex(a[:], s) {
		return Address{}, ErrAddress
	}
	digits := s[2:]
	if digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && s != a.String() {
		return Address{}, ErrAddress.Detail("The checksum of the address is wrong: a digit or its case was mistyped")
	}
	return a, nil
}

// String spells the address with its checksum.
func (a Address) String() string { return common.Address(a).Hex() }

// AddressOf is that of a public key: an uncompressed point of SEC 1, 4 ‖ X ‖ Y.
func AddressOf(public [65]byte) Address { return addressOf(public[:]) }

// Creates is the address of the contract that the account's transaction with a
// nonce makes (yellow paper, §7).
func (a Address) Creates(nonce uint64) Address {
	digest := keccak256(rlp(nil).list(rlp(nil).bytes(a[:]).number(nonce)))
	return Address(digest[12:])
}

// IsZero reports whether it is the zero address, which nobody has the key of.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText implements encoding.TextMarshaler. It is for programs, and in lower
// case: a checksum costs more than all else that a record's JSON does, to write and
// to read. What people see is String's.
func (a Address) MarshalText() ([]byte, error) { return hex.AppendEncode([]byte("0x"), a[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler as ParseAddress does.
func (a *Address) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAddress(string(text))
	return err
}

// Hash is a Keccak-256 digest: of a transaction, a block, a message.
type Hash [32]byte

func keccak256(parts ...[]byte) (h Hash) {
	state := keccak.NewLegacyKeccak256()
	for _, p := range parts {
		state.Write(p)
	}
	state.Sum(h[:0])
	return h
}

// ParseHash reads 0x and 64 hex digits of either case.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if !decodeHex(h[:], s) {
		return Hash{}, ErrHash
	}
	return h, nil
}

// String spells the hash in lower case.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode([]byte("0x"), h[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler as ParseHash does.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHash(string(text))
	return err
}

// decodeHex fills dst from 0x and as many digits as that takes.
func decodeHex(dst []byte, s string) bool {
	if len(s) != 2+2*len(dst) || s[:2] != "0x" {
		return false
	}
	_, err := hex.Decode(dst, []byte(s[2:]))
	return err == nil
}
