package view

// piece is something in a text that decodes to readable text.
type piece struct {
	chain      string
	text       string
	start, end int
}

// pieces calls emit for all that is encoded in text, until it returns false. It reports
// whether it left out any of what is packed.
func pieces(text string, emit func(piece) bool) (skipped bool) {
	c := &scanner{text: text, emit: emit}
	for _, find := range []func(){c.runs, c.groups, c.backslashes, c.percents, c.entities, c.printable, c.codes, c.spaced, c.ciphers, c.tags, c.dense, c.alphabets} {
		if find(); c.full {
			break
		}
	}
	return c.skipped
}

// scanner looks for encodings in one text.
type scanner struct {
	text string
	emit func(piece) bool
	full bool
	list []string // memory for numbers

	inflated int  // how often something was unpacked
	skipped  bool // whether something packed was left out
}

// found hands over what the bytes from start to end decode to.
func (c *scanner) found(chain, text string, start, end int) {
	if !c.full && text != "" {
		c.full = !c.emit(piece{chain, text, start, end})
	}
}
