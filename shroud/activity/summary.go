package activity

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Summary is what was found in a time.
type Summary struct {
	Since   time.Time
	Calls   int
	Refused int
	Redact  int            // values and credentials that were replaced
	Threats map[string]int // by type
	Agents  map[id.ID]int  // those in whose calls threats were found, and how many
	Cut     bool           // there were more calls than are looked at: these are the newest
}

var periods = map[string]time.Duration{"24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": Lifetime}

// Summary sums up the calls of a period that p may see.
func (s *Service) Summary(ctx context.Context, p identity.Principal, period string) (Summary, error) {
	span, ok := periods[period]
	if !ok {
		return Summary{}, ErrPeriod
	}
	agent, err := visible(p, id.ID{})
	if err != nil {
		return Summary{}, err
	}
	out := Summary{Since: s.now().Add(-span), Threats: map[string]int{}, Agents: map[id.ID]int{}}
	looked := 0
	err = s.Log.calls(p.Org, id.ID{}, func(c Call) bool {
		if c.Began.Before(out.Since) || ctx.Err() != nil {
			return false
		}
		if out.Cut = looked == maxSummed; out.Cut {
			return false
		}
		if looked++; agent.IsZero() || c.Agent == agent {
			out.add(c)
		}
		return true
	})
	if err == nil {
		err = ctx.Err()
	}
	return out, err
}

func (s *Summary) add(c Call) {
	s.Calls++
	s.Redact += c.Redacted
	if c.Refusal != "" {
		s.Refused++
	}
	for _, t := range c.Threats {
		s.Threats[t.Type]++
		s.Agents[c.Agent]++
	}
}
