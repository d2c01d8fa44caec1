//go:build cgo

package pkcs11

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// faulty is a real token that can be made to misbehave.
type faulty struct {
	cryptoki
	logins, opened, live atomic.Int64
	inits                atomic.Int64
	maxSessions          int64
	flags                uint
	hide                 map[uint]bool // mechanisms that are not listed
	largestEC            uint          // key size of ECDSA
	blind                func(inits int64) bool
	fail                 atomic.Pointer[func(call string) error]
}

func (f *faulty) failure(call string) error {
	if fail := f.fail.Load(); fail != nil {
		return (*fail)(call)
	}
	return nil
}

// failing makes one call fail from now on; an empty call heals.
func (f *faulty) failing(call string, rv p11.Error) {
	fn := func(c string) error {
		if c == call {
			return rv
		}
		return nil
	}
	f.fail.Store(&fn)
}

func (f *faulty) Initialize(o ...p11.InitializeOption) error {
	f.inits.Add(1)
	f.opened.Store(0)
	return f.cryptoki.Initialize(o...)
}

func (f *faulty) Login(s p11.SessionHandle, user uint, pin string) error {
	f.logins.Add(1)
	return f.cryptoki.Login(s, user, pin)
}

func (f *faulty) OpenSession(slot, flags uint) (p11.SessionHandle, error) {
	if f.opened.Add(1) > f.maxSessions && f.maxSessions > 0 {
		return 0, p11.Error(p11.CKR_SESSION_COUNT)
	}
	return f.cryptoki.OpenSession(slot, flags)
}

func (f *faulty) GetTokenInfo(slot uint) (p11.TokenInfo, error) {
	info, err := f.cryptoki.GetTokenInfo(slot)
	info.Flags |= f.flags
	if ferr := f.failure("C_GetTokenInfo"); ferr != nil {
		return p11.TokenInfo{}, ferr
	}
	return info, err
}

func (f *faulty) GetMechanismList(slot uint) (out []*p11.Mechanism, err error) {
	list, err := f.cryptoki.GetMechanismList(slot)
	for _, m := range list {
		if !f.hide[m.Mechanism] {
			out = append(out, m)
		}
	}
	return out, err
}

func (f *faulty) FindObjects(s p11.SessionHandle, max int) ([]p11.ObjectHandle, bool, error) {
	found, more, err := f.cryptoki.FindObjects(s, max)
	if f.blind != nil && f.blind(f.inits.Load()) {
		return nil, false, err
	}
	return found, more, err
}

func (f *faulty) GenerateKey(s p11.SessionHandle, m []*p11.Mechanism, t []*p11.Attribute) (p11.ObjectHandle, error) {
	if err := f.failure("C_GenerateKey"); err != nil {
		return 0, err
	}
	return f.cryptoki.GenerateKey(s, m, t)
}

func (f *faulty) EncryptInit(s p11.SessionHandle, m []*p11.Mechanism, o p11.ObjectHandle) error {
	if err := f.failure("C_EncryptInit"); err != nil {
		return err
	}
	return f.cryptoki.EncryptInit(s, m, o)
}

func (f *faulty) Decrypt(s p11.SessionHandle, b []byte) ([]byte, error) {
	got, err := f.cryptoki.Decrypt(s, b)
	if ferr := f.failure("C_Decrypt"); ferr != nil {
		return nil, ferr
	}
	return got, err
}

func (f *faulty) UnwrapKey(s p11.SessionHandle, m []*p11.Mechanism, k p11.ObjectHandle, w []byte, t []*p11.Attribute) (p11.ObjectHandle, error) {
	if err := f.failure("C_UnwrapKey"); err != nil {
		return 0, err
	}
	object, err := f.cryptoki.UnwrapKey(s, m, k, w, t)
	if err == nil {
		f.live.Add(1)
	}
	return object, err
}

func (f *faulty) DestroyObject(s p11.SessionHandle, o p11.ObjectHandle) error {
	f.live.Add(-1)
	return f.cryptoki.DestroyObject(s, o)
}

// onSoftHSM makes a token that f stands in front of, and how to open it.
func onSoftHSM(t testing.TB, f *faulty) target {
	t.Helper()
	tok := hsmtest.SoftHSM(t)
	lib, err := load(tok.Library)
	if err != nil {
		t.Fatal(err)
	}
	f.cryptoki = lib
	to, err := Config{Library: tok.Library, Token: tok.Label, PIN: tok.PIN}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func opener(f *faulty, to target) hsmtest.Opener {
	return func(t testing.TB) hsm.Module {
		t.Helper()
		m, err := open(f, to)
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		return m
	}
}

// ready opens a module with a root key.
func ready(t testing.TB, f *faulty) *Module {
	t.Helper()
	m := opener(f, onSoftHSM(t, f))(t).(*Module)
	t.Cleanup(func() { _ = m.Close() })
	if err := m.Init(t.Context()); err != nil {
		t.Fatalf("Init: %v", err)
	}
	return m
}

func TestWrongPINIsTriedExactlyOnce(t *testing.T) {
	f := &faulty{}
	to := onSoftHSM(t, f)
	to.pin = plain.FromString("000000")
	if _, err := open(f, to); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("got %v", err)
	}
	if n := f.logins.Load(); n != 1 {
		t.Errorf("C_Login was called %d times", n)
	}
}

func TestLastPINTryIsNotUsedUp(t *testing.T) {
	for _, flag := range []uint{p11.CKF_USER_PIN_FINAL_TRY, p11.CKF_USER_PIN_LOCKED} {
		f := &faulty{flags: flag}
		if _, err := open(f, onSoftHSM(t, f)); !errors.Is(err, hsm.ErrWrongPIN) {
			t.Errorf("flag %#x: %v", flag, err)
		}
		if n := f.logins.Load(); n != 0 {
			t.Errorf("flag %#x: C_Login was called", flag)
		}
	}
}

func TestSessionLimitOfTheToken(t *testing.T) {
	for _, limit := range []int64{1, 2} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			f := &faulty{maxSessions: limit}
			hsmtest.Conformance(t, opener(f, onSoftHSM(t, f)))
		})
	}
}

func TestNoSessionAtAllIsSaid(t *testing.T) {
	f := &faulty{}
	to := onSoftHSM(t, f)
	if _, err := open(noSessions{f}, to); !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "no session free") {
		t.Errorf("got %v", err)
	}
}

// noSessions is a token whose sessions others have taken.
type noSessions struct{ *faulty }

func (noSessions) OpenSession(uint, uint) (p11.SessionHandle, error) {
	return 0, p11.Error(p11.CKR_SESSION_COUNT)
}

func TestConformanceWithKeyWrapWithoutPad(t *testing.T) {
	f := &faulty{hide: map[uint]bool{p11.CKM_AES_KEY_WRAP_PAD: true}}
	to := onSoftHSM(t, f)
	hsmtest.Conformance(t, opener(f, to))
	m := opener(f, to)(t)
	defer m.Close()
	if w := m.Describe().Wrapping; w != "AES-KEY-WRAP" {
		t.Errorf("wraps with %s", w)
	}
}

func TestConformanceWithoutEd25519(t *testing.T) {
	f := &faulty{hide: map[uint]bool{ckmEdDSA: true}}
	to := onSoftHSM(t, f)
	hsmtest.Conformance(t, opener(f, to))
	m := opener(f, to)(t)
	defer m.Close()
	if d := m.Describe(); d.Signing != "soft" || !strings.Contains(strings.Join(d.Notes, " "), "Ed25519") {
		t.Errorf("Describe: %+v", d)
	}
}

// Some tokens list AES-GCM and answer anything at all when it is used.
func TestTokenThatOnlyClaimsGCMGetsAnRSAKey(t *testing.T) {
	for _, rv := range []p11.Error{p11.CKR_MECHANISM_INVALID, p11.CKR_GENERAL_ERROR, p11.CKR_FUNCTION_FAILED} {
		f := &faulty{}
		f.failing("C_EncryptInit", rv)
		m := ready(t, f)
		if w := m.Describe().Wrapping; w != "RSA-OAEP" {
			t.Errorf("%v: wraps with %s", rv, w)
		}
		_ = m.Close()
	}
}

// A driver that lost its token finds nothing until it is started anew.
func TestRootKeyIsLookedForAgainAfterReinitialising(t *testing.T) {
	f := &faulty{}
	to := onSoftHSM(t, f)
	m := opener(f, to)(t)
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = m.Close()
	before := f.inits.Load()
	f.blind = func(inits int64) bool { return inits == before+1 }
	m = opener(f, to)(t)
	defer m.Close()
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("the root key was taken for gone: %v", err)
	}
}

// Nothing found and a token that does not answer is an outage.
func TestNothingFoundOnASickTokenIsUnavailable(t *testing.T) {
	f := &faulty{}
	m := ready(t, f)
	if err := m.SetAnchor(t.Context(), []byte("head")); err != nil {
		t.Fatal(err)
	}
	f.blind = func(int64) bool { return true }
	if anchor, err := m.Anchor(t.Context()); err != nil || anchor != nil {
		t.Errorf("healthy and nothing found: %q, %v", anchor, err)
	}
	f.failing("C_GetTokenInfo", p11.CKR_GENERAL_ERROR)
	if _, err := m.Anchor(t.Context()); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("sick and nothing found: %v", err)
	}
	f.failing("", 0)
	f.blind = nil
	if err := m.Check(t.Context()); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("a lost module went on: %v", err)
	}
}

func TestGeneralErrorIsTheDatasFaultOnlyIfTheRootKeyWorks(t *testing.T) {
	f := &faulty{}
	m := ready(t, f)
	ctx := t.Context()
	kek, err := m.NewKEK(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := m.Wrap(ctx, kek, []byte("dek"), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.failing("C_Decrypt", p11.CKR_GENERAL_ERROR)
	if _, err := m.Unwrap(ctx, kek, wrapped, nil); !errors.Is(err, hsm.ErrAuthentic) {
		t.Errorf("root key works: %v", err)
	}
	f.failing("", 0)
	if got, err := m.Unwrap(ctx, kek, wrapped, nil); err != nil || string(got) != "dek" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
	both := func(call string) error {
		if call == "C_Decrypt" || call == "C_UnwrapKey" {
			return p11.Error(p11.CKR_GENERAL_ERROR)
		}
		return nil
	}
	f.fail.Store(&both)
	if _, err := m.Unwrap(ctx, kek, wrapped, nil); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("root key does not work: %v", err)
	}
}

func TestFullTokenIsNotAnOutage(t *testing.T) {
	f := &faulty{}
	m := ready(t, f)
	f.failing("C_GenerateKey", p11.CKR_DEVICE_MEMORY)
	if _, err := m.NewKEK(t.Context()); !errors.Is(err, hsm.ErrFull) || errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("a full token stopped working: %v", err)
	}
}

// However many KEKs are used, the token holds few of them open.
func TestOpenedKEKsAreBounded(t *testing.T) {
	f := &faulty{}
	to := onSoftHSM(t, f)
	to.handles, to.sessions = 4, 3
	m := opener(f, to)(t).(*Module)
	defer m.Close()
	ctx := t.Context()
	if err := m.Init(ctx); err != nil {
		t.Fatal(err)
	}
	keks := make([]hsm.KEK, 24)
	for i := range keks {
		var err error
		if keks[i], err = m.NewKEK(ctx); err != nil {
			t.Fatal(err)
		}
	}
	f.live.Store(0)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				kek := keks[(g*7+i)%len(keks)]
				w, err := m.Wrap(ctx, kek, []byte("dek"), nil)
				if err != nil {
					t.Errorf("Wrap: %v", err)
					return
				}
				if got, err := m.Unwrap(ctx, kek, w, nil); err != nil || !bytes.Equal(got, []byte("dek")) {
					t.Errorf("Unwrap: %q, %v", got, err)
					return
				}
				if n := f.live.Load(); n > int64(to.handles+2*to.sessions) {
					t.Errorf("%d KEKs are open", n)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := f.live.Load(); n > int64(to.handles) {
		t.Errorf("%d KEKs stayed open", n)
	}
}
