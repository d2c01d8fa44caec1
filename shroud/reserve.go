package shroud

import "github.com/oneclaw/oneclawd/shroud/meter"

// reserve counts the call and sets aside what it may cost.
func (c *call) reserve() (err error) {
	if c.route.Idle {
		c.held, err = c.s.Meter.Admit(c.ctx, c.agent.ID, meter.Limits{PerMinute: c.policy.Limits.PerMinute, PerDay: c.policy.Limits.PerDay}, 0)
		return err
	}
	if c.price, err = c.priceOf(c.up, c.model); err != nil {
		return err
	}
	c.held, err = c.s.Meter.Admit(c.ctx, c.agent.ID, c.policy.Limits, c.most(c.price))
	return err
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
	if c.req != nil && c.req.MaxOutput > 0 {
		return int64(c.req.MaxOutput)
	}
	return unboundedOutput
}

// cutOff makes up the usage of an answer that ended before the provider told it:
// all that was asked, and what was heard of the answer.
func (c *call) cutOff() {
	if c.usage.Input == 0 {
		c.usage.Input = c.inputTokens()
	}
	c.usage.Output = max(c.usage.Output, (c.heard+3)/4)
}

// cost is what the call has cost so far.
func (c *call) cost() meter.MicroUSD {
	return c.price.Cost(int64(c.usage.Input), int64(c.usage.Output))
}
