package use

import (
	"context"
	"encoding/json"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// History is the audit log as it is asked: there is no other record of what was
// executed.
type History interface {
	Query(ctx context.Context, org id.ID, f audit.Filter) ([]audit.Record, error)
}

// Status is what became of an execution.
type Status string

// What becomes of executions.
const (
	Completed Status = "completed" // the host answered, whatever it said
	Failed    Status = "failed"    // it was admitted, and there is no answer
	Denied    Status = "denied"
	DryRun    Status = "dry_run"
	Pending   Status = "pending" // admitted; there is no end of it in the log yet
)

// Execution is a past one, as the log has it.
type Execution struct {
	ID, Agent  string
	Binding    string // "" for none
	Status     Status
	Reason     string // code of the error, "" for none
	Method     string
	Host       string // scheme, host, port
	Answer     int64  // status of the host
	Redactions int64
	Took       time.Duration
	At         time.Time
}

// Pages of History.
const (
	defaultPage = 50
	maxPage     = 100
	scanPage    = 500
)

// Executions lists what an agent executed, newest first, for itself and for those
// who manage its bindings. Requests that could not be read are not in it.
func (s *Service) Executions(ctx context.Context, p identity.Principal, agent id.ID, limit, offset int) ([]Execution, error) {
	if err := s.mayLook(ctx, p, agent); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = defaultPage
	}
	began, err := s.history.Query(ctx, p.Org, audit.Filter{ActorID: agent.String(), Action: audit.SecretUse, Limit: min(limit, maxPage), Offset: offset})
	if err != nil {
		return nil, err
	}
	return s.outcomes(ctx, p.Org, agent, began)
}

// Execution is one of them.
func (s *Service) Execution(ctx context.Context, p identity.Principal, agent, execution id.ID) (Execution, error) {
	if err := s.mayLook(ctx, p, agent); err != nil {
		return Execution{}, err
	}
	f := audit.Filter{ActorID: agent.String(), Action: audit.SecretUse, Limit: scanPage}
	for {
		page, err := s.history.Query(ctx, p.Org, f)
		if err != nil {
			return Execution{}, err
		}
		for i, r := range page {
			if r.Details["execution_id"] != execution.String() {
				continue
			}
			found, err := s.outcomes(ctx, p.Org, agent, page[i:i+1])
			if err != nil {
				return Execution{}, err
			}
			return found[0], nil
		}
		if len(page) < scanPage {
			return Execution{}, ErrNoExecution
		}
		f.Offset += len(page)
	}
}

// mayLook says why p may not see what the agent executed, or nil.
func (s *Service) mayLook(ctx context.Context, p identity.Principal, agent id.ID) (err error) {
	if p.IsAgent() && p.ID == agent {
		return nil
	}
	var why error
	err = s.db.View(ctx, func(tx Tx) (err error) {
		why, err = mayBind(tx, p, agent)
		return err
	})
	if err == nil && why != nil {
		e := p.Event(audit.UseHistory, "agent", agent.String())
		e.Time = s.now()
		err = s.refused(ctx, e, why)
	}
	return err
}

// outcomes are the executions that began with the events, with what came of them.
// Ends follow beginnings, so that the search in the newest ends stops where the
// oldest of began is reached.
func (s *Service) outcomes(ctx context.Context, org, agent id.ID, began []audit.Record) ([]Execution, error) {
	out := make([]Execution, len(began))
	open := map[string]*Execution{}
	for i, r := range began {
		out[i] = begun(r)
		if out[i].Status == Pending {
			open[out[i].ID] = &out[i]
		}
	}
	f := audit.Filter{ActorID: agent.String(), Action: audit.SecretUsed, Limit: scanPage}
	for len(open) > 0 {
		page, err := s.history.Query(ctx, org, f)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			of, _ := r.Details["execution_id"].(string)
			if x := open[of]; x != nil {
				x.end(r)
				delete(open, of)
			}
			if r.Index < began[len(began)-1].Index {
				return out, nil
			}
		}
		if len(page) < scanPage {
			break
		}
		f.Offset += len(page)
	}
	return out, nil
}

// begun is an execution as its first event has it.
func begun(r audit.Record) Execution {
	x := Execution{Agent: r.ActorID, Status: Pending, At: r.CreatedAt}
	x.ID, _ = r.Details["execution_id"].(string)
	x.Binding, _ = r.Details["binding_id"].(string)
	x.Method, _ = r.Details["method"].(string)
	x.Host, _ = r.Details["host"].(string)
	dry, _ := r.Details["dry_run"].(bool)
	switch {
	case r.Outcome == audit.Refused:
		x.Status, x.Reason = Denied, r.Reason
	case dry:
		x.Status = DryRun
	}
	return x
}

// end takes what the last event says.
func (x *Execution) end(r audit.Record) {
	x.Status, x.Took = Completed, time.Duration(number(r, "duration_ms"))*time.Millisecond
	if r.Outcome != audit.Success {
		x.Status, x.Reason = Failed, r.Reason
		return
	}
	x.Answer, x.Redactions = number(r, "status"), number(r, "redactions")
}

// number is a number of an event's details, 0 if there is none.
func number(r audit.Record, name string) int64 {
	n, _ := r.Details[name].(json.Number)
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return i
}
