package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"reflect"
	"unsafe"
)

// A sealed record is
//
//	algorithm (1) ‖ record version (1) ‖ nonce (24) ‖ ciphertext ‖ tag (16)
//
// and its additional data
//
//	domain ‖ algorithm ‖ record version ‖ length of the table's name (1) ‖ name ‖ key
//
// which has one reading only: everything before the key has a fixed or a
// stated length. The algorithm is XAES-256-GCM (c2sp.org/XAES-256-GCM): plain
// AES-GCM with random nonces must not seal more than 2^32 records under one
// key, and an audit of 10,000 events a second does so in five days.
const (
	algXAES256GCM = 1
	headerSize    = 2
	saltSize      = 12 // the nonce's first half; the second is AES-GCM's own
	recordDomain  = "oneclawd record\x00"
)

var errRecordForm = errors.New("not a sealed record of a known form")

// sealer seals and opens records under one key.
type sealer struct {
	block cipher.Block
	k1    [aes.BlockSize]byte // the CMAC subkey
}

func newSealer(key []byte) (*sealer, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	s := &sealer{block: b}
	b.Encrypt(s.k1[:], s.k1[:])
	var carry byte
	for i := len(s.k1) - 1; i >= 0; i-- {
		next := s.k1[i] >> 7
		s.k1[i] = s.k1[i]<<1 | carry
		carry = next
	}
	s.k1[len(s.k1)-1] ^= carry * 0x87
	return s, nil
}

// aead returns the AES-256-GCM of the key that salt selects. Its Seal draws
// the other half of the nonce and puts it before the ciphertext.
func (s *sealer) aead(salt []byte) cipher.AEAD {
	var key [2 * aes.BlockSize]byte
	for i := range 2 {
		m := key[i*aes.BlockSize : (i+1)*aes.BlockSize]
		copy(m, []byte{0, byte(i + 1), 'X', 0})
		copy(m[4:], salt)
		for j := range m {
			m[j] ^= s.k1[j]
		}
		s.block.Encrypt(m, m)
	}
	b, err := aes.NewCipher(key[:])
	clear(key[:])
	if err != nil {
		panic("store: " + err.Error()) // 32 bytes are always a key
	}
	g, err := cipher.NewGCMWithRandomNonce(b)
	if err != nil {
		panic("store: " + err.Error()) // AES always has a GCM
	}
	return g
}

// seal returns the record that holds plain at table and key.
func (s *sealer) seal(table string, version byte, key, plain []byte) []byte {
	out := make([]byte, headerSize+saltSize, headerSize+saltSize+12+len(plain)+16)
	out[0], out[1] = algXAES256GCM, version
	_, _ = rand.Read(out[headerSize:]) // never fails
	return s.aead(out[headerSize:]).Seal(out, nil, plain, additional(table, version, key))
}

// open returns what the record at table and key holds, and its version.
func (s *sealer) open(table string, key, record []byte) (plain []byte, version byte, err error) {
	if len(record) < headerSize+saltSize || record[0] != algXAES256GCM {
		return nil, 0, errRecordForm
	}
	version = record[1]
	salt, rest := record[headerSize:headerSize+saltSize], record[headerSize+saltSize:]
	plain, err = s.aead(salt).Open(nil, nil, rest, additional(table, version, key))
	return plain, version, err
}

func additional(table string, version byte, key []byte) []byte {
	b := make([]byte, 0, len(recordDomain)+3+len(table)+len(key))
	b = append(b, recordDomain...)
	b = append(b, algXAES256GCM, version, byte(len(table)))
	b = append(b, table...)
	return append(b, key...)
}

// wipe overwrites the key that the sealer holds. crypto/aes has no call for
// it and keeps the key as the start of its key schedule, so the whole struct
// behind the interface is cleared. The sealer must not be in use.
func (s *sealer) wipe() {
	clear(s.k1[:])
	v := reflect.ValueOf(s.block)
	if v.Kind() == reflect.Pointer {
		clear(unsafe.Slice((*byte)(v.UnsafePointer()), v.Type().Elem().Size()))
	}
}
