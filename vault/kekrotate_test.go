package vault_test

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// modules are the modules of an appliance, by name.
type modules map[string]hsm.Module

func (m modules) Module(name string) (hsm.Module, error) {
	if m[name] == nil {
		return nil, hsm.ErrUnavailable
	}
	return m[name], nil
}

// kekWorld is a world with a second module.
type kekWorld struct {
	*world
	second  *flaky
	modules modules
}

func newKEKWorld(t testing.TB) *kekWorld {
	w := &kekWorld{world: newWorld(t), second: &flaky{Module: hsmtest.Memory(t)}}
	w.modules = modules{"": w.gate, "b": w.second}
	w.restart()
	t.Cleanup(func() { w.StopRotations() })
	return w
}

// restart is another process on the same store.
func (w *kekWorld) restart() {
	w.StopRotations()
	w.Service = vault.New(w.faults, w.modules, w.Clock.Now)
}

func (w *kekWorld) rotate(module string) vault.Vault {
	w.Helper()
	v, err := w.RotateKEK(w.Ctx, w.v.Ref(), module, audit.Details{"uid": 7})
	w.OK(err)
	return v
}

// settled waits until nothing is rewrapped and returns what became of alice's
// vault.
func (w *kekWorld) settled() (out vault.Rewrap) {
	w.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		pending := false
		for _, r := range w.Rewraps() {
			if pending = pending || r.Pending; r.Vault == w.v.ID {
				out = r
			}
		}
		if !pending {
			return out
		}
		if time.Now().After(end) {
			w.Fatalf("still rewrapping: %+v", w.Rewraps())
		}
	}
}

// now is alice's vault as it is.
func (w *kekWorld) now() (v vault.Vault) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) (err error) {
		v, _, err = tx.Vault(w.org, w.v.ID)
		return err
	})
	return v
}

// under counts the DEKs of alice's vault by the generation of their KEK.
func (w *kekWorld) under() (out map[uint32]int) {
	w.Helper()
	w.OK(w.KEKs(w.Ctx, func(r vault.KEKReport) error {
		if r.Vault.ID == w.v.ID {
			out = r.Under
		}
		return nil
	}))
	return out
}

// fill writes n paths, each with two versions.
func (w *kekWorld) fill(n int) {
	w.Helper()
	for i := range n {
		w.put(fmt.Sprint("p/", i), fmt.Sprint("old ", i))
		w.put(fmt.Sprint("p/", i), fmt.Sprint("value ", i))
	}
}

func (w *kekWorld) intact(n int) {
	w.Helper()
	for i := range n {
		w.wantValue(w.alice, fmt.Sprint("p/", i), fmt.Sprint("value ", i))
		_, _, old, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path(fmt.Sprint("p/", i)), 1)
		w.OK(err)
		storetest.Equal(w, "old version", string(old.Reveal()), fmt.Sprint("old ", i))
	}
}

// finished wants everything under one KEK.
func (w *kekWorld) finished(generation uint32, module string, deks int) {
	w.Helper()
	r := w.settled()
	storetest.Equal(w, "error", r.Error, "")
	v := w.now()
	storetest.Equal(w, "generation", v.Current().Generation, generation)
	storetest.Equal(w, "module", v.Current().Module, module)
	storetest.Equal(w, "older KEKs", len(v.Older), 0)
	storetest.Equal(w, "DEKs", fmt.Sprint(w.under()), fmt.Sprint(map[uint32]int{generation: deks}))
}

func TestKEK_RotateInPlace(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(30)
	before := w.now()
	w.rotate("")
	w.finished(2, "", 60)
	w.intact(30)
	if string(before.KEK) == string(w.now().KEK) {
		t.Error("the KEK is the one before")
	}
	w.rotate("")
	w.finished(3, "", 60)
	w.intact(30)
}

func TestKEK_MoveToAnotherModule(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(30)
	w.rotate("b")
	w.finished(2, "b", 60)
	w.intact(30)
	// The first module is of no use for them any more, and needed by nothing.
	w.module.breakDown(hsm.ErrUnavailable)
	w.restart()
	w.intact(30)
	w.put("p/0", "value 0")
	w.second.breakDown(hsm.ErrUnavailable)
	_, err := w.read(w.alice, "p/0")
	w.Is(err, hsm.ErrUnavailable)
	w.module.repair()
	w.second.repair()
	w.rotate("")
	w.finished(3, "", 61)
}

// What happens is in the log of the organisation, with who had it done.
func TestKEK_Audited(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(3)
	events := w.Logs("kek.rotate success; kek.rewrap success", func() {
		w.rotate("b")
		w.settled()
	})
	storetest.Equal(t, "uid", fmt.Sprint(events[0].Details["uid"]), "7")
	storetest.Equal(t, "module", events[0].Details["module"], any("b"))
	storetest.Equal(t, "organisation", events[1].Org, w.org)
	storetest.Equal(t, "values", fmt.Sprint(events[1].Details["values"]), "6")
}

// An outage of either module stops it; what was done is kept, everything can be
// read where its module is there, and it is taken up.
func TestKEK_OutageAndResume(t *testing.T) {
	for name, down := range map[string]func(w *kekWorld) *flaky{
		"the old module": func(w *kekWorld) *flaky { return w.module },
		"the new module": func(w *kekWorld) *flaky { return w.second },
	} {
		t.Run(name, func(t *testing.T) {
			w := newKEKWorld(t)
			w.fill(20)
			_, err := w.RotateKEK(w.Ctx, w.v.Ref(), "c", nil)
			w.Is(err, vault.ErrKEKModule)
			v := w.rotateStopped()
			down(w).breakDown(hsm.ErrUnavailable)
			w.restart()
			n, err := w.ResumeRewraps(w.Ctx)
			w.OK(err)
			storetest.Equal(t, "unfinished", n, 1)
			if r := w.settled(); r.Error == "" || r.Pending {
				t.Errorf("%+v", r)
			}
			storetest.Equal(t, "older KEKs", len(w.now().Older), len(v.Older))
			down(w).repair()
			_, err = w.ResumeRewraps(w.Ctx)
			w.OK(err)
			w.finished(2, "b", 40)
			w.intact(20)
		})
	}
}

// rotateStopped gives the vault a KEK of the second module in a process that
// ends before anything is rewrapped.
func (w *kekWorld) rotateStopped() vault.Vault {
	w.Helper()
	w.StopRotations()
	v := w.rotate("b")
	storetest.Equal(w, "older KEKs", len(w.now().Older), 1)
	return v
}

// Another rotation while one is unfinished: everything ends under the last KEK.
func TestKEK_Twice(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(10)
	w.rotateStopped()
	w.put("p/0", "value 0")
	storetest.Equal(t, "DEKs", fmt.Sprint(w.under()), fmt.Sprint(map[uint32]int{1: 20, 2: 1}))
	w.intact(0)
	w.restart()
	w.rotate("")
	w.finished(3, "", 21)
	for range 5 {
		w.rotate("b") // while the one before is under way, or not
	}
	w.finished(8, "b", 21)
}

// The record does not grow for ever.
func TestKEK_Bounded(t *testing.T) {
	w := newKEKWorld(t)
	w.put("a", "x")
	w.StopRotations()
	for range 16 {
		w.rotate("")
	}
	_, err := w.RotateKEK(w.Ctx, w.v.Ref(), "", nil)
	w.Is(err, vault.ErrKEKsUnfinished)
	w.restart()
	_, err = w.ResumeRewraps(w.Ctx)
	w.OK(err)
	w.finished(17, "", 1)
}

// A damaged value keeps its KEK, is named, and holds up nothing else.
func TestKEK_Damaged(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(10)
	sec := w.put("broken", "x")
	var sealed []byte
	w.Inspect(func(tx *store.Tx) error {
		b, _, err := tx.Envelope(sec.ID, 1)
		sealed = append(sealed, b...)
		return err
	})
	good := append([]byte(nil), sealed...)
	sealed[20] ^= 1
	w.Commit(func(tx *store.Tx) error { return tx.PutEnvelope(sec.ID, 1, sealed) })
	w.rotate("b")
	r := w.settled()
	if r.Damaged != 1 || r.Done != 20 || !strings.Contains(r.Error, "damaged") {
		t.Errorf("%+v", r)
	}
	w.intact(10)
	storetest.Equal(t, "older KEKs", len(w.now().Older), 1)
	rep, err := w.VerifyKEKs(w.Ctx)
	w.OK(err)
	if rep.DEKs != 20 || rep.Damaged != 1 || len(rep.Broken) != 1 || rep.Broken[0].Secret != sec.ID || rep.Broken[0].Version != 1 {
		t.Errorf("%+v", rep)
	}
	w.second.breakDown(hsm.ErrUnavailable)
	rep, err = w.VerifyKEKs(w.Ctx)
	w.OK(err)
	storetest.Equal(t, "of a module that is not there", rep.Unavailable, 20)
	w.second.repair()
	// Put right, from a backup say, it goes along.
	w.Commit(func(tx *store.Tx) error { return tx.PutEnvelope(sec.ID, 1, good) })
	_, err = w.ResumeRewraps(w.Ctx)
	w.OK(err)
	w.finished(2, "b", 21)
	w.wantValue(w.alice, "broken", "x")
}

// Readers and writers go on while a vault goes from module to module: each
// read is of a value that was written, and nothing written is lost.
func TestKEK_UnderTraffic(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(40)
	const writers = 4
	var stop atomic.Bool
	var acked [writers]atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(writers+2, func(i int) {
			for n := int64(1); !stop.Load(); n++ {
				if i >= writers {
					path := fmt.Sprint("p/", n%40)
					if got, err := w.read(w.alice, path); err != nil || got != fmt.Sprint("value ", n%40) {
						t.Errorf("%s is %q, %v", path, got, err)
						return
					}
					continue
				}
				path := fmt.Sprint("hot/", i)
				if _, err := w.Put(w.Ctx, w.alice, w.v.ID, w.path(path), value(fmt.Sprint(n))); err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				acked[i].Store(n)
				if got, err := w.read(w.alice, path); err != nil || got != fmt.Sprint(n) {
					t.Errorf("%s is %q, %v, want %d", path, got, err, n)
					return
				}
			}
		})
	}()
	modules := []string{"b", "", "b", "b", ""}
	for _, m := range modules {
		w.rotate(m)
		w.settled()
	}
	stop.Store(true)
	<-done
	r := w.settled()
	storetest.Equal(t, "error", r.Error, "")
	w.intact(40)
	for i := range writers {
		w.wantValue(w.alice, fmt.Sprint("hot/", i), fmt.Sprint(acked[i].Load()))
	}
	storetest.Equal(t, "older KEKs", len(w.now().Older), 0)
	rep, err := w.VerifyKEKs(w.Ctx)
	w.OK(err)
	storetest.Equal(t, "damaged", rep.Damaged, 0)
}

// A vault that is deleted meanwhile stays deleted, and nothing of it comes back.
func TestKEK_VaultDeleted(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(20)
	w.rotateStopped()
	w.restart()
	slow := make(chan struct{})
	w.second.hook(func() { <-slow })
	_, err := w.ResumeRewraps(w.Ctx)
	w.OK(err)
	w.OK(w.DeleteVault(w.Ctx, w.alice, w.v.ID))
	close(slow)
	r := w.settled()
	storetest.Equal(t, "error", r.Error, "")
	left := 0
	w.Inspect(func(tx *store.Tx) error {
		secrets, err := tx.Secrets(w.v.ID)
		left = len(secrets)
		return err
	})
	storetest.Equal(t, "secrets left", left, 0)
	_, err = w.RotateKEK(w.Ctx, w.v.Ref(), "", nil)
	w.Is(err, vault.ErrVaultNotFound)
}

// What was sealed before a rotation and is stored after it would be under a
// KEK that may be gone.
func TestKEK_LateWrites(t *testing.T) {
	w := newKEKWorld(t)
	keys := map[vault.SecretPath]plain.Bytes{w.path("agents/a/ssh"): plain.FromString("k")}
	store := func(d vault.KeyDeposit) (ok bool) {
		w.Commit(func(tx *store.Tx) (err error) { ok, err = d.Store(w.Ctx, tx, w.owner); return err })
		return ok
	}
	first, err := w.SealAgentKeys(w.Ctx, w.owner, someAgent, keys)
	w.OK(err)
	storetest.Equal(t, "first", store(first), true)
	late, err := w.SealAgentKeys(w.Ctx, w.owner, someAgent, keys)
	w.OK(err)
	all, err := w.Refs(w.Ctx, nil)
	w.OK(err)
	for _, v := range all {
		_, err := w.RotateKEK(w.Ctx, v.Ref(), "b", nil)
		w.OK(err)
	}
	w.settled()
	storetest.Equal(t, "a deposit under the KEK before", store(late), false)
	w.faults.slip(func() { w.rotate("") })
	w.put("a", "x") // sealed, rotated, sealed again
	w.wantValue(w.alice, "a", "x")
	w.finished(3, "", 1)
}

// New vaults of an organisation get their KEKs from the module that it was
// assigned; those there stay.
func TestKEK_Assign(t *testing.T) {
	w := newKEKWorld(t)
	w.Is(w.AssignModule(w.Ctx, w.org, "c", nil), vault.ErrKEKModule)
	w.Is(w.AssignModule(w.Ctx, id.New(), "b", nil), vault.ErrOrgNotFound)
	w.Logs("kek.assign success", func() { w.OK(w.AssignModule(w.Ctx, w.org, "b", audit.Details{"uid": 7})) })
	storetest.Equal(t, "a new vault's module", w.vault(w.alice, "new").Module, "b")
	storetest.Equal(t, "an older vault's module", w.now().Module, "")
	w.second.breakDown(hsm.ErrUnavailable)
	_, err := w.Create(w.Ctx, w.alice, "newer", "")
	w.Is(err, hsm.ErrUnavailable)
	w.put("a", "x")
	w.wantValue(w.alice, "a", "x")
	w.OK(w.AssignModule(w.Ctx, w.org, "", nil))
	storetest.Equal(t, "a new vault's module", w.vault(w.alice, "newest").Module, "")
}

// A vault as older versions of oneclawd left it: no generation in the record,
// envelopes of format 1.
func TestKEK_OldRecords(t *testing.T) {
	w := newKEKWorld(t)
	sec := w.put("old", "?")
	sealed := format1(t, w, sec.ID, 1, "the value")
	w.Commit(func(tx *store.Tx) error { return tx.PutEnvelope(sec.ID, 1, sealed) })
	w.wantValue(w.alice, "old", "the value")
	storetest.Equal(t, "DEKs", fmt.Sprint(w.under()), "map[1:1]")
	w.rotate("b")
	w.finished(2, "b", 1)
	w.wantValue(w.alice, "old", "the value")
}

// format1 seals as vault/envelope documents format 1.
func format1(t *testing.T, w *kekWorld, secret id.ID, number byte, value string) []byte {
	dek := make([]byte, 32)
	for i := range dek {
		dek[i] = byte(i)
	}
	what := append([]byte{1, 1}, w.org[:]...)
	what = append(append(what, w.v.ID[:]...), secret[:]...)
	what = append(what, 0, 0, 0, number)
	wrapped, err := w.module.Wrap(w.Ctx, w.now().KEK, dek, append([]byte("oneclawd/envelope/dek\x00"), what...))
	w.OK(err)
	header := append([]byte{1, 1, byte(len(wrapped) >> 8), byte(len(wrapped))}, wrapped...)
	block, err := aes.NewCipher(dek)
	w.OK(err)
	aead, err := cipher.NewGCMWithRandomNonce(block)
	w.OK(err)
	sealed := aead.Seal(header, nil, []byte(value), append(append([]byte("oneclawd/envelope/value\x00"), what...), header...))
	if g, err := envelope.Generation(sealed); g != 1 || err != nil {
		t.Fatalf("generation %d, %v", g, err)
	}
	return sealed
}

// A full disk stops it, and it goes on when there is room.
func TestKEK_StoreFails(t *testing.T) {
	w := newKEKWorld(t)
	w.fill(10)
	w.rotateStopped()
	w.restart()
	w.faults.set("PutEnvelope", errors.New("the disk is gone"))
	_, err := w.ResumeRewraps(w.Ctx)
	if err == nil {
		if r := w.settled(); r.Error == "" {
			t.Errorf("%+v", r)
		}
	}
	w.faults.clear()
	_, err = w.ResumeRewraps(w.Ctx)
	w.OK(err)
	w.finished(2, "b", 20)
	w.intact(10)
}

// BenchmarkRewrap takes 2,000 DEKs from one KEK to another; the module is the
// local one, in this process.
func BenchmarkRewrap(b *testing.B) {
	w := newKEKWorld(b)
	w.Service = vault.New(store.Runner[vault.Tx](w.Store), w.modules, nil)
	b.Cleanup(func() { w.StopRotations() })
	const paths = 1000
	together(32, func(c int) {
		for i := c; i < paths; i += 32 {
			for range 2 {
				if _, err := w.Put(w.Ctx, w.alice, w.v.ID, w.path(fmt.Sprint("p/", i)), value("x")); err != nil {
					b.Error(err)
				}
			}
		}
	})
	b.ResetTimer()
	for range b.N {
		w.rotate("")
		w.settled()
	}
	b.ReportMetric(float64(2*paths*b.N)/b.Elapsed().Seconds(), "DEKs/s")
}
