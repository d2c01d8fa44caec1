package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestParseFileRefuses(t *testing.T) {
	slot, _, err := NewShamirSlot(2, 3)
	if err != nil {
		t.Fatal(err)
	}
	good := must[[]byte](t)(os.ReadFile(created(t, phraseSlot(t), slot)))
	for name, change := range map[string]func(d *fileDoc){
		"format":         func(d *fileDoc) { d.Format = 2 },
		"no instance":    func(d *fileDoc) { d.Instance = "" },
		"short secret":   func(d *fileDoc) { d.Sealed = d.Sealed[:overhead] },
		"long secret":    func(d *fileDoc) { d.Sealed = make([]byte, maxSecret+overhead+1) },
		"bad id":         func(d *fileDoc) { d.Slots[0].ID = "x" },
		"one id twice":   func(d *fileDoc) { d.Slots[0].ID = d.Slots[1].ID },
		"unknown kind":   func(d *fileDoc) { d.Slots[0].Kind = "tpm" },
		"other kind":     func(d *fileDoc) { d.Slots[0].Kind = KindSNP },
		"two kinds":      func(d *fileDoc) { d.Slots[0].SNP = &snpDoc{} },
		"no kind":        func(d *fileDoc) { d.Slots[0].Passphrase = nil },
		"short key":      func(d *fileDoc) { d.Slots[0].Wrapped = d.Slots[0].Wrapped[1:] },
		"all memory":     func(d *fileDoc) { d.Slots[0].Passphrase.MemoryKiB = 1 << 31 },
		"all time":       func(d *fileDoc) { d.Slots[0].Passphrase.Time = 1 << 31 },
		"no threads":     func(d *fileDoc) { d.Slots[0].Passphrase.Threads = 0 },
		"short salt":     func(d *fileDoc) { d.Slots[0].Passphrase.Salt = nil },
		"threshold":      func(d *fileDoc) { d.Slots[1].Shamir.Threshold = 4 },
		"short check":    func(d *fileDoc) { d.Slots[1].Shamir.Checks[0] = nil },
		"upper-case set": func(d *fileDoc) { d.Slots[1].Shamir.Set = "ABCDEF01" },
		"no slots":       func(d *fileDoc) { d.Slots = nil },
		"too many slots": func(d *fileDoc) { d.Slots = append(d.Slots, make([]slotDoc, maxSlots)...) },
	} {
		d := must[*fileDoc](t)(parseFile(good))
		change(d)
		raw, _ := json.Marshal(d)
		if _, err := parseFile(raw); fault.As(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "half": good[:len(good)/2], "two": append(bytes.Clone(good), good...),
		"unknown field": bytes.Replace(good, []byte(`"format"`), []byte(`"x": 1, "format"`), 1),
		"too long":      append(bytes.Clone(good), bytes.Repeat([]byte(" "), maxFile)...),
	} {
		if _, err := parseFile(raw); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	slot, _, err := NewShamirSlot(2, 3)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(must[[]byte](f)(os.ReadFile(created(f, phraseSlot(f), slot))))
	f.Add([]byte(`{"format":1,"slots":[{"kind":"snp","snp":{}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parseFile(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		d2, err := parseFile(again)
		if err != nil || !reflect.DeepEqual(d, d2) {
			t.Fatalf("came back as another: %v", err)
		}
	})
}

// dieEnv tells a child process to change the file in its folder, and die.
const dieEnv = "SEAL_TEST_DIE"

// A process that is killed between the new file and its taking the old one's place
// leaves the old one, and the next write goes through.
func TestKilledBeforeRename(t *testing.T) {
	if os.Getenv(dieEnv) != "" {
		f := opened(t, sealedName)
		f.beforeRename = func() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		_ = f.Replace(t.Context(), Passphrase(phrase), plain.FromString("never"))
		t.Fatal("still alive")
	}
	path := created(t, phraseSlot(t))
	self := must[string](t)(os.Executable())
	child := exec.Command(self, "-test.run=^TestKilledBeforeRename$")
	child.Dir, child.Env = filepath.Dir(path), append(os.Environ(), dieEnv+"=1")
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("not killed: %v\n%s", err, out)
	}
	if _, err := os.Stat(tempName(path)); err != nil {
		t.Fatalf("it died too early: %v", err)
	}
	f := opened(t, path)
	opens(t, f, Passphrase(phrase), nil)
	if err := f.Replace(t.Context(), Passphrase(phrase), plain.FromString("after")); err != nil {
		t.Fatal(err)
	}
	got, err := opened(t, path).Unseal(t.Context(), Passphrase(phrase))
	if err != nil || string(got.Reveal()) != "after" {
		t.Errorf("%v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}
