package envelope

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// softKeys is a minimal HSM: the KEK is the AES-256 key itself, and a wrapped
// key is nonce, ciphertext and tag. It keeps what it was given, to look at.
type softKeys struct {
	mu   sync.Mutex
	deks [][]byte // the slices themselves
	was  [][]byte // what they held
}

func (k *softKeys) gcm(kek hsm.KEK) (cipher.AEAD, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (k *softKeys) keep(dek []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deks, k.was = append(k.deks, dek), append(k.was, slices.Clone(dek))
}

func (k *softKeys) Wrap(_ context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	k.keep(key)
	g, err := k.gcm(kek)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	return g.Seal(nonce, nonce, key, aad), nil
}

func (k *softKeys) Unwrap(_ context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	g, err := k.gcm(kek)
	if err != nil {
		return nil, err
	}
	if len(wrapped) < 12 {
		return nil, hsm.ErrAuthentic
	}
	key, err := g.Open(nil, wrapped[:12], wrapped[12:], aad)
	if err != nil {
		return nil, hsm.ErrAuthentic.Because(err)
	}
	k.keep(key)
	return key, nil
}

// fixedKeys answers what a test tells it to.
type fixedKeys struct {
	key []byte
	err error
}

func (k fixedKeys) Wrap(context.Context, hsm.KEK, []byte, []byte) ([]byte, error) {
	return k.key, k.err
}
func (k fixedKeys) Unwrap(context.Context, hsm.KEK, []byte, []byte) ([]byte, error) {
	return slices.Clone(k.key), k.err
}

var (
	kek     = KEK{Key: bytes.Repeat([]byte{0x4b}, 32), Generation: 7}
	binding = Binding{Org: num(1), Vault: num(2), Secret: num(3), Version: 7}
)

func num(n byte) id.ID { return id.ID(bytes.Repeat([]byte{n}, 16)) }

func seal(t testing.TB, b Binding, value string) []byte {
	t.Helper()
	sealed, err := Seal(t.Context(), &softKeys{}, kek, b, plain.FromString(value))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return sealed
}

// wantDamaged opens sealed and wants ErrDamaged and no value.
func wantDamaged(t testing.TB, what string, k KEK, b Binding, sealed []byte) {
	t.Helper()
	v, err := Open(t.Context(), &softKeys{}, k, b, sealed)
	if !errors.Is(err, ErrDamaged) || v.Len() != 0 {
		t.Errorf("%s: %d bytes, %v, want ErrDamaged", what, v.Len(), err)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, size := range []int{0, 1, 15, 16, 17, 4096, MaxValue} {
		value := strings.Repeat("s", size)
		sealed := seal(t, binding, value)
		if want := headerSize2 + 60 + overhead + size; len(sealed) != want {
			t.Errorf("%d bytes: an envelope of %d, want %d", size, len(sealed), want)
		}
		got, err := Open(t.Context(), &softKeys{}, kek, binding, sealed)
		if err != nil || string(got.Reveal()) != value {
			t.Errorf("%d bytes: %d bytes, %v", size, got.Len(), err)
		}
	}
}

func TestLimits(t *testing.T) {
	big := plain.New(make([]byte, MaxValue+1))
	if _, err := Seal(t.Context(), &softKeys{}, kek, binding, big); !errors.Is(err, ErrTooLarge) || fault.KindOf(err) != fault.TooLarge {
		t.Errorf("a value over the limit: %v, want ErrTooLarge", err)
	}
	for _, n := range []int{0, maxWrapped + 1} {
		if _, err := Seal(t.Context(), fixedKeys{key: make([]byte, n)}, kek, binding, plain.Bytes{}); err == nil {
			t.Errorf("a wrapped key of %d bytes was taken", n)
		}
	}
	// An envelope over the limit must be refused before anything is decrypted.
	long := make([]byte, headerSize2+1+overhead+MaxValue+1)
	copy(long, appendHeader(nil, 7, []byte{0}))
	if _, ok := parse(long); ok {
		t.Error("an envelope over the limit parses")
	}
	if _, ok := parse(long[:len(long)-1]); !ok {
		t.Error("an envelope at the limit does not parse")
	}
}

func TestEveryByteCounts(t *testing.T) {
	sealed := seal(t, binding, "value")
	for i := range sealed {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := slices.Clone(sealed)
			bad[i] ^= flip
			wantDamaged(t, fmt.Sprintf("byte %d xor %#x", i, flip), kek, binding, bad)
		}
		wantDamaged(t, fmt.Sprintf("cut to %d bytes", i), kek, binding, sealed[:i])
		wantDamaged(t, fmt.Sprintf("without %d bytes", i+1), kek, binding, sealed[i+1:])
		wantDamaged(t, fmt.Sprintf("byte %d doubled", i), kek, binding, slices.Insert(slices.Clone(sealed), i, sealed[i]))
	}
	wantDamaged(t, "a byte appended", kek, binding, append(slices.Clone(sealed), 0))
	wantDamaged(t, "nil", kek, binding, nil)
}

func TestRecombinationFails(t *testing.T) {
	// Both are of one binding, so only the tie between the two halves tells.
	a, b := seal(t, binding, "aaaaa"), seal(t, binding, "bbbbb")
	pa, _ := parse(a)
	pb, _ := parse(b)
	wantDamaged(t, "wrapped DEK of another envelope", kek, binding, slices.Concat(pa.header, pb.body))
}

func TestBindingCounts(t *testing.T) {
	sealed := seal(t, binding, "value")
	for what, change := range map[string]func(*Binding){
		"org":            func(b *Binding) { b.Org = num(9) },
		"vault":          func(b *Binding) { b.Vault = num(9) },
		"secret":         func(b *Binding) { b.Secret = num(9) },
		"version":        func(b *Binding) { b.Version++ },
		"org and vault":  func(b *Binding) { b.Org, b.Vault = b.Vault, b.Org },
		"one bit":        func(b *Binding) { b.Secret[15] ^= 1 },
		"high version":   func(b *Binding) { b.Version |= 1 << 31 },
		"without org":    func(b *Binding) { b.Org = id.ID{} },
		"nothing at all": func(b *Binding) { *b = Binding{} },
	} {
		other := binding
		change(&other)
		wantDamaged(t, "another "+what, kek, other, sealed)
	}
	otherKEK := KEK{Key: slices.Clone(kek.Key), Generation: kek.Generation}
	otherKEK.Key[0] ^= 1
	wantDamaged(t, "another KEK", otherKEK, binding, sealed)
	wantDamaged(t, "another generation", KEK{Key: kek.Key, Generation: 8}, binding, sealed)
}

// TestBindingIsCheckedTwice: each of the two encryptions alone refuses another
// binding, so that a weak HSM wrapping (RSA-OAEP without AAD, say) is no hole.
func TestBindingIsCheckedTwice(t *testing.T) {
	keys := &softKeys{}
	sealed, err := Seal(t.Context(), keys, kek, binding, plain.FromString("value"))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := parse(sealed)
	dek, err := (&softKeys{}).Unwrap(t.Context(), kek.Key, p.wrapped, binding.aadDEK(7))
	if err != nil {
		t.Fatal(err)
	}
	other := binding
	other.Version++
	careless := fixedKeys{key: dek} // unwraps whatever it is shown
	if _, err := Open(t.Context(), careless, kek, binding, sealed); err != nil {
		t.Fatalf("the right binding: %v", err)
	}
	if _, err := Open(t.Context(), careless, kek, other, sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("another binding and an HSM that does not look: %v, want ErrDamaged", err)
	}
	if _, err := (&softKeys{}).Unwrap(t.Context(), kek.Key, p.wrapped, other.aadDEK(7)); !errors.Is(err, hsm.ErrAuthentic) {
		t.Errorf("the wrapped DEK alone under another binding: %v, want ErrAuthentic", err)
	}
}

func TestIncompleteBindingIsNotSealed(t *testing.T) {
	for i, b := range []Binding{
		{}, {Vault: num(2), Secret: num(3), Version: 1}, {Org: num(1), Secret: num(3), Version: 1},
		{Org: num(1), Vault: num(2), Version: 1}, {Org: num(1), Vault: num(2), Secret: num(3)},
	} {
		if sealed, err := Seal(t.Context(), &softKeys{}, kek, b, plain.Bytes{}); err == nil || sealed != nil {
			t.Errorf("binding %d was sealed", i)
		}
	}
	if sealed, err := Seal(t.Context(), &softKeys{}, KEK{Key: kek.Key}, binding, plain.Bytes{}); err == nil || sealed != nil {
		t.Error("sealed under no generation")
	}
}

func TestErrorsOfKeysPassThrough(t *testing.T) {
	sealed := seal(t, binding, "value")
	for _, want := range []error{hsm.ErrUnavailable, hsm.ErrSealed, context.Canceled, errors.New("driver")} {
		keys := fixedKeys{err: want}
		if _, err := Seal(t.Context(), keys, kek, binding, plain.Bytes{}); err != want {
			t.Errorf("Seal: %v, want %v", err, want)
		}
		if _, err := Open(t.Context(), keys, kek, binding, sealed); err != want {
			t.Errorf("Open: %v, want %v", err, want)
		}
	}
	if f := fault.As(ErrDamaged); f.Kind != fault.Internal || f.Code != "secret_damaged" {
		t.Errorf("%+v", f)
	}
}

// TestWeakDEKIsRefused: AES-128 would take this key and the tag is right, but
// algorithm 1 says AES-256.
func TestWeakDEKIsRefused(t *testing.T) {
	dek := bytes.Repeat([]byte{1}, 16)
	aead, err := newAEAD(dek)
	if err != nil {
		t.Fatal(err)
	}
	sealed := aead.Seal(appendHeader(nil, 7, dek), nil, []byte("value"), binding.aad(domainValue, format2, nil))
	if _, err := Open(t.Context(), fixedKeys{key: dek}, kek, binding, sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
}

func TestParse(t *testing.T) {
	// n is the length that the header claims for the wrapped DEK.
	old := func(format, alg byte, n uint16, wrapped, body int) []byte {
		return append([]byte{format, alg, byte(n >> 8), byte(n)}, make([]byte, wrapped+body)...)
	}
	of := func(format, alg, generation byte, n uint16, wrapped, body int) []byte {
		return append([]byte{format, alg, 0, 0, 0, generation, byte(n >> 8), byte(n)}, make([]byte, wrapped+body)...)
	}
	for _, tt := range []struct {
		what string
		in   []byte
		want bool
	}{
		{"shortest", of(2, 1, 1, 1, 1, overhead), true},
		{"longest wrapped DEK", of(2, 1, 1, maxWrapped, maxWrapped, overhead), true},
		{"another format", of(3, 1, 1, 1, 1, overhead), false},
		{"format 0", of(0, 1, 1, 1, 1, overhead), false},
		{"another algorithm", of(2, 2, 1, 1, 1, overhead), false},
		{"no generation", of(2, 1, 0, 1, 1, overhead), false},
		{"no wrapped DEK", of(2, 1, 1, 0, 0, overhead), false},
		{"too long a wrapped DEK", of(2, 1, 1, maxWrapped+1, maxWrapped+1, overhead), false},
		{"no room for nonce and tag", of(2, 1, 1, 1, 1, overhead-1), false},
		{"a length beyond the end", of(2, 1, 1, 0xffff, 1, overhead), false},
		{"half a header", []byte{2, 1, 0, 0, 0, 1, 0}, false},
		{"format 1, shortest", old(1, 1, 1, 1, overhead), true},
		{"format 1, longest wrapped DEK", old(1, 1, maxWrapped, maxWrapped, overhead), true},
		{"format 1, another algorithm", old(1, 2, 1, 1, overhead), false},
		{"format 1, no wrapped DEK", old(1, 1, 0, 0, overhead), false},
		{"format 1, too long a wrapped DEK", old(1, 1, maxWrapped+1, maxWrapped+1, overhead), false},
		{"format 1, no room for nonce and tag", old(1, 1, 1, 1, overhead-1), false},
		{"format 1, half a header", []byte{1, 1, 0}, false},
	} {
		if _, ok := parse(tt.in); ok != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, ok, tt.want)
		}
	}
}

func TestFreshness(t *testing.T) {
	keys := &softKeys{}
	var envelopes [2][]byte
	for i := range envelopes {
		var err error
		if envelopes[i], err = Seal(t.Context(), keys, kek, binding, plain.New(make([]byte, 64))); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := parse(envelopes[0])
	b, _ := parse(envelopes[1])
	if bytes.Equal(a.wrapped, b.wrapped) || bytes.Equal(a.body[:nonceSize], b.body[:nonceSize]) ||
		bytes.Equal(a.body[nonceSize:], b.body[nonceSize:]) {
		t.Error("two envelopes of one value share a wrapped key, a nonce or a ciphertext")
	}
	if bytes.Equal(keys.was[0], keys.was[1]) || bytes.Equal(keys.was[0], make([]byte, dekSize)) {
		t.Error("two envelopes share a DEK, or it is all zero")
	}
}

func TestDEKIsWiped(t *testing.T) {
	keys := &softKeys{}
	sealed, err := Seal(t.Context(), keys, kek, binding, plain.FromString("value"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), keys, kek, binding, sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), keys, kek, binding, append(sealed, 0)); err == nil {
		t.Fatal("opened")
	}
	if len(keys.deks) != 3 {
		t.Fatalf("%d keys seen, want one of Seal and two of Open", len(keys.deks))
	}
	for i, dek := range keys.deks {
		if !bytes.Equal(dek, make([]byte, dekSize)) {
			t.Errorf("DEK %d is still in memory", i)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	keys := &softKeys{}
	var wg sync.WaitGroup
	for i := range uint32(32) {
		wg.Go(func() {
			b := binding
			b.Version = i + 1
			want := strings.Repeat("v", int(i))
			sealed, err := Seal(t.Context(), keys, kek, b, plain.FromString(want))
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := Open(t.Context(), keys, kek, b, sealed); err != nil || string(got.Reveal()) != want {
				t.Errorf("version %d: %d bytes, %v", b.Version, got.Len(), err)
			}
		})
	}
	wg.Wait()
}

// FuzzEnvelopeMalleability: what parses has no other encoding, and nothing but
// the envelope itself opens.
func FuzzEnvelopeMalleability(f *testing.F) {
	// The fuzzer runs in several processes; a frozen envelope is the same in all.
	of := []vector{vectors(f, format1File)[1], vectors(f, format2File)[1]}
	for _, v := range of {
		f.Add([]byte(v.Envelope))
		f.Add([]byte(v.Envelope[:headerSize2]))
	}
	f.Add([]byte{})
	f.Add(append([]byte{1, 1, 0, 1, 0}, make([]byte, overhead)...))
	f.Add(append([]byte{1, 1, 0xff, 0xff}, make([]byte, 70000)...))
	f.Add(append([]byte{2, 1, 0, 0, 0, 1, 0xff, 0xff}, make([]byte, 70000)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := parse(b); ok {
			if p.format == format2 && !bytes.Equal(append(appendHeader(nil, p.generation, p.wrapped), p.body...), b) {
				t.Fatalf("%x has another encoding", b)
			}
			if !bytes.Equal(slices.Concat(p.header, p.body), b) {
				t.Fatal("header and body are not all of the envelope")
			}
		}
		for _, v := range of {
			onlyGenuineOpens(t, v, b)
		}
	})
}

// onlyGenuineOpens tries b, and what is close to the genuine envelope, where a
// random input never comes.
func onlyGenuineOpens(t *testing.T, v vector, b []byte) {
	near := slices.Clone([]byte(v.Envelope))
	for i := 0; i+1 < len(b) && i < 8; i += 2 {
		near[int(b[i])%len(near)] ^= b[i+1]
	}
	for _, candidate := range [][]byte{b, near} {
		got, err := Open(t.Context(), &softKeys{}, v.kek(), v.binding(), candidate)
		if same := bytes.Equal(candidate, v.Envelope); same != (err == nil) {
			t.Fatalf("genuine: %v, %v", same, err)
		}
		if err != nil && (!errors.Is(err, ErrDamaged) || got.Len() != 0) {
			t.Fatalf("%d bytes, %v, want ErrDamaged", got.Len(), err)
		}
	}
}
