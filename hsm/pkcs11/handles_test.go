//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

func TestHandlesInUseAreNeverDestroyed(t *testing.T) {
	h := newHandles[string](1)
	destroyed := map[string]bool{}
	destroy := func(v string) { destroyed[v] = true }
	open := func(v string) func() (string, error) { return func() (string, error) { return v, nil } }
	a, _ := h.acquire([]byte("a"), open("a"))
	b, _ := h.acquire([]byte("b"), open("b"))
	h.release(b, destroy)
	if destroyed["a"] || !destroyed["b"] {
		t.Fatalf("a is in use, b is not; destroyed: %v", destroyed)
	}
	h.release(a, destroy)
	if destroyed["a"] || h.size() != 1 {
		t.Errorf("there is room for a; destroyed: %v", destroyed)
	}
	c, _ := h.acquire([]byte("c"), open("c"))
	h.release(c, destroy)
	if !destroyed["a"] || destroyed["c"] {
		t.Errorf("the least recently used was not the one to go: %v", destroyed)
	}
}

func TestHandlesOpenOnceForAllWhoMiss(t *testing.T) {
	h := newHandles[int](10)
	var opened atomic.Int64
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			e, err := h.acquire([]byte("kek"), func() (int, error) { <-gate; return int(opened.Add(1)), nil })
			if err != nil || e.value != 1 {
				t.Errorf("got %v, %v", e, err)
				return
			}
			h.release(e, func(int) {})
		})
	}
	close(gate)
	wg.Wait()
	if n := opened.Load(); n != 1 {
		t.Errorf("opened %d times", n)
	}
}

func TestHandlesDoNotRememberFailures(t *testing.T) {
	h := newHandles[int](10)
	boom := errors.New("boom")
	if _, err := h.acquire([]byte("kek"), func() (int, error) { return 0, boom }); !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	e, err := h.acquire([]byte("kek"), func() (int, error) { return 7, nil })
	if err != nil || e.value != 7 {
		t.Errorf("after a failure: %v, %v", e, err)
	}
}

func TestReturnValuesAndTheirMeaning(t *testing.T) {
	for rv, want := range map[p11.Error]*fault.Error{
		p11.CKR_PIN_INCORRECT: hsm.ErrWrongPIN, p11.CKR_PIN_LOCKED: hsm.ErrWrongPIN, p11.CKR_PIN_EXPIRED: hsm.ErrWrongPIN,
		p11.CKR_DEVICE_ERROR: hsm.ErrUnavailable, p11.CKR_DEVICE_REMOVED: hsm.ErrUnavailable,
		p11.CKR_TOKEN_NOT_PRESENT: hsm.ErrUnavailable, p11.CKR_SESSION_HANDLE_INVALID: hsm.ErrUnavailable,
		p11.CKR_OBJECT_HANDLE_INVALID: hsm.ErrUnavailable, p11.CKR_KEY_HANDLE_INVALID: hsm.ErrUnavailable,
		p11.CKR_GENERAL_ERROR: hsm.ErrUnavailable, p11.CKR_USER_NOT_LOGGED_IN: hsm.ErrUnavailable,
		p11.CKR_VENDOR_DEFINED + 17: hsm.ErrUnavailable, 0x7777: hsm.ErrUnavailable,
		p11.CKR_MECHANISM_INVALID: hsm.ErrUnsupported, p11.CKR_FUNCTION_NOT_SUPPORTED: hsm.ErrUnsupported,
		p11.CKR_DEVICE_MEMORY: hsm.ErrFull, p11.CKR_ENCRYPTED_DATA_INVALID: hsm.ErrAuthentic,
		p11.CKR_WRAPPED_KEY_INVALID: hsm.ErrAuthentic, rvAEADFailed: hsm.ErrAuthentic,
	} {
		err := fmt.Errorf("outer: %w", failed("C_Test", rv))
		if !errors.Is(err, want) {
			t.Errorf("%s became %v, want %v", rvName(rv), err, want)
		}
		if !isRV(err, rv) {
			t.Errorf("%s is not found in its error", rvName(rv))
		}
	}
	if failed("C_Test", nil) != nil {
		t.Error("no error became one")
	}
	if got := fault.As(failed("C_UnwrapKey", p11.Error(p11.CKR_DEVICE_ERROR))).Err.Error(); got != "C_UnwrapKey: CKR_DEVICE_ERROR" {
		t.Errorf("the cause reads %q", got)
	}
}

func FuzzUnpackData(f *testing.F) {
	f.Add(packData(7, []byte("anchor")))
	f.Add([]byte{dataFormat})
	f.Fuzz(func(t *testing.T, b []byte) {
		number, content, ok := unpackData(b)
		if ok && string(packData(number, content)) != string(b) {
			t.Fatal("unpacked to something that packs otherwise")
		}
	})
}
