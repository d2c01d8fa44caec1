package shroud

import (
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/tokens"
)

// bytesPerToken is about what images take, which are counted by their size.
const bytesPerToken = 1024

// inputTokens is how many tokens the request has, about.
func (c *call) inputTokens() int {
	if c.req == nil {
		return 0
	}
	n := c.req.Opaque / bytesPerToken
	for _, t := range c.req.Texts {
		n += estimate(t.Value)
	}
	return n
}

// maxCounted bounds what is counted, in bytes: it takes half a second for each million.
const maxCounted = 512 << 10

// perTurn is what OpenAI's models take for a message beside its texts.
const perTurn = 3

// tooLong reports whether the request has more tokens than limit, and how many it has.
// They are counted where that can be done and the estimate does not decide.
func (c *call) tooLong(limit int) (n int, too bool) {
	n = c.inputTokens()
	if n <= limit/2 || n > 2*limit || c.up.Style != provider.OpenAI || !tokens.Known(c.model) {
		return n, n > limit
	}
	size := 0
	for _, t := range c.req.Texts {
		size += len(t.Value)
	}
	if size > maxCounted {
		return n, n > limit
	}
	n = c.req.Opaque/bytesPerToken + perTurn*(c.req.Turns+1)
	for _, t := range c.req.Texts {
		n += tokens.Count(t.Value)
	}
	return n, n > limit
}

// estimate is about how many tokens a text is: for English, four bytes each; for
// scripts that need several bytes a letter, fewer letters.
func estimate(text string) int {
	ascii, other := 0, 0
	for _, r := range text {
		if r < 0x80 {
			ascii++
		} else {
			other++
		}
	}
	return (ascii+3)/4 + (other*2+2)/3
}
