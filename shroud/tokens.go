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
	n := 0
	for _, r := range c.texts {
		n += r.size
	}
	return c.scaled(n) + c.req.Opaque/bytesPerToken
}

// maxCounted bounds what is counted of one request, in bytes: it takes half a second for each million.
const maxCounted = 512 << 10

// perTurn is what OpenAI's models take for a message beside its texts.
const perTurn = 3

// tooLong reports whether the request has more tokens than limit, and how many it has.
// They are counted where the estimate does not decide.
func (c *call) tooLong(limit int) (n int, too bool) {
	if n = c.inputTokens(); n <= limit/2 || n > 2*limit {
		return n, n > limit
	}
	size := 0
	for _, r := range c.texts {
		if !r.isCounted() {
			size += len(r.text)
		}
	}
	if size > maxCounted {
		return n, n > limit
	}
	n = perTurn * (c.req.Turns + 1)
	for _, r := range c.texts {
		n += r.count()
	}
	n = c.scaled(n) + c.req.Opaque/bytesPerToken
	return n, n > limit
}

// scaled is how many tokens the model makes of a text that has n by the vocabulary that
// is counted with.
func (c *call) scaled(n int) int {
	if c.up.Style == provider.OpenAI && tokens.Known(c.model) {
		return n
	}
	return (n*perHundred(c.up.Style) + 99) / 100
}

// perHundred is how many tokens the models of a vendor make of a hundred of the
// vocabulary that is counted with. Anthropic's, Google's and Mistral's come from the
// vocabularies that these have published, over 600 texts, prose in nine languages and
// programs: nine texts in ten are within a third of them where they are in Latin
// letters. Nobody publishes those of the newest models.
func perHundred(s provider.Style) int {
	switch s {
	case provider.Anthropic:
		return 130
	case provider.Google:
		return 110
	case provider.Mistral:
		return 140
	}
	return 120 // of Llama's and its like, and of Cohere's
}

// estimate is about how many tokens a text is by that vocabulary: for English, four bytes
// each; for scripts that need several bytes a letter, fewer letters.
func estimate(text string) int {
	ascii, other := 0, 0
	for i := range len(text) {
		switch b := text[i]; {
		case b < 0x80:
			ascii++
		case b >= 0xc0: // where a letter of several bytes begins
			other++
		}
	}
	return (ascii+3)/4 + (other*2+2)/3
}
