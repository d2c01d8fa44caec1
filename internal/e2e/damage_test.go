package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// damaged starts a daemon on a copy of a good data folder that change has
// damaged.
func damaged(t *testing.T, good *daemon, change func(data string)) *daemon {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	copyDir(t, good.data, data)
	change(data)
	d := newDaemon(t, data, append(append([]string{}, good.args...), "--data", data)...)
	d.owner = good.owner
	return d
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// edit changes the bytes of a file.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedStore: whatever happens to the data file, the daemon starts on
// what is right or says what is wrong. It never shows a stack.
func TestDamagedStore(t *testing.T) {
	good := newLocal(t).start()
	v := good.human().vault(t, "v")
	for i := range 60 {
		good.human().put(v, fmt.Sprintf("a/%d", i), strings.Repeat("x", 2000)).is(t, 201)
	}
	good.archived()
	good.stop()
	state := func(data string) string { return filepath.Join(data, "state.db") }
	for name, change := range map[string]func([]byte) []byte{
		"truncated to half": func(b []byte) []byte { return b[:len(used(b))/2] },
		"truncated a page":  func(b []byte) []byte { return b[:len(used(b))-4096] },
		"two pages left":    func(b []byte) []byte { return b[:8192] },
		"not a data file":   func([]byte) []byte { return bytes.Repeat([]byte("text"), 8192) },
		"both meta pages":   func(b []byte) []byte { clear(b[16:80]); clear(b[4096+16 : 4096+80]); return b },
		"pages zeroed":      func(b []byte) []byte { clear(b[8192:]); return b },
		"every page's header": func(b []byte) []byte {
			for page := 2 * 4096; page < len(used(b)); page += 4096 {
				copy(b[page:], bytes.Repeat([]byte{0xff}, 16))
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			damaged(t, good, func(data string) { edit(t, state(data), change) }).
				refuses(1, "the data file is damaged; restore a backup")
		})
	}
	t.Run("newer schema", func(t *testing.T) {
		damaged(t, good, func(data string) {
			edit(t, state(data), func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("schema1"), []byte("schema7")) })
		}).refuses(1, "written by a newer oneclawd (schema 7, this one knows 1)")
	})
	t.Run("missing", func(t *testing.T) {
		damaged(t, good, func(data string) {
			if err := os.Remove(state(data)); err != nil {
				t.Fatal(err)
			}
		}).refuses(1, "state.db is missing or empty")
	})
	t.Run("emptied", func(t *testing.T) {
		damaged(t, good, func(data string) { edit(t, state(data), func([]byte) []byte { return nil }) }).
			refuses(1, "restore a backup")
	})
	t.Run("flipped bytes", func(t *testing.T) { flips(t, good, v, state) })
	t.Run("archive gone", func(t *testing.T) {
		d := damaged(t, good, func(data string) {
			if err := os.RemoveAll(filepath.Join(data, "events")); err != nil {
				t.Fatal(err)
			}
		}).start()
		d.human().value(t, v, "a/1")
		if a := d.human().do("GET", "/v1/audit/verify", nil); a.status != 200 || strings.Contains(string(a.body), `"chain_valid":true`) {
			t.Errorf("without its archive the log is found to be %v", a)
		}
		d.stop()
	})
}

// used is the file without the room that it has taken in advance.
func used(b []byte) []byte { return bytes.TrimRight(b, "\x00") }

// flips flips bytes all over the file. Each flip is found at the start, or when
// what it hit is used, or hit what nobody uses: a wrong value is never served.
func flips(t *testing.T, good *daemon, v string, state func(string) string) {
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	refused, failed := 0, 0
	for round := range rounds {
		d := damaged(t, good, func(data string) {
			edit(t, state(data), func(b []byte) []byte {
				n := len(used(b))
				for i := range 3 {
					b[8192+(round*7919+i*104729+round*round*31)%(n-8192)] ^= byte(1 << (round % 8))
				}
				return b
			})
		})
		if err := d.tryStart(); err != nil {
			refused++
			if code := d.wait(patience); code != 1 || strings.Contains(d.log(), "goroutine ") || !strings.Contains(d.log(), "oneclawd:") {
				t.Errorf("round %d: exit code %d\n%s", round, code, d.logTail())
			}
			continue
		}
		h := d.human()
		for i := range 60 {
			a := h.get(v, fmt.Sprintf("a/%d", i))
			switch {
			case a.err != nil || a.status == 200 && into[api.SecretResponse](t, a).Value != strings.Repeat("x", 2000):
				t.Errorf("round %d: %v\n%s", round, a, d.logTail())
			case a.status != 200:
				failed++
			}
		}
		_ = h.do("GET", "/v1/audit/verify", nil)
		if strings.Contains(d.log(), "goroutine ") {
			t.Errorf("round %d: a panic\n%s", round, d.logTail())
		}
		d.kill()
	}
	t.Logf("%d rounds: %d starts refused, %d reads", rounds, refused, failed)
}

// newLocal is an appliance whose keys lie in its data folder, which can be
// copied.
func newLocal(t testing.TB, args ...string) *daemon {
	t.Helper()
	return newServeOn(t, nil, append([]string{"--set", "log.level=info"}, args...)...)
}
