package events_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Calls come back newest first, each organisation's own, beside the events of the
// audit log, and so do their requests, whatever their size; after a restart as well.
func TestCalls(t *testing.T) {
	dir := t.TempDir()
	a := open(t, events.Config{Dir: dir})
	one, other := id.New(), id.New()
	var calls []activity.Call
	var want []string
	for i := range 100 {
		c := activity.Call{ID: id.New(), Org: one, Model: fmt.Sprint(i), Began: time.Now(), Keep: time.Hour, Request: bytes.Repeat([]byte{byte(i)}, i*900)}
		if i%10 == 0 {
			c.Org = other
		} else {
			want = append(want, c.Model)
		}
		calls = append(calls, c)
	}
	slices.Reverse(want)
	if err := a.AppendCalls(calls); err != nil {
		t.Fatal(err)
	}
	if err := a.Append([]audit.Entry{{Seq: 0, Leaf: []byte("leaf")}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var got []string
		var at id.ID
		for page := 40; page == 40; { // in pages
			page = 0
			err := a.Calls(one, at, func(c activity.Call) bool {
				if page == 40 {
					return false
				}
				page, at = page+1, c.ID
				got = append(got, c.Model)
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d calls, want %d: %v", len(got), len(want), got)
		}
		for _, c := range calls {
			text, err := a.Request(c.Org, c.ID)
			if err != nil || !bytes.Equal(text, c.Request) {
				t.Fatalf("the request of call %s has %d bytes: %v", c.Model, len(text), err)
			}
			if _, found, err := a.Call(c.Org, c.ID); !found || err != nil {
				t.Fatalf("call %s: %v", c.Model, err)
			}
		}
		if _, found, err := a.Call(other, calls[1].ID); found || err != nil {
			t.Errorf("another organisation has it: %v", err)
		}
		if leaf, err := a.Leaf(0); string(leaf) != "leaf" || err != nil {
			t.Errorf("%q %v", leaf, err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a = open(t, events.Config{Dir: dir})
	}
}
