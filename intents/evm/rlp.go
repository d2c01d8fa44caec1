package evm

import "github.com/holiman/uint256"

// rlp is items in Ethereum's serialisation (yellow paper, appendix B), one after the
// other. It is written here and not read: what is signed is made of a Tx, and chains
// read it. go-ethereum's encoder would have the linker keep every method of the
// program (ADR 0037).
type rlp []byte

// Where the numbers begin that say what follows, and how long it is.
const (
	rlpBytes = 0x80
	rlpList  = 0xc0
	rlpShort = 55 // what is longer has its length's length there
)

func (r rlp) bytes(b []byte) rlp {
	if len(b) == 1 && b[0] < rlpBytes {
		return append(r, b[0])
	}
	return append(r.head(rlpBytes, len(b)), b...)
}

// amount appends a number: its bytes without leading zeros.
func (r rlp) amount(n Amount) rlp { return r.bytes(n.v.Bytes()) }

func (r rlp) number(n uint64) rlp { return r.amount(NewAmount(n)) }

func (r rlp) list(items rlp) rlp { return append(r.head(rlpList, len(items)), items...) }

func (r rlp) head(kind byte, size int) rlp {
	if size <= rlpShort {
		return append(r, kind+byte(size))
	}
	length := uint256.NewInt(uint64(size)).Bytes()
	return append(append(r, kind+rlpShort+byte(len(length))), length...)
}
