// Package lockmem keeps a few keys in memory that is not swapped and not
// dumped: one small mapping, cut into 32-byte slots.
//
// A mapping per key, as memguard does it, costs a locked page and two guard
// pages each and meets the usual 8 MiB RLIMIT_MEMLOCK after two thousand keys;
// one arena holds as many in a tenth of that. Where the system refuses to lock
// memory the arena works all the same and Locked says so.
//
// The package knows nothing of what the keys are for.
package lockmem

import (
	"errors"
	"sync"
)

// KeySize is the size of a slot: an AES-256 key.
const KeySize = 32

// Errors of an arena.
var (
	ErrFull   = errors.New("lockmem: no slot is free")
	ErrClosed = errors.New("lockmem: the arena is closed")
)

// Arena is a set of key slots. Its methods may be called from many goroutines.
type Arena struct {
	mu     sync.Mutex
	mem    []byte
	locked bool
	free   []int // offsets of free slots
	closed bool
}

// Key is one slot. It is valid until Free or the arena's Close.
type Key struct {
	arena *Arena
	off   int
}

// New makes an arena for n keys.
func New(n int) (*Arena, error) {
	mem, locked, err := reserve(n * KeySize)
	if err != nil {
		return nil, err
	}
	a := &Arena{mem: mem, locked: locked, free: make([]int, 0, n)}
	for i := n - 1; i >= 0; i-- {
		a.free = append(a.free, i*KeySize)
	}
	return a, nil
}

// Locked reports whether the system promised not to swap the arena out.
func (a *Arena) Locked() bool { return a.locked }

// Put moves secret into a slot and wipes where it came from. It must be
// KeySize bytes long.
func (a *Arena) Put(secret []byte) (Key, error) {
	defer clear(secret)
	if len(secret) != KeySize {
		return Key{}, errors.New("lockmem: a key is 32 bytes")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return Key{}, ErrClosed
	case len(a.free) == 0:
		return Key{}, ErrFull
	}
	off := a.free[len(a.free)-1]
	a.free = a.free[:len(a.free)-1]
	copy(a.mem[off:off+KeySize], secret)
	return Key{a, off}, nil
}

// Use calls fn with the key's bytes. fn must not keep them, nor call the arena.
// The arena is not unmapped while fn runs.
func (k Key) Use(fn func(key []byte) error) error {
	// The lock is shared with Put and Free; fn is a few microseconds of AES key
	// set-up, so a read-write lock would cost more than it saves.
	k.arena.mu.Lock()
	defer k.arena.mu.Unlock()
	if k.arena.closed {
		return ErrClosed
	}
	return fn(k.arena.mem[k.off : k.off+KeySize : k.off+KeySize])
}

// Free wipes the slot and gives it back.
func (k Key) Free() {
	if k.arena == nil {
		return
	}
	k.arena.mu.Lock()
	defer k.arena.mu.Unlock()
	if k.arena.closed {
		return
	}
	clear(k.arena.mem[k.off : k.off+KeySize])
	k.arena.free = append(k.arena.free, k.off)
}

// Close wipes every slot and gives the memory back.
func (a *Arena) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	clear(a.mem)
	mem := a.mem
	a.mem = nil
	return release(mem)
}
