package appliance

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/oneclaw/oneclawd/appliance/metrics"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// recorder remembers what went through Shroud. It implements shroud.Recorder.
type recorder struct {
	core   *core
	counts *metrics.Models
}

// newRecorder returns a recorder of calls to the upstreams.
func newRecorder(c *core, m *metrics.Metrics, upstreams map[string]*shroud.Upstream) recorder {
	var threats []string
	for _, t := range detect.Types() {
		threats = append(threats, string(t))
	}
	return recorder{core: c, counts: m.Models(slices.Collect(maps.Keys(upstreams)), threats)}
}

// Call implements shroud.Recorder: every call is counted, and what was refused, or
// found, or answered by another model than was asked, is in the audit log.
func (r recorder) Call(ctx context.Context, rep shroud.Report) {
	r.count(rep)
	r.remember(rep)
	if !rep.Agent.IsAgent() || rep.Refusal == "" && len(rep.Threats) == 0 && rep.Asked == "" {
		return
	}
	e := rep.Agent.Event(audit.ShroudRequest, "provider", rep.Provider)
	e.Time = rep.Began
	e.Details = audit.Details{"model": rep.Model, "redacted": rep.Redacted}
	if rep.Asked != "" {
		e.Details["asked"] = rep.Asked
	}
	if len(rep.Threats) > 0 {
		e.Details["threats"] = rep.Threats
	}
	e.Outcome = audit.Success
	if rep.Refusal != "" {
		e.Outcome, e.Reason = audit.Refused, rep.Refusal
	}
	ctx = context.WithoutCancel(ctx)
	err := txn.Decide(ctx, store.Runner[vault.Tx](r.core.db), func(tx vault.Tx) (error, error) { return nil, audit.Write(ctx, tx, e) })
	if err != nil {
		r.core.log.Error("a call through Shroud is not in the audit log", "agent", rep.Agent.ID, "err", err)
	}
}

func (r recorder) count(rep shroud.Report) {
	c := metrics.ModelCall{
		Provider: rep.Provider, Outcome: outcome(rep), In: rep.Input, Out: rep.Output, CostDollar: rep.Cost.Dollars(), Took: rep.Took,
	}
	for _, t := range rep.Threats {
		c.Threats = append(c.Threats, t.Type)
	}
	r.counts.Call(c)
}

// remember keeps the calls of agents for people to look at.
func (r recorder) remember(rep shroud.Report) {
	if !rep.Agent.IsAgent() {
		return
	}
	c := activity.Call{
		Org: rep.Agent.Org, Agent: rep.Agent.ID, Provider: rep.Provider, Model: rep.Model, Asked: rep.Asked, Status: rep.Status, Refusal: rep.Refusal,
		Redacted: rep.Redacted, Input: rep.Input, Output: rep.Output, MicroUSD: int64(rep.Cost), Began: rep.Began, Took: rep.Took,
		Keep: rep.Keep, Request: rep.Request,
	}
	for _, t := range rep.Threats {
		c.Threats = append(c.Threats, activity.Threat(t))
	}
	r.core.calls.Add(c)
}

// outcome sums up what became of a call.
func outcome(rep shroud.Report) string {
	switch {
	case rep.Left:
		return metrics.Abandoned
	case rep.Refusal == "blocked" || rep.Refusal == "tool_call_too_long":
		return metrics.Blocked
	case rep.Status >= http.StatusInternalServerError:
		return metrics.Failed
	case rep.Refusal == "":
		return metrics.Answered
	case rep.Status == http.StatusTooManyRequests:
		return metrics.Limited
	}
	return metrics.Refused
}
