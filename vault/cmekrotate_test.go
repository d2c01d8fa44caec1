package vault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
)

// gatekeeper lets through so many Updates and holds those that come after.
type gatekeeper struct {
	*faults
	mu   sync.Mutex
	pass int
	held chan struct{} // closed when one is held
	wait chan struct{}
	open func() // lets all through
}

// hold lets the service make so many more transactions that change something.
func (w *world) hold(pass int) *gatekeeper {
	g := &gatekeeper{faults: w.faults, pass: pass, held: make(chan struct{}), wait: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.wait) })
	w.Cleanup(g.open)
	w.DB = g
	return g
}

func (g *gatekeeper) Update(ctx context.Context, fn func(vault.Tx) error) error {
	if ctx.Value(exempt{}) != nil {
		return g.faults.Update(ctx, fn)
	}
	g.mu.Lock()
	g.pass--
	held := g.pass == -1
	g.mu.Unlock()
	if held {
		close(g.held)
		<-g.wait
	}
	return g.faults.Update(ctx, fn)
}

// exempt marks a test's own Updates.
type exempt struct{}

// fillBlobs writes n secrets, half of them in each
// form.
func (w *world) fillBlobs(from customerKey, n int) {
	w.Helper()
	var wg sync.WaitGroup
	work := make(chan int)
	for range 16 {
		wg.Go(func() {
			for i := range work {
				text := fmt.Sprintf("value-%d", i)
				blob := from.published(text)
				if i%2 == 1 {
					blob = from.bare(text)
				}
				if _, err := w.Put(w.Ctx, w.alice, w.v.ID, w.path(fmt.Sprintf("s/%d", i)), value(blob)); err != nil {
					w.Error(err)
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
}

// under counts the secrets by the key they are marked with.
func (w *world) under(k customerKey) (n int) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) error {
		all, err := tx.Secrets(w.v.ID)
		for _, sec := range all {
			if sec.Latest.CMEKFingerprint == k.fingerprint() {
				n++
			}
		}
		return err
	})
	return n
}

// TestK5_RestartBetweenBatches ends the process after one batch, and after
// two, and takes the rotation up each time.
func TestK5_RestartBetweenBatches(t *testing.T) {
	w, from, to := enabled(t)
	const n = 250
	w.fillBlobs(from, n)
	for _, done := range []int{100, 200} {
		g := w.hold(3) // two for the start, and one batch
		job, err := w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
		w.OK(err)
		storetest.Equal(t, "at the start", line(job.Status, job.Total, job.Processed), line("running", n, done-100))
		<-g.held
		running, err := w.CMEKJob(w.Ctx, w.alice, w.v.ID, job.ID)
		w.OK(err)
		storetest.Equal(t, "after a batch", line(running.Status, running.Processed), line("running", done))
		ctx := context.WithValue(w.Ctx, exempt{}, true)
		_, err = w.RotateCMEK(ctx, w.alice, w.v.ID, change(from, to))
		w.Is(err, vault.ErrCMEKRotating)
		_, err = w.DisableCMEK(ctx, w.alice, w.v.ID)
		w.Is(err, vault.ErrCMEKRotating)

		stopped := make(chan struct{})
		go func() { w.StopRotations(); close(stopped) }()
		for _, err = w.RotateCMEK(ctx, w.alice, w.v.ID, change(from, to)); code(err) != "shutting_down"; {
			_, err = w.RotateCMEK(ctx, w.alice, w.v.ID, change(from, to))
		}
		g.open()
		<-stopped
		w.restart()

		again, err := w.CMEKJob(w.Ctx, w.alice, w.v.ID, job.ID)
		w.OK(err)
		storetest.Equal(t, "after a restart", line(again.Status, again.Error), "failed interrupted; start it again with the same keys")
		storetest.Equal(t, "the vault's", w.vaultNow().CMEKFingerprint, from.fingerprint())
		storetest.Equal(t, "under the new key", w.under(to), done)
	}
	job := w.rotates(from, to)
	storetest.Equal(t, "job", line(job.Status, job.Total, job.Processed), fmt.Sprintf("completed %d %d", n, n))
	storetest.Equal(t, "under the new key", w.under(to), n)
	storetest.Equal(t, "the vault's", w.vaultNow().CMEKFingerprint, to.fingerprint())
	for i := range n {
		s, err := w.read(w.alice, fmt.Sprintf("s/%d", i))
		w.OK(err)
		open := to.openPublished
		if i%2 == 1 {
			open = to.openBare
		}
		storetest.Equal(t, "value", open(s), fmt.Sprintf("value-%d", i))
	}
	w.nowhere(from, to)
}

// restart is the process beginning anew over the same data.
func (w *world) restart() {
	w.Helper()
	w.Store = storetest.Reopen(w.TB, w.Store)
	w.faults = &faults{Runner: store.Runner[vault.Tx](w.Store)}
	w.Service = vault.New(w.faults, w.gate, w.Clock.Now)
}

// nowhere wants the customer's keys in no event and not on disk.
func (w *world) nowhere(keys ...customerKey) {
	w.Helper()
	file, err := os.ReadFile(w.Store.Config().Path)
	w.OK(err)
	all := append(bytes.Join(w.Leaves(0), nil), file...)
	for _, k := range keys {
		for _, form := range [][]byte{k, []byte(hex.EncodeToString(k)), []byte(base64.StdEncoding.EncodeToString(k))} {
			if bytes.Contains(all, form) {
				w.Error("a key is in the log or on disk")
			}
		}
	}
}

// TestK5_WritesMeanwhile: what is written after a rotation began, even between
// its last look and its end, is under the new key when it ends.
func TestK5_WritesMeanwhile(t *testing.T) {
	w, from, to := enabled(t)
	w.put("a", from.published("a1"))
	w.put("b", from.published("b1"))
	g := w.hold(2)
	job, err := w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
	w.OK(err)
	<-g.held // both are sealed, and about to be stored in what would be the last batch
	ctx := context.WithValue(w.Ctx, exempt{}, true)
	put := func(path, blob string) {
		_, err := w.Put(ctx, w.alice, w.v.ID, w.path(path), value(blob))
		w.OK(err)
	}
	put("b", from.bare("b2"))
	put("c", from.published("c1"))
	w.OK(w.Delete(ctx, w.alice, w.v.ID, w.path("a")))
	g.open()
	done := w.ended(job.ID)
	storetest.Equal(t, "job", line(done.Status, done.Total, done.Processed), "completed 3 3")
	b, err := w.read(w.alice, "b")
	w.OK(err)
	storetest.Equal(t, "b", to.openBare(b), "b2")
	storetest.Equal(t, "its number", w.secret("b").Latest.Number, 2)
	c, err := w.read(w.alice, "c")
	w.OK(err)
	storetest.Equal(t, "c", to.openPublished(c), "c1")
	storetest.Equal(t, "under the old key", w.under(from), 1) // the deleted one
	w.put("d", to.published("d1"))
	storetest.Equal(t, "written since", w.secret("d").Latest.CMEKFingerprint, to.fingerprint())
}

// Writers that never rest do not keep a rotation from ending, and none of what
// they write is left behind.
func TestK5_WritersThatNeverRest(t *testing.T) {
	w, from, to := enabled(t)
	w.fillBlobs(from, 120)
	ctx, stop := context.WithCancel(w.Ctx)
	defer stop()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				k := from
				if w.vaultNow().CMEKFingerprint == to.fingerprint() {
					k = to
				}
				_, err := w.Put(w.Ctx, w.alice, w.v.ID, w.path(fmt.Sprintf("w/%d/%d", i, n%20)), value(k.published("x")))
				if err != nil {
					w.Error(err)
				}
			}
		})
	}
	job := w.rotates(from, to)
	stop()
	wg.Wait()
	storetest.Equal(t, "status", line(job.Status, job.Error), "completed")
	storetest.Equal(t, "under the old key", w.under(from), 0)
}

func TestK5_AVaultThatIsDeletedMeanwhile(t *testing.T) {
	w, from, to := enabled(t)
	w.put("a", from.published("a1"))
	g := w.hold(2)
	job, err := w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
	w.OK(err)
	<-g.held
	w.OK(w.DeleteVault(context.WithValue(w.Ctx, exempt{}, true), w.alice, w.v.ID))
	g.open()
	w.StopRotations()
	w.Inspect(func(tx *store.Tx) error {
		_, ok, err := tx.CMEKJob(w.v.ID, job.ID)
		storetest.Equal(t, "a record", ok, false)
		return err
	})
}

func TestK5_AnOutageOfTheHSM(t *testing.T) {
	w, from, to := enabled(t)
	w.put("a", from.published("a1"))
	w.module.breakDown(hsm.ErrUnavailable)
	job := w.rotates(from, to)
	storetest.Equal(t, "job", line(job.Status, job.Error), "failed interrupted; start it again with the same keys")
	w.module.repair()
	storetest.Equal(t, "again", w.rotates(from, to).Status, vault.CMEKCompleted)
}
