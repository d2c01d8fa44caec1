package use

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Permit is a request that may leave now: it was decided, counted and recorded, as an
// execution is. Who asked for it sends it, lets nothing of the answer past Filter, and
// says with Settle what became of it.
type Permit struct {
	Header []Header // with the values in it, by lower-case names
	Filter Filter

	u     *execution
	o     opened
	began time.Time
}

// Permit admits a request of an agent that is sent by somebody else than a Sender: a
// proxy, whose answers may be streams. The call has what has placeholders in it and
// where it goes.
func (s *Service) Permit(ctx context.Context, p identity.Principal, c Call) (*Permit, error) {
	u := &execution{s: s, p: p, id: id.New(), call: c}
	if !p.IsAgent() {
		return nil, s.refused(ctx, u.event(audit.SecretUse), ErrAgentOnly)
	}
	var err error
	if u.request, err = read(c); err != nil {
		return nil, err
	}
	if u.target, err = c.target(); err != nil {
		return nil, err
	}
	screen, err := u.decide(ctx)
	if err != nil {
		return nil, err
	}
	o, err := u.open(ctx, screen)
	if err != nil {
		o.wipe()
		return nil, u.settle(ctx, Answer{}, err)
	}
	return &Permit{Header: o.out.Header, Filter: o.filter, u: u, o: o, began: s.now()}, nil
}

// Settle records what became of the request, and lets go of the values. An error is
// that the log did not take it.
func (p *Permit) Settle(ctx context.Context, status, redactions int, why error) error {
	p.o.wipe()
	for _, h := range p.Header {
		h.Value.Wipe()
	}
	err := p.u.settle(ctx, Answer{Status: status, Redactions: redactions, Took: p.u.s.now().Sub(p.began)}, why)
	if err == why { //nolint:errorlint // the very same, handed back
		return nil
	}
	return err
}
