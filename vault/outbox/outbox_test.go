package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// world is an outbox over a real store.
type world struct {
	testing.TB
	db    *store.DB
	mail  *receiver
	clock *clocktest.Clock
	log   *bytes.Buffer
	d     *outbox.Dispatcher
	org   id.ID
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, db: storetest.Open(t), mail: &receiver{}, clock: clocktest.At(clocktest.Noon), log: &bytes.Buffer{}, org: id.New()}
	w.wire()
	return w
}

// wire makes everything anew that a restart makes anew.
func (w *world) wire() {
	w.d = &outbox.Dispatcher{
		DB: w.runner(), Senders: map[outbox.Channel]outbox.Sender{outbox.Mail: w.mail}, Now: w.clock.Now,
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
}

func (w *world) restart() {
	w.Helper()
	w.db = storetest.Reopen(w, w.db)
	w.wire()
}

func (w *world) runner() txn.Runner[outbox.Tx] { return store.Runner[outbox.Tx](w.db) }

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) message(body string) outbox.Message {
	return outbox.Message{
		ID: id.New(), Org: w.org, Channel: outbox.Mail, Kind: "test", To: "a@example.com", Subject: "s", Body: body, CreatedAt: w.clock.Now(),
	}
}

func (w *world) enqueue(m outbox.Message) id.ID {
	w.Helper()
	w.ok(w.runner().Update(w.Context(), func(tx outbox.Tx) error { return outbox.Enqueue(tx, m) }))
	return m.ID
}

func (w *world) load(msg id.ID) (m outbox.Message, found bool) {
	w.Helper()
	w.ok(w.runner().View(w.Context(), func(tx outbox.Tx) (err error) {
		m, found, err = tx.OutboxMessage(msg)
		return err
	}))
	return m, found
}

func (w *world) waiting() (n int) {
	w.Helper()
	w.ok(w.runner().View(w.Context(), func(tx outbox.Tx) (err error) {
		n, err = tx.OutboxWaiting(w.org, outbox.Mail)
		return err
	}))
	return n
}

// deliver wants a number of messages to be taken now.
func (w *world) deliver(want int) {
	w.Helper()
	n, err := w.d.Deliver(w.Context())
	w.ok(err)
	if n != want {
		w.Fatalf("%d delivered, want %d", n, want)
	}
}

func (w *world) want(msg id.ID, s outbox.State, attempts int) outbox.Message {
	w.Helper()
	m, found := w.load(msg)
	if !found || m.State != s || m.Attempts != attempts {
		w.Fatalf("found %v, %s after %d attempts (%s), want %s after %d", found, m.State, m.Attempts, m.LastError, s, attempts)
	}
	return m
}

// receiver takes messages, or not.
type receiver struct {
	mu    sync.Mutex
	fail  error
	taken []string // bodies
	ids   []id.ID
	each  func()
}

func (r *receiver) Send(_ context.Context, m outbox.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.taken, r.ids = append(r.taken, m.Body), append(r.ids, m.ID)
	if r.each != nil {
		r.each()
	}
	return nil
}

func (r *receiver) fails(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// A message is there exactly if what it tells of is.
func TestEnqueueBelongsToItsCause(t *testing.T) {
	w := newWorld(t)
	why := errors.New("no")
	m := w.message("x")
	err := w.runner().Update(t.Context(), func(tx outbox.Tx) error { return errors.Join(outbox.Enqueue(tx, m), why) })
	if _, found := w.load(m.ID); !errors.Is(err, why) || found || w.waiting() != 0 {
		t.Fatalf("%v, found %v", err, found)
	}
	w.deliver(0)
	w.enqueue(m)
	got := w.want(m.ID, outbox.Pending, 0)
	if !got.NotAfter.Equal(clocktest.Noon.Add(outbox.DefaultLifetime)) || !got.NextAt.Equal(clocktest.Noon) || w.waiting() != 1 {
		t.Errorf("%v, %v", got.NotAfter, got.NextAt)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*outbox.Message){
		"no channel":       func(m *outbox.Message) { m.Channel = "pigeon" },
		"no kind":          func(m *outbox.Message) { m.Kind = "" },
		"no address":       func(m *outbox.Message) { m.To = "" },
		"a name":           func(m *outbox.Message) { m.To = "A <a@example.com>" },
		"a second line":    func(m *outbox.Message) { m.Subject = "a\nBcc: b" },
		"an endless title": func(m *outbox.Message) { m.Subject = strings.Repeat("x", 300) },
		"an endless body":  func(m *outbox.Message) { m.Body = strings.Repeat("x", 300<<10) },
	} {
		m := w.message("x")
		change(&m)
		if err := w.runner().Update(t.Context(), func(tx outbox.Tx) error { return outbox.Enqueue(tx, m) }); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestDelivers(t *testing.T) {
	w := newWorld(t)
	var all []id.ID
	for i := range 150 { // more than a batch
		all = append(all, w.enqueue(w.message(fmt.Sprint("body ", i))))
	}
	w.deliver(150)
	w.deliver(0)
	for _, msg := range all {
		if m := w.want(msg, outbox.Sent, 1); m.Body != "" {
			t.Fatalf("still has %q", m.Body)
		}
	}
	if len(w.mail.taken) != 150 || w.waiting() != 0 {
		t.Errorf("%d taken, %d waiting", len(w.mail.taken), w.waiting())
	}
	w.clock.Add(outbox.KeptSettled - time.Second)
	w.deliver(0)
	w.want(all[0], outbox.Sent, 1)
	w.clock.Add(time.Second)
	w.deliver(0)
	w.ok(w.runner().View(t.Context(), func(tx outbox.Tx) error {
		left, err := tx.OutboxSettled(0)
		if len(left) != 0 {
			t.Errorf("%d are still there", len(left))
		}
		return errors.Join(err, tx.OutboxList(w.org, id.ID{}, func(m outbox.Message) bool { t.Errorf("%v is still listed", m); return false }))
	}))
}

func TestTriesAgain(t *testing.T) {
	w := newWorld(t)
	w.mail.fails(&outbox.Failure{Text: "down", Err: errors.New("canary")})
	msg := w.enqueue(w.message("canary-body"))
	w.deliver(0)
	m := w.want(msg, outbox.Pending, 1)
	if d := m.NextAt.Sub(clocktest.Noon); d < 48*time.Second || d > 72*time.Second || m.LastError != "down" {
		t.Errorf("next in %v, %q", d, m.LastError)
	}
	w.deliver(0)
	w.want(msg, outbox.Pending, 1) // not yet due
	for n := 2; ; n++ {
		w.clock.Add(m.NextAt.Sub(w.clock.Now()))
		w.restart()
		w.deliver(0)
		next, _ := w.load(msg)
		if next.State == outbox.Failed {
			if next.Attempts != n || n < 15 || next.Body != "canary-body" || w.clock.Now().After(next.NotAfter) {
				t.Errorf("given up after %d attempts at %v", next.Attempts, w.clock.Now())
			}
			break
		}
		if next.Attempts != n || next.NextAt.Sub(w.clock.Now()) > 8*time.Hour {
			t.Fatalf("attempt %d: next in %v", next.Attempts, next.NextAt.Sub(w.clock.Now()))
		}
		m = next
	}
	if strings.Contains(w.log.String(), "canary") || !strings.Contains(w.log.String(), "given up") {
		t.Error(w.log.String())
	}
}

func TestGivesUpAtOnce(t *testing.T) {
	w := newWorld(t)
	w.mail.fails(&outbox.Failure{Text: "no such mailbox", Permanent: true})
	msg := w.enqueue(w.message("x"))
	w.deliver(0)
	w.mail.fails(nil)
	w.clock.Add(time.Hour)
	w.deliver(0)
	w.want(msg, outbox.Failed, 1)
}

// A token that is no use any more is not mailed, however late the server is up.
func TestNothingAfterItsTime(t *testing.T) {
	w := newWorld(t)
	m := w.message("x")
	m.NotAfter = clocktest.Noon.Add(time.Hour)
	w.enqueue(m)
	w.clock.Add(2 * time.Hour)
	w.deliver(0)
	w.want(m.ID, outbox.Failed, 0)
	if len(w.mail.taken) != 0 {
		t.Error("sent")
	}
}

// Without a way out messages wait where they can be seen, and go when there is
// one.
func TestWithoutSender(t *testing.T) {
	w := newWorld(t)
	w.d.Senders = nil
	early, late := w.enqueue(w.message("early")), id.ID{}
	w.clock.Add(48 * time.Hour)
	w.deliver(0)
	late = w.enqueue(w.message("late"))
	w.clock.Add(25 * time.Hour)
	w.deliver(0)
	if m := w.want(early, outbox.Failed, 0); m.Body != "early" || !strings.Contains(m.LastError, "configured") {
		t.Errorf("%q: %s", m.Body, m.LastError)
	}
	w.want(late, outbox.Pending, 0)
	w.restart() // now with one
	w.deliver(1)
	w.want(late, outbox.Sent, 1)
}

// Whatever dies after a message was sent and before that was marked, it is sent
// again as the same message.
func TestKilledBeforeMarking(t *testing.T) {
	w := newWorld(t)
	msg := w.enqueue(w.message("x"))
	w.d.DB = deaf{w.runner()}
	if n, err := w.d.Deliver(t.Context()); err == nil || n != 0 {
		t.Fatalf("%d, %v", n, err)
	}
	w.restart()
	w.want(msg, outbox.Pending, 0)
	w.deliver(1)
	w.restart()
	w.deliver(0)
	if len(w.mail.ids) != 2 || w.mail.ids[0] != msg || w.mail.ids[1] != msg {
		t.Errorf("sent %v", w.mail.ids)
	}
}

// deaf is a store that is lost before it commits.
type deaf struct{ txn.Runner[outbox.Tx] }

func (deaf) Update(context.Context, func(outbox.Tx) error) error { return errors.New("killed") }

// A shutdown is no failure of the other side, and what it took is marked.
func TestStopping(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	msg := w.enqueue(w.message("x"))
	w.mail.each = cancel
	n, err := w.d.Deliver(ctx)
	if m := w.want(msg, outbox.Sent, 1); n != 1 || m.Body != "" {
		t.Errorf("%d, %v", n, err)
	}
	other := w.enqueue(w.message("y"))
	if _, err := w.d.Deliver(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.want(other, outbox.Pending, 0)
}

// Run delivers what is put in without being asked.
func TestRunWakesUp(t *testing.T) {
	w := newWorld(t)
	w.d.Now = nil
	got := make(chan struct{}, 100)
	w.mail.each = func() { got <- struct{}{} }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.d.Run(ctx) }()
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			for range 20 {
				m := w.message("x")
				m.CreatedAt = time.Time{}
				_ = w.runner().Update(ctx, func(tx outbox.Tx) error { return outbox.Enqueue(tx, m) })
			}
		})
	}
	for range 100 {
		select {
		case <-got:
		case <-time.After(20 * time.Second):
			t.Fatal("it sleeps")
		}
	}
	all.Wait()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	seen := map[id.ID]bool{}
	for _, m := range w.mail.ids {
		if seen[m] {
			t.Errorf("%s was sent twice", m)
		}
		seen[m] = true
	}
	if n := w.waiting(); n != 0 {
		t.Errorf("%d are waiting", n)
	}
}

// What one organisation causes does not fill the disk, and a mere notice never
// makes fail what it tells of.
func TestNoticesAreDropped(t *testing.T) {
	w := newWorld(t)
	for range 11 {
		w.ok(w.runner().Update(t.Context(), func(tx outbox.Tx) error {
			for range 100 {
				if err := outbox.Notify(tx, w.message("x")); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	if n := w.waiting(); n != 1000 {
		t.Errorf("%d are waiting", n)
	}
	w.enqueue(w.message("what must arrive"))
	w.deliver(1001)
	w.enqueue(w.message("x"))
}

func TestListsNewestFirst(t *testing.T) {
	w := newWorld(t)
	var mine []id.ID
	for i := range 10 {
		m := w.message("x")
		if i%2 == 1 {
			m.Org = id.New()
		} else {
			mine = append(mine, m.ID)
		}
		w.enqueue(m)
	}
	list := func(org, before id.ID, most int) (out []id.ID) {
		w.ok(w.runner().View(t.Context(), func(tx outbox.Tx) error {
			return tx.OutboxList(org, before, func(m outbox.Message) bool {
				out = append(out, m.ID)
				return len(out) < most
			})
		}))
		return out
	}
	if all := list(id.ID{}, id.ID{}, 99); len(all) != 10 || all[9] != mine[0] {
		t.Errorf("all: %v", all)
	}
	page := list(w.org, id.ID{}, 3)
	rest := list(w.org, page[2], 3)
	if len(page) != 3 || len(rest) != 2 || page[0] != mine[4] || page[2] != mine[2] || rest[1] != mine[0] {
		t.Errorf("%v, %v, mine are %v", page, rest, mine)
	}
	if older := list(id.ID{}, mine[1], 99); len(older) != 2 {
		t.Errorf("older: %v", older)
	}
}

// Nothing of a message can be read on disk.
func TestSealedOnDisk(t *testing.T) {
	w := newWorld(t)
	m := w.message("canary-body")
	m.To, m.Subject, m.Kind, m.Headers = "canary-to@example.com", "canary-subject", "canary-kind", map[string]string{"canary-h": "canary-v"}
	w.enqueue(m)
	raw, err := os.ReadFile(w.db.Config().Path)
	w.ok(err)
	if bytes.Contains(raw, []byte("canary")) {
		t.Error("the file has what a message says")
	}
}
