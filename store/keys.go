package store

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// KeySize is the length of a store key in bytes.
const KeySize = 32

// NameSize is the length of a Name.
const NameSize = 16

// keyring holds the keys derived from the store key, which it does not keep.
type keyring struct {
	sealer *sealer
	check  []byte // kept in the file: tells a wrong store key at once
	other  []byte // what DeriveKey derives from
	name   []byte
	macs   sync.Pool // of hash.Hash keyed with name
}

func newKeyring(storeKey []byte) (*keyring, error) {
	if len(storeKey) != KeySize {
		return nil, ErrWrongKey.Detail("a store key is %d bytes long", KeySize)
	}
	record, err := derive(storeKey, "record")
	if err != nil {
		return nil, err
	}
	defer clear(record)
	k := &keyring{}
	if k.sealer, err = newSealer(record); err != nil {
		return nil, err
	}
	for purpose, to := range map[string]*[]byte{"check": &k.check, "other": &k.other, "name": &k.name} {
		if *to, err = derive(storeKey, purpose); err != nil {
			return nil, err
		}
	}
	k.macs.New = func() any { return hmac.New(sha256.New, k.name) }
	return k, nil
}

// derive is HKDF-SHA256 with a purpose.
func derive(key []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, "oneclawd store 1: "+purpose, KeySize)
}

// nameOf hashes parts; each is preceded by its length, so that ("ab", "c") and
// ("a", "bc") differ.
func (k *keyring) nameOf(parts ...string) (n [NameSize]byte) {
	h := k.macs.Get().(hash.Hash)
	defer k.macs.Put(h)
	h.Reset()
	buf := make([]byte, 0, 128)
	for _, p := range parts {
		buf = binary.BigEndian.AppendUint32(buf[:0], uint32(len(p)))
		buf = append(buf, p...)
		_, _ = h.Write(buf)
	}
	copy(n[:], h.Sum(buf[:0]))
	return n
}

// wipe overwrites the keys. Nothing may be using them.
func (k *keyring) wipe() {
	k.sealer.wipe()
	clear(k.other)
	clear(k.name)
}

// Name returns the record key that stands for parts: equal parts have equal
// names, and without the store key a name says nothing about them. Not for use
// inside a transaction.
func (db *DB) Name(parts ...string) ([NameSize]byte, error) {
	db.using.RLock()
	defer db.using.RUnlock()
	if db.keys == nil {
		return [NameSize]byte{}, ErrSealed
	}
	return db.keys.nameOf(parts...), nil
}

// DeriveKey returns the 32-byte key for another purpose than records, always
// the same for the same store key and purpose. The caller wipes it on seal. Not
// for use inside a transaction.
func (db *DB) DeriveKey(purpose string) (plain.Bytes, error) {
	db.using.RLock()
	defer db.using.RUnlock()
	if db.keys == nil {
		return plain.Bytes{}, ErrSealed
	}
	b, err := derive(db.keys.other, purpose)
	return plain.New(b), err
}

// DeriveKey is DB.DeriveKey for who has the store key and no open file.
func DeriveKey(storeKey plain.Bytes, purpose string) (plain.Bytes, error) {
	if storeKey.Len() != KeySize {
		return plain.Bytes{}, ErrWrongKey.Detail("a store key is %d bytes long", KeySize)
	}
	other, err := derive(storeKey.Reveal(), "other")
	if err != nil {
		return plain.Bytes{}, err
	}
	defer clear(other)
	b, err := derive(other, purpose)
	return plain.New(b), err
}
