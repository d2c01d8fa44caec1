package meter_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
)

func newMeter(t *testing.T) (m *meter.Meter, restart func() *meter.Meter, c *clocktest.Clock) {
	t.Helper()
	db, c := storetest.Open(t), clocktest.At(clocktest.Noon)
	restart = func() *meter.Meter { return meter.New(store.Runner[meter.Tx](db), c.Now) }
	return restart(), restart, c
}

func admit(t *testing.T, m *meter.Meter, agent id.ID, l meter.Limits, most meter.MicroUSD) (*meter.Reservation, error) {
	t.Helper()
	r, err := m.Admit(context.Background(), agent, l, most)
	if err == nil && r == nil {
		t.Fatal("neither let in nor refused")
	}
	return r, err
}

func retryAfter(err error) time.Duration {
	var f *fault.Error
	errors.As(err, &f)
	return f.RetryAfter
}

func TestLimits(t *testing.T) {
	m, _, c := newMeter(t)
	agent, other := id.New(), id.New()
	l := meter.Limits{PerMinute: 3, PerDay: 5}
	for range 3 {
		if _, err := admit(t, m, agent, l, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err := admit(t, m, agent, l, 0)
	if !errors.Is(err, meter.ErrPerMinute) || retryAfter(err) <= 0 || retryAfter(err) > 61*time.Second {
		t.Fatalf("%v, after %v", err, retryAfter(err))
	}
	if _, err := admit(t, m, other, l, 0); err != nil {
		t.Errorf("another agent: %v", err)
	}
	c.Add(retryAfter(err)) // as told
	for range 2 {
		if _, err := admit(t, m, agent, l, 0); err != nil {
			t.Fatal(err)
		}
	}
	c.Add(5 * time.Minute)
	_, err = admit(t, m, agent, l, 0)
	if !errors.Is(err, meter.ErrPerDay) || retryAfter(err) > 12*time.Hour || retryAfter(err) < 11*time.Hour {
		t.Fatalf("%v, after %v", err, retryAfter(err))
	}
	c.Add(retryAfter(err))
	if _, err := admit(t, m, agent, l, 0); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// What is reserved counts at once, what is settled for good.
func TestBudget(t *testing.T) {
	m, _, c := newMeter(t)
	agent, l := id.New(), meter.Limits{Budget: meter.USD(1)}
	first, err := admit(t, m, agent, l, meter.USD(0.6))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admit(t, m, agent, l, meter.USD(0.5)); !errors.Is(err, meter.ErrBudget) {
		t.Fatalf("two together pass the budget: %v", err)
	}
	first.Settle(meter.USD(0.1))
	first.Settle(meter.USD(0.1)) // counts once
	second, err := admit(t, m, agent, l, meter.USD(0.9))
	if err != nil {
		t.Fatal(err)
	}
	second.Settle(meter.USD(2)) // dearer than thought
	if _, err := admit(t, m, agent, l, 1); !errors.Is(err, meter.ErrBudget) {
		t.Error(err)
	}
	used, err := m.Used(t.Context(), agent)
	if err != nil || used.Spent != meter.USD(2.1) || used.Requests != 2 {
		t.Errorf("%+v %v", used, err)
	}
	c.Add(24 * time.Hour)
	if used, err := m.Used(t.Context(), agent); err != nil || used.Spent != 0 || used.Requests != 0 {
		t.Errorf("the next day: %+v %v", used, err)
	}
	second.Settle(0) // of yesterday
}

// However many ask at once, no more than the budget is reserved.
func TestConcurrentRequestsDoNotOvershoot(t *testing.T) {
	m, _, _ := newMeter(t)
	agent, l := id.New(), meter.Limits{Budget: meter.USD(1), PerDay: 80}
	var wg sync.WaitGroup
	var mu sync.Mutex
	in := 0
	for range 200 {
		wg.Go(func() {
			r, err := m.Admit(context.Background(), agent, l, meter.USD(0.02))
			if err == nil {
				r.Settle(meter.USD(0.02))
				mu.Lock()
				in++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if in != 50 {
		t.Errorf("%d requests of 2 cents in a budget of one dollar", in)
	}
}

// After a crash at least what was taken counts; after a stop exactly that.
func TestCountersSurvive(t *testing.T) {
	m, restart, _ := newMeter(t)
	agent, l := id.New(), meter.Limits{Budget: meter.USD(1), PerDay: 1000}
	for range 10 {
		r, err := admit(t, m, agent, l, meter.USD(0.01))
		if err != nil {
			t.Fatal(err)
		}
		r.Settle(meter.USD(0.01))
	}
	crashed, err := restart().Used(t.Context(), agent)
	if err != nil || crashed.Requests < 10 || crashed.Requests > 100 || crashed.Spent < meter.USD(0.1) || crashed.Spent > meter.USD(0.2) {
		t.Errorf("after a crash: %+v %v", crashed, err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := restart().Used(t.Context(), agent); err != nil || got.Requests != 10 || got.Spent != meter.USD(0.1) {
		t.Errorf("after a stop: %+v %v", got, err)
	}
}

func TestPrices(t *testing.T) {
	m, _, _ := newMeter(t)
	table, own, err := m.Prices(t.Context())
	if err != nil || own != nil {
		t.Fatalf("%v %v", own, err)
	}
	for _, c := range []struct {
		provider, model string
		listed          bool
		cost            meter.MicroUSD // of 1000 tokens in and 1000 out
	}{
		{"openai", "gpt-4o-mini-2024-07-18", true, 750},
		{"OpenAI", "gpt-4o", true, 12_500},
		{"openai", "something-new", false, 750_000}, // as the dearest of the provider
		{"ollama", "llama3", false, 0},
	} {
		p, listed := table.Find(c.provider, c.model)
		if listed != c.listed || p.Cost(1000, 1000) != c.cost {
			t.Errorf("%s %s: %v, %d", c.provider, c.model, listed, p.Cost(1000, 1000))
		}
	}
	mine, err := meter.NewTable([]meter.Price{{Provider: "openai", Model: "gpt-4o*", Input: 1, Output: 1}})
	if p, _ := mine.Find("openai", "gpt-4o"); err != nil || p.Input != 1 {
		t.Errorf("%v %v", p, err)
	}
	for _, bad := range []meter.Price{
		{}, {Provider: "x", Model: "[", Input: 1}, {Provider: "x", Model: "m", Input: -1}, {Provider: "x", Model: "m", Output: math.NaN()},
	} {
		if _, err := meter.NewTable([]meter.Price{bad}); !errors.Is(err, meter.ErrPrices) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
