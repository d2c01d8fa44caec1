package backup

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

var testHeader = Digest{1, 2, 3}

func identityOf(t testing.TB, secret string) *RecoveryIdentity {
	t.Helper()
	i, err := NewRecoveryIdentity(plain.FromString(secret))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// The same secret is the same key for ever: shares lie in safes for years.
func TestRecoveryKeyIsFrozen(t *testing.T) {
	i := identityOf(t, strings.Repeat("s", 32))
	if got, want := i.Key().Digest().String(), frozenRecoveryKey; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if name := RecoveryName(i.Key().Digest()); name != frozenRecoveryKey[:8] {
		t.Errorf("its name is %s", name)
	}
	again, err := ParseRecoveryKey("# made today\n\n  " + i.Key().String() + "\n")
	if err != nil || again.Digest() != i.Key().Digest() {
		t.Errorf("%v", err)
	}
	var sealed bytes.Buffer
	w, err := again.seal(&sealed)
	if err == nil {
		_, err = io.WriteString(w, "hello")
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := age.Decrypt(bytes.NewReader(sealed.Bytes()), identityOf(t, "another")); err == nil {
		t.Error("another key opens it")
	}
	clear, err := age.Decrypt(&sealed, i)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(clear); string(text) != "hello" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

const frozenRecoveryKey = "74bb7d6cd0d4998839b75d52ded7760981716d8cce6d2d50d8bdcf663ce0b19c"

func TestParseRecoveryKey(t *testing.T) {
	good := identityOf(t, "a").Key().String()
	for _, text := range []string{
		"", "# nothing\n", "age1", good[:len(good)-1], good + "\n" + good, strings.Replace(good, "q", "z", 3), "AGE-SECRET-KEY-PQ-1QQQ",
		"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", // X25519 alone
	} {
		k, err := ParseRecoveryKey(text)
		if !errors.Is(err, ErrRecoveryKey) || !k.IsZero() {
			t.Errorf("%.40q: %v", text, err)
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text) {
			t.Errorf("the error has what was read: %v", err)
		}
	}
}

// escrowOf is an escrow's content of three entries.
func escrowOf() []byte {
	out := append([]byte(escrowMagic), testHeader[:]...)
	out = append(out, bytes.Repeat([]byte{7}, store.KeySize)...)
	for i, kind := range []escrowKind{escrowKey, escrowElsewhere, escrowKey} {
		e := escrowEntry{kind: kind, of: store.SealedValue{Secret: id.ID{byte(i)}, Number: uint32(i + 1)}}
		if kind == escrowKey {
			e.dek = [dekSize]byte{9, byte(i)}
		}
		out = e.append(out)
	}
	return out
}

// readEscrow reads an escrow to its end and writes it again.
func readEscrow(in []byte) (out []byte, counts Escrow, err error) {
	r, err := newEscrowReader(bytes.NewReader(in), testHeader)
	if err != nil {
		return nil, Escrow{}, err
	}
	out = append(append([]byte(escrowMagic), testHeader[:]...), r.storeKey.Reveal()...)
	for {
		e, err := r.next()
		if errors.Is(err, io.EOF) {
			return out, r.counts, nil
		}
		if err != nil {
			return out, r.counts, err
		}
		out = e.append(out)
	}
}

func TestEscrowForm(t *testing.T) {
	whole := escrowOf()
	if out, counts, err := readEscrow(whole); err != nil || !bytes.Equal(out, whole) || counts.counts() != [4]uint64{2, 1, 0, 0} {
		t.Fatalf("%v, %v", counts, err)
	}
	entry := func(i int) []byte { return whole[escrowHead+i*escrowEntrySize : escrowHead+(i+1)*escrowEntrySize] }
	edit := func(at int, b byte) []byte {
		out := bytes.Clone(whole)
		out[at] = b
		return out
	}
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"empty":                     {nil, errEscrowForm},
		"cut in the beginning":      {whole[:escrowHead-1], errEscrowForm},
		"cut in an entry":           {whole[:len(whole)-1], errEscrowForm},
		"another magic":             {edit(0, 'x'), errEscrowForm},
		"of another backup":         {edit(len(escrowMagic), 9), errEscrowOther},
		"an unknown kind":           {edit(escrowHead, 'x'), errEscrowForm},
		"a key where there is none": {edit(escrowHead+2*escrowEntrySize-1, 1), errEscrowForm},
		"an entry twice":            {append(bytes.Clone(whole), entry(2)...), errEscrowForm},
		"in another order":          {append(append(bytes.Clone(whole[:escrowHead]), entry(1)...), entry(0)...), errEscrowForm},
	} {
		if _, _, err := readEscrow(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Whoever cannot open it still sees how many entries there are.
func TestSealedEscrow(t *testing.T) {
	key := identityOf(t, "a").Key()
	seal := func(n int, to ...age.Recipient) []byte {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, to...)
		if err == nil {
			_, err = w.Write(make([]byte, n))
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for _, n := range []int{0, 1, 1234, 1235, 1236, 2473, 5000} { // 1236 entries are about a chunk of age's
		got, err := sealedEscrow(bytes.NewReader(seal(escrowHead+n*escrowEntrySize, key.to)))
		if err != nil || got != uint64(n) {
			t.Errorf("%d entries: %d, %v", n, got, err)
		}
	}
	whole := seal(escrowHead+2000*escrowEntrySize, key.to)
	other := identityOf(t, "b").Key()
	for name, in := range map[string][]byte{
		"empty":              nil,
		"no age file":        []byte("hello\n"),
		"cut":                whole[:len(whole)-1],
		"without the middle": append(bytes.Clone(whole[:5000]), whole[6000:]...),
		"too short":          seal(escrowHead-1, key.to),
		"part of an entry":   seal(escrowHead+1, key.to),
		"for two":            seal(escrowHead, key.to, other.to),
	} {
		if n, err := sealedEscrow(bytes.NewReader(in)); err == nil {
			t.Errorf("%s: %d entries", name, n)
		}
	}
	for content := range int64(3 * (ageChunk + 1)) {
		if content%17 > 0 && content%ageChunk > 2 {
			continue
		}
		chunks := max(1, (content+ageChunk-1)/ageChunk)
		if got, ok := ageContent(ageNonce + content + chunks*ageTag); !ok || got != content {
			t.Fatalf("%d bytes look like %d, %v", content, got, ok)
		}
	}
}

// What is taken is written in one way only.
func FuzzEscrow(f *testing.F) {
	f.Add(escrowOf())
	f.Add(escrowOf()[:escrowHead])
	f.Fuzz(func(t *testing.T, in []byte) {
		if out, counts, err := readEscrow(in); err == nil && (!bytes.Equal(out, in) || int(counts.Total()) != (len(in)-escrowHead)/escrowEntrySize) {
			t.Errorf("%x was taken for %x", in, out)
		}
	})
}

// Whatever the section holds, looking at it from outside ends.
func FuzzSealedEscrow(f *testing.F) {
	i, _ := NewRecoveryIdentity(plain.FromString("a"))
	var out bytes.Buffer
	w, _ := i.Key().seal(&out)
	_, _ = w.Write(escrowOf())
	_ = w.Close()
	f.Add(out.Bytes())
	f.Fuzz(func(_ *testing.T, in []byte) { _, _ = sealedEscrow(bytes.NewReader(in)) })
}
