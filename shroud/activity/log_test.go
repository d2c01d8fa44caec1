package activity_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// An agent in a loop fills neither the memory nor the disk, nor does it take the place
// of another organisation's calls, and a new day is a new beginning.
func TestBounds(t *testing.T) {
	archive, err := events.Open(events.Config{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = archive.Close() })
	now := time.Now().UTC()
	log := activity.NewLog(archive, slog.New(slog.DiscardHandler))
	s := &activity.Service{Log: log, Now: func() time.Time { return now.Add(25 * time.Hour) }}
	loops, other := id.New(), id.New()
	for i := range 21_000 {
		log.Add(activity.Call{Org: loops, Began: now})
		if i%4000 == 0 {
			log.Flush()
		}
	}
	for range 5000 { // more than wait at once
		log.Add(activity.Call{Org: other, Began: now})
	}
	calls := func(org id.ID) int {
		sum, err := s.Summary(t.Context(), identity.Principal{Kind: identity.KindUser, Org: org}, "7d")
		if err != nil {
			t.Fatal(err)
		}
		return sum.Calls
	}
	if n := calls(loops); n != 20_000 {
		t.Errorf("%d calls are kept of a day", n)
	}
	if n := calls(other); n == 0 || n > 4096 {
		t.Errorf("%d calls waited at once", n)
	}
	log.Add(activity.Call{Org: loops, Began: now.Add(24 * time.Hour)})
	if n := calls(loops); n != 20_001 {
		t.Errorf("%d calls the day after", n)
	}
}

// full is a store whose disk is full.
type full struct{ activity.Store }

func (full) AppendCalls([]activity.Call) error { return errors.New("no room") }

// A disk that is full is said once.
func TestFullDisk(t *testing.T) {
	var said bytes.Buffer
	log := activity.NewLog(full{}, slog.New(slog.NewTextHandler(&said, nil)))
	for range 10 {
		log.Add(activity.Call{Org: id.New(), Model: "secret-model", Began: time.Now()})
		log.Flush()
	}
	if n := strings.Count(said.String(), "no room"); n != 1 || strings.Contains(said.String(), "secret-model") {
		t.Errorf("%d times: %s", n, said.String())
	}
}

// counting is a store that is told in batches.
type counting struct {
	activity.Store
	batches []int
}

func (c *counting) AppendCalls(calls []activity.Call) error {
	c.batches = append(c.batches, len(calls))
	return nil
}

// Calls that come one after the other are written together.
func TestCallsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counting{}
		log := activity.NewLog(store, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go log.Run(ctx)
		for range 30 {
			log.Add(activity.Call{Org: id.New(), Began: time.Now()})
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		stop()
		synctest.Wait()
		if len(store.batches) != 2 || store.batches[0]+store.batches[1] != 30 {
			t.Errorf("written in batches of %v", store.batches)
		}
	})
}
