package auditstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/auditstream"
	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/audit"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 123456789, time.UTC)

// patience bounds every wait; it promises nothing.
const patience = time.Minute

// world is a log in a real store.
type world struct {
	testing.TB
	db  *store.DB
	log *audit.Log
	n   int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := storetest.Open(t)
	return &world{TB: t, db: db, log: &audit.Log{DB: store.Runner[audit.Tx](db)}}
}

// happens appends n events.
func (w *world) happens(n int) {
	w.Helper()
	err := store.Runner[audit.Tx](w.db).Update(w.Context(), func(tx audit.Tx) error {
		for i := range n {
			at := w.n + i
			if err := audit.Write(w.Context(), tx, audit.Event{
				Actor: audit.Actor{Type: "system"}, Action: audit.SecretRead, Time: noon.Add(time.Duration(at) * time.Second),
				Resource: audit.Resource{Type: "secret", ID: fmt.Sprintf("s/%d", at)}, Details: audit.Details{"n": at},
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	w.n += n
}

func (w *world) streamer(name string, to auditstream.Sink) *auditstream.Streamer {
	return &auditstream.Streamer{
		DB: store.Runner[auditstream.Tx](w.db), Events: w.log, Encode: httpapi.EncodeEvent, Sink: to, Name: name, Pause: time.Millisecond,
	}
}

// events are made up, as the API would show them.
func events(t testing.TB, from, n int) []auditstream.Event {
	t.Helper()
	out := make([]auditstream.Event, n)
	for i := range out {
		r := audit.Record{
			Index: uint64(from + i), ID: id.New(), Action: audit.SecretRead, OrgID: id.New(), ActorType: "agent", ActorID: id.New().String(),
			CreatedAt: noon.Add(time.Duration(from+i) * time.Second), Outcome: audit.Success, Details: audit.Details{},
		}
		text, err := httpapi.EncodeEvent(r)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = auditstream.Event{Record: r, JSON: text}
	}
	return out
}

// index is the index that an event's JSON says.
func index(t testing.TB, text []byte) uint64 {
	t.Helper()
	var e struct{ Index *uint64 }
	if err := json.Unmarshal(text, &e); err != nil || e.Index == nil {
		t.Fatalf("%q: %v", text, err)
	}
	return *e.Index
}

// taken is a sink that remembers, and fails when it is told to.
type taken struct {
	mu   sync.Mutex
	all  []uint64
	fail int // so many times, after it took half
}

var errAway = errors.New("away")

func (s *taken) Send(_ context.Context, events []auditstream.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	failing := s.fail > 0
	if failing {
		s.fail--
		events = events[:len(events)/2]
	}
	for _, e := range events {
		s.all = append(s.all, e.Index)
	}
	if failing {
		return errAway
	}
	return nil
}

func (s *taken) indexes() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint64(nil), s.all...)
}

// inSequence fails where an index was passed over: each is the one after the
// last, or goes back to one that was there.
func inSequence(t testing.TB, all []uint64, size int) {
	t.Helper()
	next := uint64(0)
	for _, i := range all {
		if i > next {
			t.Fatalf("%d follows, and %d was not there", i, next)
		}
		next = max(next, i+1)
	}
	if next != uint64(size) {
		t.Fatalf("%d of %d arrived", next, size)
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s", what)
		}
	}
}

// sinkFunc is a sink that takes everything.
type sinkFunc func(context.Context) error

func (fn sinkFunc) Send(ctx context.Context, _ []auditstream.Event) error { return fn(ctx) }
