package appliance

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// recorder remembers what went through Shroud. It implements shroud.Recorder.
type recorder struct{ core *core }

// Call implements shroud.Recorder: what was refused, and what was found, is in the
// audit log.
func (r recorder) Call(ctx context.Context, rep shroud.Report) {
	if !rep.Agent.IsAgent() || rep.Refusal == "" && len(rep.Threats) == 0 {
		return
	}
	e := rep.Agent.Event(audit.ShroudRequest, "provider", rep.Provider)
	e.Time = rep.Began
	e.Details = audit.Details{"model": rep.Model, "redacted": rep.Redacted}
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
