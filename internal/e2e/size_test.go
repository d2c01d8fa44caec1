package e2e

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"
)

// The programs are as small as they are said to be. What makes them grow at once is
// code that looks a method up by a name that it computes: the linker then keeps every
// method there is (ADR 0037 says how to find it).
func TestSizes(t *testing.T) {
	if os.Getenv("ONECLAW_BINARY") == "" {
		t.Skip("what `make build` makes is measured: ONECLAW_BINARY names it")
	}
	for name, most := range map[string]int64{binary: 50e6, filepath.Join(filepath.Dir(binary), "oneclaw"): 25e6} {
		f, err := elf.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if f.Section(".symtab") != nil {
			t.Skip("it has tables for a debugger")
		}
		_ = f.Close()
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes", name, info.Size())
		if info.Size() > most {
			t.Errorf("%s has %d bytes, %d at most", name, info.Size(), most)
		}
	}
}
