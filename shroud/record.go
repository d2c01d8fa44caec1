package shroud

import (
	"context"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Report is what is remembered of a call. Nothing of what was said is in it.
type Report struct {
	Agent    identity.Principal
	Provider string
	Model    string
	Status   int    // of the answer, or of the error that it ended with
	Refusal  string // the code of our error, "" if there was none
	Threats  []Threat
	Redacted int // values and credentials replaced, both ways
	Input    int // tokens
	Output   int
	Cost     meter.MicroUSD
	Began    time.Time
	Took     time.Duration
}

// Recorder is told of each call when it is over. It must not keep the call waiting
// for long.
type Recorder interface {
	Call(ctx context.Context, r Report)
}

func (c *call) report(err error) Report {
	out := Report{
		Agent: c.agent.Principal, Model: c.model, Threats: c.found.threats, Redacted: c.found.redacted,
		Input: c.usage.Input, Output: c.usage.Output, Began: c.began, Took: c.s.Now().Sub(c.began),
	}
	if c.policy.Detect != nil && !c.policy.LogThreats {
		out.Threats = nil
	}
	if c.up != nil {
		out.Provider = c.up.Name
	}
	out.Cost = c.cost()
	if out.Status = c.status; err != nil && !errors.Is(err, errLeft) {
		out.Status, _, _ = status(err)
		out.Refusal = refusal(err)
	}
	return out
}

// refusal is the code of an error.
func refusal(err error) string {
	var bad badGateway
	if errors.As(err, &bad) {
		return "bad_gateway"
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	return "internal"
}
