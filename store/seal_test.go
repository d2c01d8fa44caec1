package store

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// The vectors of c2sp.org/XAES-256-GCM. The nonce is drawn in seal, so they
// are opened.
func TestXAESVectors(t *testing.T) {
	for _, v := range []struct {
		key       byte
		aad, want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		s, err := newSealer(bytes.Repeat([]byte{v.key}, 32))
		if err != nil {
			t.Fatal(err)
		}
		nonce := "ABCDEFGHIJKLMNOPQRSTUVWX"
		ct, _ := hex.DecodeString(v.want)
		got, err := s.aead([]byte(nonce[:12])).Open(nil, nil, append([]byte(nonce[12:]), ct...), []byte(v.aad))
		if err != nil || string(got) != "XAES-256-GCM" {
			t.Errorf("key %d: %q, %v", v.key, got, err)
		}
	}
}

func testSealer(t testing.TB) *sealer {
	s, err := newSealer(testKey)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealBindsPlaceAndVersion(t *testing.T) {
	s := testSealer(t)
	rec := s.seal("table", 3, []byte("key"), []byte("plain"))
	if got, v, err := s.open("table", []byte("key"), rec); err != nil || v != 3 || string(got) != "plain" {
		t.Fatalf("open: %q, %d, %v", got, v, err)
	}
	for what, open := range map[string]func() error{
		"another key":    func() error { _, _, err := s.open("table", []byte("kez"), rec); return err },
		"another table":  func() error { _, _, err := s.open("tablf", []byte("key"), rec); return err },
		"a moved border": func() error { _, _, err := s.open("tabl", []byte("ekey"), rec); return err },
		"an empty key":   func() error { _, _, err := s.open("tablekey", nil, rec); return err },
	} {
		if open() == nil {
			t.Errorf("a record opened at %s", what)
		}
	}
	for i := range rec {
		bad := bytes.Clone(rec)
		bad[i] ^= 1
		if _, _, err := s.open("table", []byte("key"), bad); err == nil {
			t.Errorf("a record opened with byte %d flipped", i)
		}
	}
	for n := range rec {
		if _, _, err := s.open("table", []byte("key"), rec[:n]); err == nil {
			t.Errorf("the first %d bytes of a record opened", n)
		}
	}
}

func TestSealDrawsFreshNonces(t *testing.T) {
	s := testSealer(t)
	a, b := s.seal("t", 1, []byte("k"), []byte("p")), s.seal("t", 1, []byte("k"), []byte("p"))
	if bytes.Equal(a[2:26], b[2:26]) {
		t.Error("two records with one nonce")
	}
}

// If crypto/aes ever moves the key out of its struct, wipe must follow.
func TestWipeClearsTheKeySchedule(t *testing.T) {
	s := testSealer(t)
	var before, after [16]byte
	s.block.Encrypt(before[:], before[:])
	s.wipe()
	func() {
		defer func() { _ = recover() }() // no rounds, perhaps
		s.block.Encrypt(after[:], after[:])
	}()
	if before == after || s.k1 != [16]byte{} {
		t.Error("a wiped sealer still has its key")
	}
}

func TestNamesAndDerivedKeysDiffer(t *testing.T) {
	k, err := newKeyring(testKey)
	if err != nil {
		t.Fatal(err)
	}
	if k.nameOf("ab", "c") == k.nameOf("a", "bc") || k.nameOf("a") == k.nameOf("a", "") {
		t.Error("parts are not kept apart")
	}
	if k.nameOf("ab", "c") != k.nameOf("ab", "c") {
		t.Error("a name is not stable")
	}
	db := openTest(t)
	a, err := db.DeriveKey("pepper")
	if err != nil || a.Len() != 32 {
		t.Fatal(a.Len(), err)
	}
	b, _ := db.DeriveKey("events")
	again, _ := db.DeriveKey("pepper")
	if bytes.Equal(a.Reveal(), b.Reveal()) || !bytes.Equal(a.Reveal(), again.Reveal()) {
		t.Error("derived keys do not depend on the purpose alone")
	}
}

// frozenRecord is a record at "k" of table "t" under testKey. It is in files
// out there: a change that cannot open it needs a new algorithm id.
const frozenRecord = "0101f65e07df2b5329360e85be6795154aa81cb201bb13ab63ce489bfc7619ddaa73be1fada4b80650416474948f1c"

func TestFrozenRecordOpens(t *testing.T) {
	rec, _ := hex.DecodeString(frozenRecord)
	got, version, err := testSealer(t).open("t", []byte("k"), rec)
	if err != nil || version != 1 || string(got) != "plain" {
		t.Errorf("%q, %d, %v", got, version, err)
	}
}

// Whatever bytes stand in the file, opening them does not panic, and nothing
// but what was sealed opens.
func FuzzRecord(f *testing.F) {
	s := testSealer(f)
	good, _ := hex.DecodeString(frozenRecord) // the same in each fuzzing process
	f.Add(good, []byte("k"), "t")
	f.Add(good[:20], []byte("k"), "t")
	f.Add([]byte{}, []byte{}, "")
	f.Add([]byte{1, 1}, []byte("k"), strings.Repeat("t", 300))
	f.Fuzz(func(t *testing.T, rec, key []byte, table string) {
		got, _, err := s.open(table, key, rec)
		same := bytes.Equal(rec, good) && string(key) == "k" && table == "t"
		if (err == nil) != same {
			t.Fatalf("open of a forged record: %q, %v", got, err)
		}
	})
}
