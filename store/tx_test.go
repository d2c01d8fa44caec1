package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestRecordsSurviveReopening(t *testing.T) {
	db := openTest(t)
	put(t, db, "a", thing{"one", 1})
	if got := get(t, db, "a"); got != (thing{"one", 1}) {
		t.Fatal(got)
	}
	_ = db.Close()
	db = openAt(t, db.cfg.Path)
	if got := get(t, db, "a"); got != (thing{"one", 1}) {
		t.Fatal(got)
	}
	err := db.update(bg, func(tx *Tx) error { return things.delete(tx, []byte("a")) })
	if got := get(t, db, "a"); err != nil || got != (thing{}) {
		t.Fatal(got, err)
	}
}

// stall keeps the writer busy until release is called, so that the updates
// started meanwhile form one group.
func stall(t *testing.T, db *DB) (release func()) {
	started, end := make(chan struct{}), make(chan struct{})
	go func() {
		_ = db.update(bg, func(*Tx) error {
			close(started)
			<-end
			return nil
		})
	}()
	<-started
	return func() { close(end) }
}

// inOneGroup runs the closures as one group, in order, and returns their answers.
func inOneGroup(t *testing.T, db *DB, fns ...func(*Tx) error) []error {
	t.Helper()
	g := &group{db: db, changes: changes{}}
	db.grouping.Lock()
	defer db.grouping.Unlock()
	if err := g.begin(); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(fns))
	for i, fn := range fns {
		c := &call{ctx: bg, fn: fn}
		g.run(c)
		errs[i] = c.err
	}
	if err := g.commit(); err != nil {
		t.Fatal(err)
	}
	return errs
}

func TestClosuresSeeTheGroupButNotItsFailures(t *testing.T) {
	db := openTest(t)
	put(t, db, "old", thing{"old", 1})
	sees := func(tx *Tx, key string, want thing) error {
		got, _, err := things.get(tx, []byte(key))
		if err == nil && got != want {
			err = fmt.Errorf("%s is %v, not %v", key, got, want)
		}
		return err
	}
	boom := errors.New("boom")
	errs := inOneGroup(t, db,
		func(tx *Tx) error { // sees the durable state, and its own change
			err := sees(tx, "old", thing{"old", 1})
			err = errors.Join(err, things.put(tx, []byte("a"), thing{"a", 1}))
			return errors.Join(err, sees(tx, "a", thing{"a", 1}))
		},
		func(tx *Tx) error { // sees the change before, and fails
			err := sees(tx, "a", thing{"a", 1})
			if err != nil {
				return err
			}
			_ = things.put(tx, []byte("a"), thing{"failed", 2})
			_ = things.delete(tx, []byte("old"))
			return boom
		},
		func(tx *Tx) error { // panics after a change
			_ = things.put(tx, []byte("a"), thing{"panicked", 3})
			panic("a secret")
		},
		func(tx *Tx) error { // sees nothing of the two
			err := errors.Join(sees(tx, "a", thing{"a", 1}), sees(tx, "old", thing{"old", 1}))
			err = errors.Join(err, things.delete(tx, []byte("old")))
			return errors.Join(err, sees(tx, "old", thing{}))
		},
		func(tx *Tx) error { // a change that was deleted and made again
			err := sees(tx, "old", thing{})
			return errors.Join(err, things.put(tx, []byte("old"), thing{"new", 2}))
		},
	)
	for i, err := range errs {
		switch i {
		case 1:
			if err != boom {
				t.Errorf("closure %d: %v", i, err)
			}
		case 2:
			if fault.KindOf(err) != fault.Internal || strings.Contains(fmt.Sprintf("%v %v", err, errors.Unwrap(err)), "secret") {
				t.Errorf("closure %d: %v", i, err)
			}
		default:
			if err != nil {
				t.Errorf("closure %d: %v", i, err)
			}
		}
	}
	if a, old := get(t, db, "a"), get(t, db, "old"); a != (thing{"a", 1}) || old != (thing{"new", 2}) {
		t.Error(a, old)
	}
}

func TestUpdatesAreSerial(t *testing.T) {
	db := openTest(t)
	const workers, each = 16, 50
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				err := db.update(bg, func(tx *Tx) error {
					v, _, err := things.get(tx, []byte("n"))
					if err != nil {
						return err
					}
					v.N++
					return things.put(tx, []byte("n"), v)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := get(t, db, "n").N; got != workers*each {
		t.Errorf("%d increments are in the store, not %d", got, workers*each)
	}
}

// Two records always change together; no snapshot may see them differ, nor one
// record change under it.
func TestViewIsASnapshot(t *testing.T) {
	db := openTest(t)
	stop := make(chan struct{})
	var wg, views sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := db.update(bg, func(tx *Tx) error {
					v, _, err := things.get(tx, []byte("left"))
					if err != nil {
						return err
					}
					v.N++
					if v.N%7 == 0 { // with nothing cached, now and then
						return errors.Join(things.put(tx, []byte("left"), v), things.delete(tx, []byte("right")))
					}
					return errors.Join(things.put(tx, []byte("left"), v), things.put(tx, []byte("right"), v))
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 4 {
		views.Go(func() {
			last := 0
			for range 3000 {
				var l, again, r thing
				var there bool
				err := db.view(bg, func(tx *Tx) (err error) {
					l, _, err = things.get(tx, []byte("left"))
					r, there, _ = things.get(tx, []byte("right"))
					again, _, _ = things.get(tx, []byte("left"))
					return err
				})
				if err != nil || l != again || l.N < last || there != (l.N%7 != 0) && l.N > 0 || there && r.N != l.N {
					t.Errorf("left %v then %v, right %v %v, before %d: %v", l, again, r, there, last, err)
					return
				}
				last = l.N
			}
		})
	}
	views.Wait()
	close(stop)
	wg.Wait()
}

func TestSealForgets(t *testing.T) {
	db := openTest(t)
	put(t, db, "a", thing{"one", 1})
	get(t, db, "a")
	rec, _ := db.cache.get("things", []byte("a"), ^uint64(0))
	sealer := db.keys.sealer
	db.Seal()
	db.Seal()
	if len(rec.plain) == 0 || strings.Trim(string(rec.plain), "\x00") != "" {
		t.Errorf("a cached record is still in memory: %q", rec.plain)
	}
	if sealer.k1 != [16]byte{} {
		t.Error("the record key is still in memory")
	}
	nothing := func(*Tx) error { return nil }
	if err := db.view(bg, nothing); !errors.Is(err, ErrSealed) || fault.KindOf(err) != fault.Sealed {
		t.Error(err)
	}
	if err := db.update(bg, nothing); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	if _, err := db.Name("a"); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	if _, err := db.DeriveKey("a"); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	if _, err := db.Meta(); err != nil {
		t.Error("Meta while sealed:", err)
	}
	if err := db.Unseal(plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	if got := get(t, db, "a"); got.N != 1 {
		t.Error(got)
	}
}

func TestContextEndsTheWaitOnly(t *testing.T) {
	db := openTest(t)
	release := stall(t, db)
	ctx, cancel := context.WithTimeout(bg, 10*time.Millisecond)
	defer cancel()
	ran := false
	err := db.update(ctx, func(*Tx) error { ran = true; return nil }) // the writer is busy
	if !errors.Is(err, context.DeadlineExceeded) || ran {
		t.Error(err, ran)
	}
	release()

	ctx, cancel = context.WithCancel(bg)
	err = db.update(ctx, func(tx *Tx) error {
		cancel() // too late
		return things.put(tx, []byte("a"), thing{"a", 1})
	})
	if err != nil || get(t, db, "a").N != 1 {
		t.Error("a closure that had started:", err)
	}
	if err := db.view(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	db := openTest(t)
	release := stall(t, db)
	const n = 20
	answers := make(chan error, n)
	for i := range n {
		go func() {
			answers <- db.update(bg, func(tx *Tx) error {
				return things.put(tx, fmt.Append(nil, i), thing{"x", i})
			})
		}()
	}
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	<-db.closing
	release()
	kept := 0
	for range n {
		switch err := <-answers; {
		case err == nil:
			kept++
		case !errors.Is(err, ErrClosed):
			t.Error(err)
		}
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if err := db.view(bg, func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Error("View after Close:", err)
	}
	if err := db.update(bg, func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Error("Update after Close:", err)
	}
	db = openAt(t, db.cfg.Path)
	found := 0
	_ = db.view(bg, func(tx *Tx) error {
		return things.scan(tx, page{}, func([]byte, thing) error { found++; return nil })
	})
	if found != kept {
		t.Errorf("%d updates acknowledged, %d in the store", kept, found)
	}
}

func TestOnCommit(t *testing.T) {
	db := openTest(t)
	var ran []string
	_ = db.update(bg, func(tx *Tx) error {
		tx.OnCommit(func() { ran = append(ran, fmt.Sprint(get(t, db, "a").N)) })
		return things.put(tx, []byte("a"), thing{"a", 1})
	})
	_ = db.update(bg, func(tx *Tx) error {
		tx.OnCommit(func() { ran = append(ran, "failed") })
		return errors.New("no")
	})
	if len(ran) != 1 || ran[0] != "1" {
		t.Error("hooks ran as", ran)
	}
}

func TestRunnerChecksTheInterface(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an interface that Tx lacks was accepted")
		}
	}()
	Runner[interface{ NoSuchMethod() }](openTest(t))
}
