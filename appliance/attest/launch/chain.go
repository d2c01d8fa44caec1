package launch

import (
	"crypto/sha512"
	"encoding/binary"
)

const pageSize = 4096

// Kinds of pages, as the chain has them.
const (
	pageNormal  = 1
	pageVMSA    = 2
	pageZero    = 3
	pageSecrets = 5
	pageCPUID   = 6
)

// vmsaAt is where the chain says that registers lie, whichever processor's.
const vmsaAt = 0xffff_ffff_f000

// Measurement is what the report of a guest has as its measurement.
type Measurement [sha512.Size384]byte

// infoSize is that of the firmware's PAGE_INFO structure.
const infoSize = 0x70

// add extends the chain by a page. Only normal pages and registers have contents
// that are measured.
func (m *Measurement) add(kind byte, at uint64, contents []byte) {
	var info [infoSize]byte
	copy(info[:48], m[:])
	if contents != nil {
		sum := sha512.Sum384(contents)
		copy(info[48:96], sum[:])
	}
	binary.LittleEndian.PutUint16(info[96:], infoSize)
	info[98] = kind // then: no migration image, no rights for VMPL 1 to 3
	binary.LittleEndian.PutUint64(info[104:], at)
	*m = sha512.Sum384(info[:])
}

// addAll extends the chain by pages that follow each other.
func (m *Measurement) addAll(at uint64, contents []byte) {
	for off := 0; off < len(contents); off += pageSize {
		m.add(pageNormal, at+uint64(off), contents[off:off+pageSize])
	}
}

func (m *Measurement) addZeros(at uint64, size uint32) {
	for off := uint64(0); off < uint64(size); off += pageSize {
		m.add(pageZero, at+off, nil)
	}
}
