// Package tokens counts the tokens of texts as models do, where their vocabulary is
// published: that of OpenAI's models since GPT-4o is in the binary. It takes one
// megabyte there, and nine of memory from its first use on, which takes 70 ms of a
// processor.
//
// It must not know what a request is, or what tokens cost.
package tokens

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// vocabulary is made by the first who counts.
var vocabulary = sync.OnceValue(load)

// models begin so, those that count with the vocabulary.
var models = []string{"gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3", "o4"}

// Known reports whether the tokens of a model of OpenAI's can be counted.
func Known(model string) bool {
	for _, m := range models {
		rest, ok := strings.CutPrefix(model, m)
		if ok && (rest == "" || rest[0] == '-' || rest[0] == '.') {
			return true
		}
	}
	return false
}

// piece bounds what is counted at once, in bytes: the expression that takes a text
// apart needs time that grows with the square of a run of blanks.
const piece = 2 << 10

// Count is how many tokens a text has for the models that are known. Long texts are
// counted in pieces, which may add one for each.
func Count(text string) (n int) {
	v := vocabulary()
	for text != "" {
		cut := split(text)
		if k, err := v.count(text[:cut]); err == nil {
			n += k
		} else {
			n += cut // no token has less than a byte
		}
		text = text[cut:]
	}
	return n
}

// split is where a piece ends: before a blank, where tokens begin, or, where there is
// none, between characters.
func split(text string) int {
	if len(text) <= piece {
		return len(text)
	}
	if at := strings.LastIndexByte(text[:piece], ' '); at > piece/2 {
		return at
	}
	cut := piece
	for cut > piece-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return cut
}
