package site

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// retryMaintenance is what clients are told to wait: nobody knows better.
const retryMaintenance = time.Minute

// Admit says whether a request of p may be looked at: from this address, and,
// if it changes something, at this time. A refused address is recorded.
func (s *Service) Admit(ctx context.Context, p identity.Principal, changes bool) error {
	var allowed, closed bool
	err := s.DB.View(ctx, func(tx Tx) error {
		rules, err := tx.IPRules(p.Org)
		if err != nil {
			return err
		}
		if allowed = Allowed(rules, p.Kind, p.IP); !allowed || !changes {
			return nil
		}
		closed, err = s.closed(tx)
		if err != nil || !closed {
			return err
		}
		runs, err := Runs(tx, p)
		closed = !runs
		return err
	})
	switch {
	case err != nil:
		return err
	case !allowed:
		return s.deny(ctx, p)
	case closed:
		return ErrMaintenance.After(retryMaintenance)
	}
	return nil
}

// AdmitAnyone is Admit for a request without a principal.
func (s *Service) AdmitAnyone(ctx context.Context, changes bool) error {
	if !changes {
		return nil
	}
	var closed bool
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		closed, err = s.closed(tx)
		return err
	})
	if err == nil && closed {
		err = ErrMaintenance.After(retryMaintenance)
	}
	return err
}

func (s *Service) closed(tx Tx) (bool, error) {
	set, err := tx.Settings()
	return maintenance(s.Defaults.Maintenance, set), err
}

// deny refuses an address. Whoever keeps trying does not fill the log: one
// event a minute says how many it stands for.
func (s *Service) deny(ctx context.Context, p identity.Principal) error {
	why := ErrAddress.Detail("Access denied: your organisation's IP rules do not allow the address %s", shown(p.IP))
	skipped, record := s.denials.count(denial{p.ID, network(p.IP)}, s.now())
	if !record {
		return why
	}
	e := p.Event(ActionIPDenied, "address", shown(p.IP))
	e.Details = audit.Details{"not_recorded": skipped}
	return s.refused(ctx, e, why)
}

func shown(a netip.Addr) string {
	if !a.IsValid() {
		return "(none)"
	}
	return a.String()
}

// network is what counts as one address: of IPv6, a client has a /64.
func network(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// denial is what is recorded once in a while.
type denial struct {
	who  id.ID
	addr netip.Addr
}

const (
	denialEvery = time.Minute
	maxDenials  = 4096
)

// denials remembers what was recorded lately. The zero value is ready.
type denials struct {
	mu   sync.Mutex
	last map[denial]*denialCount
}

type denialCount struct {
	at      time.Time // of the last event
	skipped int       // since
}

// count reports whether to record this one, and how many were not.
func (d *denials) count(key denial, now time.Time) (skipped int, record bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.last[key]; c != nil {
		if now.Sub(c.at) < denialEvery {
			c.skipped++
			return 0, false
		}
		skipped = c.skipped
		*c = denialCount{at: now}
		return skipped, true
	}
	if d.last == nil {
		d.last = map[denial]*denialCount{}
	}
	if len(d.last) >= maxDenials {
		d.forget(now)
	}
	d.last[key] = &denialCount{at: now}
	return 0, true
}

// forget makes room: what is old, or else anything, since a first attempt is
// always recorded.
func (d *denials) forget(now time.Time) {
	const look = 64
	seen, gone := 0, 0
	var last denial
	for key, c := range d.last {
		if last = key; now.Sub(c.at) >= denialEvery {
			delete(d.last, key)
			gone++
		}
		if seen++; seen == look {
			break
		}
	}
	if gone == 0 {
		delete(d.last, last)
	}
}
