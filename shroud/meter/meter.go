package meter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
)

// What Admit refuses with. Each says when to try again.
var (
	ErrPerMinute = fault.New(fault.RateLimited, "llm_requests_per_minute", "The agent has made its requests of this minute")
	ErrPerDay    = fault.New(fault.RateLimited, "llm_requests_per_day", "The agent has made its requests of today")
	ErrBudget    = fault.New(fault.RateLimited, "llm_daily_budget", "The agent's budget of today does not cover this request")
)

// MicroUSD is money: a millionth of a US dollar.
type MicroUSD int64

// USD returns dollars as money, rounded up; at most what MicroUSD holds.
func USD(dollars float64) MicroUSD {
	micro := dollars * 1e6
	switch {
	case !(micro > 0): // also NaN
		return 0
	case micro >= 1<<62:
		return 1 << 62
	}
	m := MicroUSD(micro)
	if float64(m) < micro {
		m++
	}
	return m
}

// Dollars is m in US dollars.
func (m MicroUSD) Dollars() float64 { return float64(m) / 1e6 }

// Limits are what an agent may take; 0 is no limit.
type Limits struct {
	PerMinute, PerDay int64
	Budget            MicroUSD // of a day
}

// Usage is what an agent has taken in a day. As it is stored it is a lease: at
// least what was taken.
type Usage struct {
	Agent    id.ID    `json:"agent"`
	Day      int64    `json:"day"` // since 1970
	Requests int64    `json:"requests"`
	Spent    MicroUSD `json:"spent"`
}

// Tx is what the meter needs of a transaction.
type Tx interface {
	// LLMUsage returns the last lease of an agent.
	LLMUsage(agent id.ID) (Usage, bool, error)
	PutLLMUsage(Usage) error
	// LLMPrices returns the operator's prices, nil if there are none.
	LLMPrices() ([]Price, error)
	PutLLMPrices([]Price) error
}

// How far ahead a lease is taken.
const (
	aheadRequests = 64
	aheadSpent    = MicroUSD(50_000) // five cents
)

// Meter counts. All methods may be called at once.
type Meter struct {
	db  txn.Runner[Tx]
	now func() time.Time

	mu       sync.Mutex
	accounts map[id.ID]*account
}

// New returns a Meter; now is time.Now if nil.
func New(db txn.Runner[Tx], now func() time.Time) *Meter {
	if now == nil {
		now = time.Now
	}
	return &Meter{db: db, now: now, accounts: map[id.ID]*account{}}
}

// account is what one agent takes.
type account struct {
	mu       sync.Mutex
	loaded   bool
	used     Usage    // exact; Day says of when
	reserved MicroUSD // of requests under way, on top
	lease    Usage    // what is stored
	minute   minute
}

// Reservation is a request that was let in. Settle ends it, once.
type Reservation struct {
	account *account
	day     int64
	held    MicroUSD
	once    sync.Once
}

// Admit lets a request in that may cost up to most, and counts it, or says which
// limit it would pass and until when. Nothing is counted then.
func (m *Meter) Admit(ctx context.Context, agent id.ID, l Limits, most MicroUSD) (*Reservation, error) {
	a := m.account(agent)
	a.mu.Lock()
	defer a.mu.Unlock()
	now := m.now()
	if err := m.load(ctx, a, agent, now); err != nil {
		return nil, err
	}
	if err := a.refuse(l, most, now); err != nil {
		return nil, err
	}
	if err := m.extend(ctx, a, most); err != nil {
		return nil, err
	}
	a.minute.add(now)
	a.used.Requests++
	a.reserved += most
	return &Reservation{account: a, day: a.used.Day, held: most}, nil
}

// Change reserves another amount for a request that was let in, or says why not, and
// leaves it as it was then. The request is not counted again.
func (m *Meter) Change(ctx context.Context, r *Reservation, l Limits, most MicroUSD) error {
	a := r.account
	a.mu.Lock()
	defer a.mu.Unlock()
	now := m.now()
	if err := m.load(ctx, a, a.used.Agent, now); err != nil {
		return err
	}
	if a.used.Day == r.day {
		a.reserved -= r.held
	}
	err := a.refuse(Limits{Budget: l.Budget}, most, now)
	if err == nil {
		err = m.extend(ctx, a, most)
	}
	if err == nil {
		r.day, r.held = a.used.Day, most
	}
	if a.used.Day == r.day {
		a.reserved += r.held
	}
	return err
}

// Settle says what the request has cost in the end: less than was reserved, or,
// where the reservation was an estimate, more.
func (r *Reservation) Settle(cost MicroUSD) {
	r.once.Do(func() {
		r.account.mu.Lock()
		defer r.account.mu.Unlock()
		if r.account.used.Day != r.day { // its day is over, and so are its counts
			return
		}
		r.account.reserved -= r.held
		r.account.used.Spent += cost
	})
}

// Used is what an agent has taken today, with what is under way.
func (m *Meter) Used(ctx context.Context, agent id.ID) (Usage, error) {
	a := m.account(agent)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := m.load(ctx, a, agent, m.now()); err != nil {
		return Usage{}, err
	}
	out := a.used
	out.Spent += a.reserved
	return out, nil
}

func (m *Meter) account(agent id.ID) *account {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.accounts[agent]
	if !ok {
		a = &account{}
		m.accounts[agent] = a
	}
	return a
}

func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// load makes a the account of today: on the first request from what is stored,
// on the first of a day from nothing.
func (m *Meter) load(ctx context.Context, a *account, agent id.ID, now time.Time) error {
	day := dayOf(now)
	if !a.loaded {
		var stored Usage
		err := m.db.View(ctx, func(tx Tx) (err error) {
			stored, _, err = tx.LLMUsage(agent)
			return err
		})
		if err != nil {
			return fmt.Errorf("meter: what agent %s has used: %w", agent, err)
		}
		stored.Agent = agent
		a.used, a.lease, a.loaded = stored, stored, true
	}
	// A clock that was set back does not open a day again.
	if day > a.used.Day {
		a.used = Usage{Agent: agent, Day: day}
		a.lease = a.used
		a.reserved = 0
	}
	return nil
}

func (a *account) refuse(l Limits, most MicroUSD, now time.Time) error {
	tomorrow := time.Unix((a.used.Day+1)*24*60*60, 0).Sub(now)
	switch {
	case l.PerMinute > 0 && a.minute.count(now) >= l.PerMinute:
		return ErrPerMinute.Detail("The agent may make %d requests a minute", l.PerMinute).After(a.minute.room(now, l.PerMinute))
	case l.PerDay > 0 && a.used.Requests >= l.PerDay:
		return ErrPerDay.Detail("The agent may make %d requests a day", l.PerDay).After(tomorrow)
	case l.Budget > 0 && a.used.Spent+a.reserved+most > l.Budget:
		return ErrBudget.Detail("The agent may spend $%.2f a day; $%.4f are spent or reserved, and this request may cost $%.4f",
			l.Budget.Dollars(), (a.used.Spent + a.reserved).Dollars(), most.Dollars()).After(tomorrow)
	}
	return nil
}

// extend makes the lease cover one more request that costs most.
func (m *Meter) extend(ctx context.Context, a *account, most MicroUSD) error {
	requests, spent := a.used.Requests+1, a.used.Spent+a.reserved+most
	if requests <= a.lease.Requests && spent <= a.lease.Spent {
		return nil
	}
	lease := Usage{Agent: a.used.Agent, Day: a.used.Day, Requests: requests + aheadRequests, Spent: spent}
	if spent > 0 {
		lease.Spent += aheadSpent
	}
	if err := m.put(ctx, lease); err != nil {
		return err
	}
	a.lease = lease
	return nil
}

func (m *Meter) put(ctx context.Context, u Usage) error {
	if err := m.db.Update(ctx, func(tx Tx) error { return tx.PutLLMUsage(u) }); err != nil {
		return fmt.Errorf("meter: keeping what agent %s has used: %w", u.Agent, err)
	}
	return nil
}

// Close writes what was counted, without the leases, for the next start. Nothing
// may be admitted after it.
func (m *Meter) Close(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.accounts {
		if err := m.closeAccount(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (m *Meter) closeAccount(ctx context.Context, a *account) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	exact := a.used
	exact.Spent += a.reserved
	if !a.loaded || exact == a.lease {
		return nil
	}
	a.lease = exact
	return m.put(ctx, exact)
}
