package seal

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/attest/attesttest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

const (
	pin        = "CANARY-4711"
	sealedName = "pin.sealed"
)

var (
	ours   = Subject{Instance: "vault-1", Purpose: "hsm-pin"}
	phrase = plain.FromString("correct horse battery staple")
)

// vendor is made once: its keys take their time.
var vendor = func() func(testing.TB) *attesttest.Vendor {
	var once sync.Once
	var v *attesttest.Vendor
	return func(tb testing.TB) *attesttest.Vendor {
		once.Do(func() { v = attesttest.NewVendor(tb, "Milan") })
		return v
	}
}()

func machine(t testing.TB, chip, image byte) *attesttest.Machine {
	return attesttest.NewMachine(t, vendor(t), chip, image)
}

func keysOf(t testing.TB, m *attesttest.Machine) DerivedKeys {
	t.Helper()
	s, err := attest.NewSource(attest.Config{Open: m.Device})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v (%v)", err, errors.Unwrap(err))
		}
		return v
	}
}

func snpSlot(t testing.TB, m *attesttest.Machine, tcb attest.TCB) Slot {
	t.Helper()
	return must[Slot](t)(NewSNPSlot(t.Context(), keysOf(t, m), m.Report.Measurement, tcb))
}

// phraseSlot is as NewPassphraseSlot makes it, but for what it costs to try.
func phraseSlot(t testing.TB) Slot {
	t.Helper()
	p := &passphraseDoc{Salt: random(saltSize), Time: 1, MemoryKiB: 64, Threads: 1}
	return Slot{doc: slotDoc{ID: newID(), Kind: KindPassphrase, Passphrase: p}, secret: p.stretch(phrase)}
}

func TestPassphrase(t *testing.T) {
	path := created(t, must[Slot](t)(NewPassphraseSlot(phrase)))
	opens(t, opened(t, path), Passphrase(phrase), nil)
	opens(t, opened(t, path), Passphrase(plain.FromString("correct horse")), ErrRefused)
	opens(t, opened(t, path), Keys(nil), ErrNoSlot)
}

func created(t testing.TB, slots ...Slot) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), sealedName)
	if err := Create(path, ours, plain.FromString(pin), slots...); err != nil {
		t.Fatal(err)
	}
	return path
}

func opened(t testing.TB, path string) *File {
	t.Helper()
	return must[*File](t)(Open(path, ours))
}

// opens asserts that by opens the file, or fails with want.
func opens(t *testing.T, f *File, by Opener, want error) {
	t.Helper()
	got, err := f.Unseal(t.Context(), by)
	switch {
	case want == nil && (err != nil || string(got.Reveal()) != pin):
		t.Errorf("not opened: %v", err)
	case want != nil && (!errors.Is(err, want) || got.Len() != 0):
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestOnlyThisMachineOpens(t *testing.T) {
	us := machine(t, 1, 2)
	path := created(t, snpSlot(t, us, attest.TCB{}), phraseSlot(t))
	debug := machine(t, 1, 2)
	debug.Report.Policy |= 1 << 19
	newer := machine(t, 1, 2)
	newer.Report.CommittedTcb += 1 << 48
	for name, c := range map[string]struct {
		m    *attesttest.Machine
		want error
	}{
		"after a restart":              {machine(t, 1, 2), nil},
		"after an update of firmware":  {newer, nil},
		"another chip":                 {machine(t, 9, 2), ErrRefused},
		"another image":                {machine(t, 1, 9), ErrRefused},
		"this image with debugging on": {debug, ErrRefused},
	} {
		t.Run(name, func(t *testing.T) { opens(t, opened(t, path), Keys(keysOf(t, c.m)), c.want) })
	}
	t.Run("no hardware", func(t *testing.T) {
		none := must[*attest.Source](t)(attest.NewSource(attest.Config{Device: t.TempDir() + "/none"}))
		opens(t, opened(t, path), Keys(none), attest.ErrNoDerivedKeys)
	})
	opens(t, opened(t, path), Passphrase(phrase), nil)
}

// A slot with the TCB of that day opens under that firmware and newer, and not
// after a way back.
func TestTCB(t *testing.T) {
	path := created(t, snpSlot(t, machine(t, 1, 2), attesttest.Firmware()), phraseSlot(t))
	newer, older := machine(t, 1, 2), machine(t, 1, 2)
	newer.Report.CommittedTcb += 1 << 48
	older.Report.CommittedTcb -= 1 << 48
	opens(t, opened(t, path), Keys(keysOf(t, newer)), nil)
	opens(t, opened(t, path), Keys(keysOf(t, older)), ErrRefused)
	if _, err := NewSNPSlot(t.Context(), keysOf(t, older), older.Report.Measurement, attesttest.Firmware()); err == nil {
		t.Error("a slot for firmware that is not there")
	}
}

func TestUpgrade(t *testing.T) {
	old, next := machine(t, 1, 2), machine(t, 1, 3)
	path := created(t, snpSlot(t, old, attest.TCB{}), phraseSlot(t))
	f := opened(t, path)
	slot, code, err := NewUpgradeSlot(next.Report.Measurement)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AddSlot(t.Context(), Keys(keysOf(t, old)), slot); err != nil {
		t.Fatal(err)
	}
	f = opened(t, path)
	opens(t, f, Keys(keysOf(t, next)), ErrRefused)
	another := machine(t, 1, 4)
	_, wrong, _ := NewUpgradeSlot(next.Report.Measurement)
	for name, c := range map[string]struct {
		m    *attesttest.Machine
		as   []byte
		code plain.Bytes
		want error
	}{
		"another image":                 {another, another.Report.Measurement, code, ErrRefused},
		"a slot of another image":       {another, next.Report.Measurement, code, ErrSlot},
		"another code":                  {next, next.Report.Measurement, wrong, ErrRefused},
		"a mistyped code":               {next, next.Report.Measurement, plain.New(append([]byte(nil), code.Reveal()[:code.Len()-1]...)), ErrTyped},
		"a slot that is no snp slot":    {nil, next.Report.Measurement, code, ErrSlot},
		"somebody else wrote meanwhile": {next, next.Report.Measurement, code, ErrChanged},
	} {
		own := phraseSlot(t)
		if c.m != nil {
			own = snpSlot(t, c.m, attest.TCB{})
		}
		on := f
		if c.want == ErrChanged {
			on = opened(t, path)
			on.sum[0]++
		}
		if _, err := on.Upgrade(t.Context(), c.code, c.as, own); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	got, err := f.Upgrade(t.Context(), code, next.Report.Measurement, snpSlot(t, next, attest.TCB{}))
	if err != nil || string(got.Reveal()) != pin {
		t.Fatalf("upgrade: %v", err)
	}
	f = opened(t, path)
	opens(t, f, Keys(keysOf(t, next)), nil)
	opens(t, f, Keys(keysOf(t, old)), nil) // until its slot is removed
	if _, err := f.Upgrade(t.Context(), code, next.Report.Measurement, snpSlot(t, next, attest.TCB{})); !errors.Is(err, ErrNoSlot) {
		t.Errorf("the code a second time: %v", err)
	}
	for _, s := range f.Describe() {
		if s.Measurement == hex.EncodeToString(old.Report.Measurement) {
			if err := f.RemoveSlot(s.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	opens(t, opened(t, path), Keys(keysOf(t, old)), ErrRefused)
}

// A file that only a machine could open is not written, by no way.
func TestRecoveryIsKept(t *testing.T) {
	us := machine(t, 1, 2)
	path := filepath.Join(t.TempDir(), "pin")
	if err := Create(path, ours, plain.FromString(pin), snpSlot(t, us, attest.TCB{})); !errors.Is(err, ErrNoRecovery) {
		t.Errorf("created: %v", err)
	}
	if err := Create(path, ours, plain.FromString(pin)); !errors.Is(err, ErrNoRecovery) {
		t.Errorf("created without slots: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
	first, second := phraseSlot(t), phraseSlot(t)
	path = created(t, snpSlot(t, us, attest.TCB{}), first, second)
	f := opened(t, path)
	if err := f.RemoveSlot(first.ID()); err != nil {
		t.Error(err)
	}
	if err := f.RemoveSlot(second.ID()); !errors.Is(err, ErrNoRecovery) {
		t.Errorf("the last one: %v", err)
	}
	if err := f.RemoveSlot("none"); !errors.Is(err, ErrNoSlot) {
		t.Errorf("no slot: %v", err)
	}
	opens(t, opened(t, path), Passphrase(phrase), nil)
}

// Every failed try reads alike.
func TestTriesTellNothing(t *testing.T) {
	path := created(t, snpSlot(t, machine(t, 1, 2), attest.TCB{}), phraseSlot(t))
	flipped := func(change func(*fileDoc)) *File {
		f := opened(t, path)
		change(f.doc)
		return f
	}
	other := Passphrase(plain.FromString("another passphrase"))
	for name, try := range map[string]func() error{
		"passphrase": func() error { _, err := opened(t, path).Unseal(t.Context(), other); return err },
		"chip": func() error {
			_, err := opened(t, path).Unseal(t.Context(), Keys(keysOf(t, machine(t, 9, 2))))
			return err
		},
		"changed slot": func() error {
			_, err := flipped(func(d *fileDoc) { d.Slots[1].Wrapped[20]++ }).Unseal(t.Context(), Passphrase(phrase))
			return err
		},
		"changed parameter": func() error {
			_, err := flipped(func(d *fileDoc) { d.Slots[1].Passphrase.Time++ }).Unseal(t.Context(), Passphrase(phrase))
			return err
		},
		"changed id": func() error {
			_, err := flipped(func(d *fileDoc) { d.Slots[1].ID = newID() }).Unseal(t.Context(), Passphrase(phrase))
			return err
		},
		"changed secret": func() error {
			_, err := flipped(func(d *fileDoc) { d.Sealed[20]++ }).Unseal(t.Context(), Passphrase(phrase))
			return err
		},
		"another purpose": func() error {
			_, err := flipped(func(d *fileDoc) { d.Purpose = "x" }).Unseal(t.Context(), Passphrase(phrase))
			return err
		},
		"another instance": func() error {
			f := opened(t, path)
			f.subject.Instance = "vault-2"
			_, err := f.Unseal(t.Context(), Passphrase(phrase))
			return err
		},
	} {
		if err := try(); err == nil || err.Error() != ErrRefused.Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The PIN and the slots change; the slots that stay open what is new.
func TestReplaceAndAdd(t *testing.T) {
	path := created(t, phraseSlot(t))
	f := opened(t, path)
	if err := f.Replace(t.Context(), Passphrase(phrase), plain.FromString("new")); err != nil {
		t.Fatal(err)
	}
	us := machine(t, 1, 2)
	if err := f.AddSlot(t.Context(), Passphrase(phrase), snpSlot(t, us, attest.TCB{})); err != nil {
		t.Fatal(err)
	}
	got, err := opened(t, path).Unseal(t.Context(), Keys(keysOf(t, us)))
	if err != nil || string(got.Reveal()) != "new" {
		t.Errorf("%v", err)
	}
	stale := opened(t, path)
	if err := f.Replace(t.Context(), Passphrase(phrase), plain.FromString("newer")); err != nil {
		t.Fatal(err)
	}
	if err := stale.AddSlot(t.Context(), Passphrase(phrase), phraseSlot(t)); !errors.Is(err, ErrChanged) {
		t.Errorf("over another's change: %v", err)
	}
	used := phraseSlot(t)
	if err := f.AddSlot(t.Context(), Passphrase(phrase), used); err != nil {
		t.Fatal(err)
	}
	if err := f.AddSlot(t.Context(), Passphrase(phrase), used); err == nil {
		t.Error("one slot twice")
	}
}

func TestRefusedArguments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pin")
	for name, err := range map[string]error{
		"no secret":        Create(path, ours, plain.Bytes{}, phraseSlot(t)),
		"long secret":      Create(path, ours, plain.New(make([]byte, maxSecret+1)), phraseSlot(t)),
		"no instance":      Create(path, Subject{Purpose: "x"}, plain.FromString(pin), phraseSlot(t)),
		"control":          Create(path, Subject{"a\nb", "x"}, plain.FromString(pin), phraseSlot(t)),
		"unmade slot":      Create(path, ours, plain.FromString(pin), Slot{}),
		"short passphrase": func() error { _, err := NewPassphraseSlot(plain.FromString("hunter2")); return err }(),
		"short image":      func() error { _, err := NewSNPSlot(context.Background(), nil, []byte{1}, attest.TCB{}); return err }(),
		"short next image": func() error { _, _, err := NewUpgradeSlot(nil); return err }(),
		"one of three":     func() error { _, _, err := NewShamirSlot(1, 3); return err }(),
		"four of three":    func() error { _, _, err := NewShamirSlot(4, 3); return err }(),
		"two of many":      func() error { _, _, err := NewShamirSlot(2, maxShares+1); return err }(),
	} {
		if !errors.Is(err, ErrSlot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestFileOnDisk(t *testing.T) {
	path := created(t, phraseSlot(t))
	info := must[fs.FileInfo](t)(os.Stat(path))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	raw := must[[]byte](t)(os.ReadFile(path))
	if bytes.Contains(raw, []byte(pin)) {
		t.Error("the PIN is in the file")
	}
	if err := Create(path, ours, plain.FromString("x"), phraseSlot(t)); !errors.Is(err, ErrExists) {
		t.Errorf("over another: %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := Open(path, Subject{"vault-2", "hsm-pin"}); !errors.Is(err, ErrOther) {
		t.Errorf("another instance: %v", err)
	}
	if _, err := Open(path+"x", ours); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, ours); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
	if fault.KindOf(ErrMissing) != fault.Sealed {
		t.Error("missing shares are a sealed appliance")
	}
}
