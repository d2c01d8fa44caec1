package meter_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/meter"
)

// A request that turns to a dearer model sets more aside, is not counted again, and
// keeps what it had where that is refused.
func TestChange(t *testing.T) {
	m, _, c := newMeter(t)
	agent, l := id.New(), meter.Limits{PerMinute: 2, PerDay: 2, Budget: 1000}
	used := func(requests int64, spent meter.MicroUSD) {
		t.Helper()
		u, err := m.Used(t.Context(), agent)
		if err != nil || u.Requests != requests || u.Spent != spent {
			t.Errorf("%+v %v, want %d and %d", u, err, requests, spent)
		}
	}
	r, err := admit(t, m, agent, l, 300)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Change(t.Context(), r, l, 900); err != nil {
		t.Error(err)
	}
	used(1, 900)
	if err := m.Change(t.Context(), r, l, 1001); !errors.Is(err, meter.ErrBudget) {
		t.Error(err)
	}
	used(1, 900)
	if _, err := admit(t, m, agent, l, 101); !errors.Is(err, meter.ErrBudget) {
		t.Error(err)
	}
	r.Settle(5)
	used(1, 5)

	if r, err = admit(t, m, agent, l, 300); err != nil {
		t.Fatal(err)
	}
	c.Add(24 * time.Hour) // it counts for the day on which it was let in
	if err := m.Change(t.Context(), r, l, 400); err != nil {
		t.Error(err)
	}
	used(0, 400)
	r.Settle(7)
	used(0, 7)
}
