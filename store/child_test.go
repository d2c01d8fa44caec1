package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Some tests need a process that may die. It is this test binary again, with
// childVar saying what to do with the data file at pathVar.
const (
	childVar = "ONECLAW_STORE_CHILD"
	pathVar  = "ONECLAW_STORE_PATH"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "":
		os.Exit(m.Run())
	case "write":
		childWrite(os.Getenv(pathVar))
	case "read":
		childRead()
	case "migrate":
		childMigrate(os.Getenv(pathVar))
	case "judge":
		childJudge(os.Getenv(pathVar))
	}
}

func child(t *testing.T, mode, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVar+"="+mode, pathVar+"="+path)
	return cmd
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func openChild(cfg Config) (*DB, error) {
	db, err := open(cfg, testLayout)
	if err != nil {
		return nil, err
	}
	if _, err := db.Meta(); errors.Is(err, ErrEmpty) {
		err = db.Init(Meta{}, plain.New(testKey))
		if err != nil {
			return nil, err
		}
	}
	return db, db.Unseal(plain.New(testKey))
}

// The crash test: worker w's i-th update puts two halves and its counter. What
// the child prints was acknowledged.
const crashWorkers = 16

func crashKey(half string, w, i int) []byte { return fmt.Appendf(nil, "%s/%d/%d", half, w, i) }

func counterKey(w int) []byte { return fmt.Appendf(nil, "counter/%d", w) }

func childWrite(path string) {
	db, err := openChild(Config{Path: path})
	if err != nil {
		fatal(err)
	}
	for w := range crashWorkers {
		go func() {
			for {
				var n int
				err := db.update(bg, func(tx *Tx) error {
					c, _, err := things.get(tx, counterKey(w))
					c.N++
					n = c.N
					return errors.Join(err,
						things.put(tx, counterKey(w), c),
						things.put(tx, crashKey("left", w, n), thing{strings.Repeat("x", n%700), n}),
						things.put(tx, crashKey("right", w, n), thing{strings.Repeat("x", n%700), n}))
				})
				if err != nil {
					fatal(err)
				}
				fmt.Printf("%d %d\n", w, n)
			}
		}()
	}
	select {}
}

// childRead opens the files named on standard input, one after the other, and
// reads and writes all it can. It prints each name first and an answer after,
// so that a crash is known by what is missing.
func childRead() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		quick, path, _ := strings.Cut(in.Text(), " ")
		fmt.Println(path)
		cfg := Config{Path: path}
		if quick == "quick" {
			cfg.quickCheck = 1
		}
		fmt.Println(useFile(cfg))
	}
}

// useFile is what a daemon does with a file, in short.
func useFile(cfg Config) (answer string) {
	db, err := openChild(cfg)
	if err != nil {
		return "refused: " + err.Error()
	}
	defer db.Close()
	var errs []error
	try := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	_ = db.view(bg, func(tx *Tx) error {
		try(things.scan(tx, page{}, func([]byte, thing) error { return nil }))
		try(blobs.scan(tx, page{Down: true}, func([]byte, []byte) error { return nil }))
		for i := range uint64(damageRecords) {
			_, _, err := things.get(tx, damageKey(i))
			try(err)
			_, _, err = blobs.get(tx, damageKey(i))
			try(err)
		}
		return nil
	})
	db.bolt.NoSync = true
	for i := uint64(0); i < damageRecords; i += 10 {
		try(db.update(bg, func(tx *Tx) error {
			for j := i; j < i+10; j++ {
				if err := errors.Join(things.put(tx, damageKey(j*7), thing{"new", 1}), blobs.delete(tx, damageKey(j*3))); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	try(db.Backup(bg, io.Discard))
	if len(errs) > 0 {
		return fmt.Sprintf("errors: %v and %d others", errs[0], len(errs)-1)
	}
	return "fine"
}

const damageRecords = 200

func damageKey(i uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte("key"), i*0x9E3779B97F4A7C15)
}
