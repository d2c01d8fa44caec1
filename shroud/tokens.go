package shroud

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
