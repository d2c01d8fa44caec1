package shroud

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// count counts the call, whatever becomes of it: nobody tries for nothing what
// inspection lets through.
func (c *call) count() (err error) {
	limits := meter.Limits{PerMinute: c.policy.Limits.PerMinute, PerDay: c.policy.Limits.PerDay}
	c.held, err = c.s.Meter.Admit(c.ctx, c.agent.ID, limits, 0)
	return err
}

// reserve sets aside what the call may cost.
func (c *call) reserve() (err error) {
	if c.route.Idle {
		return nil
	}
	if c.price, err = c.priceOf(c.up, c.model); err != nil {
		return err
	}
	return c.s.Meter.Change(c.ctx, c.held, c.policy.Limits, c.most(c.price))
}

func (c *call) priceOf(up *Upstream, model string) (meter.Price, error) {
	table, _, err := c.s.Meter.Prices(c.ctx)
	if err != nil {
		return meter.Price{}, err
	}
	price, _ := table.Find(up.Name, model)
	return price, nil
}

// most is what the call may cost.
func (c *call) most(p meter.Price) meter.MicroUSD {
	return p.Cost(int64(c.inputTokens()), c.mostOutput())
}

// What is set aside for an answer whose length the client does not bound, in
// tokens. What it takes beyond counts when it is there.
const unboundedOutput = 4096

func (c *call) mostOutput() int64 {
	if c.req == nil {
		return unboundedOutput
	}
	const most = 1 << 50 // tokens; no budget pays for them
	one, answers := int64(cmp.Or(c.req.MaxOutput, unboundedOutput)), int64(c.req.Answers)
	if answers > most/one {
		return most
	}
	return one * answers
}

// cutOff makes up the usage of an answer that ended before the provider told it:
// all that was asked, and what was heard of the answer.
func (c *call) cutOff() {
	if c.usage.Input == 0 {
		c.usage.Input = c.inputTokens()
	}
	c.usage.Output = max(c.usage.Output, (c.heard+3)/4)
}

// account makes up what an answer has cost that the agent did not get. Who goes away
// before there is one pays what was set aside: the model may have written all of it.
func (a *attempt) account(err error) {
	c := a.c
	if !a.sent || c.route.Idle || c.usage != (provider.Usage{}) {
		return
	}
	switch {
	case errors.Is(err, errLeft):
		c.usage.Input = c.inputTokens()
		c.owed = c.most(c.price)
	case errors.Is(err, errBrokeOff) && a.res.StatusCode < http.StatusBadRequest:
		c.cutOff()
	}
}

// cost is what the call has cost so far.
func (c *call) cost() meter.MicroUSD {
	return max(c.owed, c.price.Cost(int64(c.usage.Input), int64(c.usage.Output)))
}
