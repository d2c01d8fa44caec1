package shroud

import (
	"context"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/detect/secret"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Report is what is remembered of a call. Nothing of what was said is in it, but for
// Request.
type Report struct {
	Agent    identity.Principal
	Provider string
	Model    string
	Asked    string // provider and model that were asked first, if another one answered
	Left     bool   // the client went away
	Status   int    // of the answer, or of the error that it ended with
	Refusal  string // the code of our error, "" if there was none
	Threats  []Threat
	Redacted int // values and credentials replaced, both ways
	Input    int // tokens
	Output   int
	Cost     meter.MicroUSD
	Began    time.Time
	Took     time.Duration

	// Keep is how long the agent's configuration wants the request of a call kept in
	// which something was found, and Request that request, without the values of the
	// vaults and credentials. They are zero for all other calls.
	Keep    time.Duration
	Request []byte
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
	out.Cost, out.Asked, out.Left = c.cost(), c.asked, errors.Is(err, errLeft)
	if out.Status = c.status; err != nil && !errors.Is(err, errLeft) {
		out.Status, _, _ = status(err)
		out.Refusal = refusal(err)
	}
	if len(out.Threats) > 0 && c.policy.KeepFlagged > 0 {
		out.Keep, out.Request = c.policy.KeepFlagged, c.kept()
	}
	return out
}

// kept is the request as it is kept for people: what was found is in it, but for what
// those who may look at it may not read.
func (c *call) kept() []byte {
	if c.req == nil || c.matcher == nil {
		return nil
	}
	texts := map[int]string{}
	for i, t := range c.req.Texts {
		clean, _ := c.matcher.Redact(t.Value)
		if n := view.Normalise(clean); n.Changed {
			if bare, hits := c.matcher.Redact(n.Text); len(hits) > 0 {
				clean = bare
			}
		}
		texts[i] = withoutCredentials(clean)
	}
	body, err := c.req.Rewrite(texts)
	if err != nil { // a signed text holds a value
		return nil
	}
	return body
}

func withoutCredentials(text string) string {
	var edits []edit
	for _, m := range secret.Find(text) {
		edits = append(edits, edit{m.Start, m.End, "[REDACTED:" + m.Rule + "]"})
	}
	return apply(text, edits)
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
