package lockmem_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm/lockmem"
)

func secret() []byte {
	b := make([]byte, lockmem.KeySize)
	_, _ = rand.Read(b)
	return b
}

func TestKeysKeepTheirBytesAndTheSourceIsWiped(t *testing.T) {
	a, err := lockmem.New(2)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	src := secret()
	want := bytes.Clone(src)
	k, err := a.Put(src)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(src, make([]byte, lockmem.KeySize)) {
		t.Error("the source of a key was not wiped")
	}
	if err := k.Use(func(got []byte) error {
		if !bytes.Equal(got, want) {
			t.Error("the key changed")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSlotsRunOutAndComeBack(t *testing.T) {
	a, err := lockmem.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	k, err := a.Put(secret())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Put(secret()); !errors.Is(err, lockmem.ErrFull) {
		t.Fatalf("second key in one slot: %v", err)
	}
	k.Free()
	if _, err := a.Put(secret()); err != nil {
		t.Fatalf("slot was not given back: %v", err)
	}
}

func TestClosedArenaRefuses(t *testing.T) {
	a, err := lockmem.New(1)
	if err != nil {
		t.Fatal(err)
	}
	k, err := a.Put(secret())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := k.Use(func([]byte) error { return nil }); !errors.Is(err, lockmem.ErrClosed) {
		t.Errorf("use after close: %v", err)
	}
	if _, err := a.Put(secret()); !errors.Is(err, lockmem.ErrClosed) {
		t.Errorf("put after close: %v", err)
	}
	k.Free() // must not touch unmapped memory
}

func TestManyGoroutines(t *testing.T) {
	a, err := lockmem.New(16)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				s := secret()
				want := bytes.Clone(s)
				k, err := a.Put(s)
				if err != nil {
					return // closed meanwhile
				}
				_ = k.Use(func(b []byte) error {
					if !bytes.Equal(b, want) {
						t.Error("slots overlap")
					}
					return nil
				})
				k.Free()
			}
		})
	}
	wg.Wait()
	_ = a.Close()
}
