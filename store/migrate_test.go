package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// nextLayout is testLayout two schemas later: things get a Name of "new", then
// the records of blobs go. halfway runs between the two.
func nextLayout(halfway func(context.Context) error) layout {
	return layout{schema: 3, buckets: append(slices.Clone(testLayout.buckets), bucket{name: "more"}), migrations: []migration{
		{to: 2, run: func(ctx context.Context, tx *bolt.Tx, k *keyring) error {
			return rewrite(ctx, tx, k, "things", func(r record) (record, error) {
				return record{plain: bytes.Replace(r.plain, []byte("old"), []byte("new"), 1), version: 1}, nil
			})
		}},
		{to: 3, run: func(ctx context.Context, tx *bolt.Tx, _ *keyring) error {
			if err := tx.DeleteBucket([]byte("blobs")); err != nil {
				return err
			}
			return halfway(ctx)
		}},
	}}
}

func fine(context.Context) error { return nil }

const olderThings = 2*rewriteBatch + 7

// olderFile is a file of testLayout, closed.
func olderFile(t *testing.T) (path string) {
	t.Helper()
	db := openTest(t)
	err := db.update(bg, func(tx *Tx) error {
		for i := range olderThings {
			if err := things.put(tx, fmt.Appendf(nil, "k%d", i), thing{"old", i}); err != nil {
				return err
			}
		}
		return blobs.put(tx, []byte("b"), []byte("blob"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return db.cfg.Path
}

// openOutdated opens and unseals a file with the layout of two schemas later.
func openOutdated(t *testing.T, path string, l layout) *DB {
	t.Helper()
	db, err := open(Config{Path: path}, l)
	if err == nil {
		t.Cleanup(func() { _ = db.Close() })
		err = db.Unseal(plain.New(testKey))
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Before it is migrated an old file can be copied, and nothing else.
func TestOutdatedFileIsOnlyCopied(t *testing.T) {
	path := olderFile(t)
	before := read(t, path)
	db := openOutdated(t, path, nextLayout(fine))
	if schema, outdated := db.Outdated(); schema != 1 || !outdated {
		t.Error(schema, outdated)
	}
	if err := tryPut(db, 1); !errors.Is(err, ErrOutdated) {
		t.Error("a write:", err)
	}
	if err := db.view(bg, func(*Tx) error { return nil }); !errors.Is(err, ErrOutdated) {
		t.Error("a read:", err)
	}
	if _, err := db.Verify(bg); !errors.Is(err, ErrOutdated) {
		t.Error("verifying:", err)
	}
	s, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var copied bytes.Buffer
	counts, err := s.Tables(bg)
	if err := errors.Join(err, s.Write(bg, &copied)); err != nil || counts["things"] != olderThings {
		t.Error(counts, err)
	}
	err = s.View(bg, func(tx *Tx) error {
		v, _, err := things.get(tx, []byte("k7"))
		if err == nil && v.Name != "old" {
			err = fmt.Errorf("%v", v)
		}
		return err
	})
	s.Close()
	if err := errors.Join(err, db.Close()); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(read(t, path), before) {
		t.Error("the file was changed")
	}
	writeCopy := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(writeCopy, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	isOld(t, writeCopy)
}

// A migration changes all there is, with a note of it, and once.
func TestMigration(t *testing.T) {
	path := olderFile(t)
	db := openOutdated(t, path, nextLayout(fine))
	note := func(m *Meta) error {
		m.Schema, m.Blobs = 99, map[string][]byte{"note": []byte("done")}
		return nil
	}
	if err := db.Migrate(bg, note); err != nil {
		t.Fatal(err)
	}
	again := func(*Meta) error { t.Error("migrated twice"); return nil }
	if err := db.Migrate(bg, again); err != nil {
		t.Error(err)
	}
	for range 2 {
		if m, err := db.Meta(); err != nil || m.Schema != 3 || string(m.Blobs["note"]) != "done" {
			t.Error(m, err)
		}
		if _, outdated := db.Outdated(); outdated {
			t.Error("still outdated")
		}
		for i := range olderThings {
			if got := get(t, db, fmt.Sprint("k", i)); got.Name != "new" || got.N != i {
				t.Fatalf("k%d is %v", i, got)
			}
		}
		more := db.update(bg, func(tx *Tx) error { return rawTable{"more"}.put(tx, []byte("x"), []byte("y")) })
		if more != nil {
			t.Error("a new table:", more)
		}
		if n, err := db.Verify(bg); err != nil || n != olderThings+1 {
			t.Error(n, err)
		}
		_ = db.Close()
		boltCheck(t, path)
		db = openOutdated(t, path, nextLayout(fine))
	}
	_ = db.Close()
	if _, err := open(Config{Path: path}, testLayout); !errors.Is(err, ErrNewer) {
		t.Error("the version before opens it:", err)
	}
}

// isOld fails unless the file is one of testLayout, with all that was in it.
func isOld(t *testing.T, path string) {
	t.Helper()
	boltCheck(t, path)
	db := openAt(t, path)
	defer db.Close()
	for i := range olderThings {
		if got := get(t, db, fmt.Sprint("k", i)); got.Name != "old" || got.N != i {
			t.Fatalf("k%d is %v", i, got)
		}
	}
	if n, err := db.Verify(bg); err != nil || n != olderThings+1 {
		t.Error(n, err)
	}
}

// A migration that fails or is called off in the second of two steps leaves
// every byte as it was, and the next attempt starts from there.
func TestMigrationThatFails(t *testing.T) {
	broken := errors.New("half way")
	var cancel context.CancelFunc
	for name, c := range map[string]struct {
		halfway func(context.Context) error
		want    error
	}{
		"error":      {func(context.Context) error { return broken }, broken},
		"panic":      {func(context.Context) error { panic("half way") }, ErrFileDamaged},
		"called off": {func(ctx context.Context) error { cancel(); return ctx.Err() }, context.Canceled},
		"ignores it": {func(context.Context) error { cancel(); return nil }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			var ctx context.Context
			ctx, cancel = context.WithCancel(bg)
			defer cancel()
			path := olderFile(t)
			before := read(t, path)
			db := openOutdated(t, path, nextLayout(c.halfway))
			if err := db.Migrate(ctx, nil); !errors.Is(err, c.want) {
				t.Error(err)
			}
			if schema, _ := db.Outdated(); schema != 1 {
				t.Errorf("of schema %d", schema)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(read(t, path), before) {
				t.Error("the file was changed")
			}
			db = openOutdated(t, path, nextLayout(fine))
			if err := db.Migrate(bg, nil); err != nil || get(t, db, "k3").Name != "new" {
				t.Error("the next attempt:", err)
			}
		})
	}
}

// A disk that fills up while the migration is committed changes nothing.
func TestMigrationOnAFullDisk(t *testing.T) {
	older := openAt(t, olderFile(t))
	var used bytes.Buffer // without the room that the file has to grow
	if err := errors.Join(older.Backup(bg, &used), older.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(needTmpfs(t, used.Len()+16<<10), "state.db")
	if err := os.WriteFile(path, used.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	db := openOutdated(t, path, nextLayout(fine))
	if err := db.Migrate(bg, nil); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	isOld(t, path)
}

// childMigrate says when it is halfway, and waits there to be killed.
func childMigrate(path string) {
	db, err := open(Config{Path: path}, nextLayout(func(context.Context) error {
		fmt.Println("halfway")
		select {}
	}))
	if err == nil {
		err = db.Unseal(plain.New(testKey))
	}
	if err == nil {
		err = db.Migrate(bg, nil)
	}
	fatal(fmt.Errorf("it was not killed: %w", err))
}

// A process that is killed in the middle leaves every byte as it was.
func TestKillDuringMigration(t *testing.T) {
	path := olderFile(t)
	before := read(t, path)
	cmd := child(t, "migrate", path)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "halfway\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if !bytes.Equal(read(t, path), before) {
		t.Error("the file was changed")
	}
	isOld(t, path)
	db := openOutdated(t, path, nextLayout(fine))
	if err := db.Migrate(bg, nil); err != nil || get(t, db, "k3").Name != "new" {
		t.Error("the next attempt:", err)
	}
}

// The frozen files of every schema go through whatever migrations come next.
func TestFrozenFilesMigrate(t *testing.T) {
	files, err := filepath.Glob("testdata/schema-*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no frozen files:", err)
	}
	next := current
	next.schema++
	next.migrations = append(slices.Clone(current.migrations), migration{to: next.schema, run: func(ctx context.Context, tx *bolt.Tx, k *keyring) error {
		for _, b := range buckets {
			if err := rewrite(ctx, tx, k, b.name, func(r record) (record, error) { return r, nil }); err != nil {
				return err
			}
		}
		return nil
	}})
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			path := thaw(t, f)
			db := openOutdated(t, path, next)
			if schema, outdated := db.Outdated(); !outdated || schema >= next.schema {
				t.Error(schema, outdated)
			}
			if err := db.Migrate(bg, nil); err != nil {
				t.Fatal(err)
			}
			if n, err := db.Verify(bg); err != nil || n == 0 {
				t.Errorf("%d records: %v", n, err)
			}
			_ = db.Close()
			if _, err := Open(Config{Path: path}); !errors.Is(err, ErrNewer) {
				t.Error(err)
			}
		})
	}
}
