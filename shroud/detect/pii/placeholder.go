package pii

import (
	"strconv"
	"strings"
)

// Placeholders replaces personal data by tokens such as [EMAIL_1] and puts it
// back. Within one of them the same value always gets the same token, numbered
// in the order of first appearance, so that a conversation that is sent again
// reads the same.
//
// A text may hold something that looks like a token. Left as it is, it would be
// restored to a value that its author never saw: a document could have a model
// repeat [EMAIL_1] into an address of its own. So it is a value too, and gets a
// token of its own: Restore(Redact(text)) is text, whatever text is.
//
// The zero value is ready. It is for one conversation, holds the values, and is
// not for concurrent use.
type Placeholders struct {
	// OneWay is for conversations whose answers are not restored. There the
	// tokens of earlier turns come back as text: they stay, and no new value
	// gets their numbers.
	OneWay bool

	tokens map[string]string // by label and value
	values map[string]string // by token
	last   map[string]int    // number, by label
}

// labelOfText is the label of what only looks like a token.
const labelOfText = "TEXT"

// Redact replaces the matches, which are in order and do not overlap, as Find
// returns them.
func (p *Placeholders) Redact(text string, matches []Match) string {
	if p.OneWay {
		p.Reserve(text)
	}
	var b strings.Builder
	at := 0
	for _, m := range matches {
		if m.Start < at || m.End > len(text) || m.End <= m.Start {
			continue
		}
		p.plain(&b, text[at:m.Start])
		b.WriteString(p.token(label(m.Type), text[m.Start:m.End]))
		at = m.End
	}
	p.plain(&b, text[at:])
	return b.String()
}

// Restore puts the values back.
func (p *Placeholders) Restore(text string) string {
	var b strings.Builder
	eachToken(text, func(before, token string) {
		b.WriteString(before)
		if v, ok := p.values[token]; ok {
			token = v
		}
		b.WriteString(token)
	})
	return b.String()
}

// Len is how many values have a token.
func (p *Placeholders) Len() int { return len(p.values) }

// label is what tokens of a type begin with.
func label(typ string) string {
	if typ == PhoneUS {
		typ = Phone
	}
	return strings.ToUpper(typ)
}

// token is the token of a value, a new one if it has none.
func (p *Placeholders) token(label, value string) string {
	key := label + "\x00" + value
	if t, ok := p.tokens[key]; ok {
		return t
	}
	if p.tokens == nil {
		p.tokens, p.values = map[string]string{}, map[string]string{}
	}
	p.number(label, p.last[label]+1)
	t := "[" + label + "_" + strconv.Itoa(p.last[label]) + "]"
	p.tokens[key], p.values[t] = t, value
	return t
}

// number notes that numbers of a label are used up to n.
func (p *Placeholders) number(label string, n int) {
	if p.last == nil {
		p.last = map[string]int{}
	}
	p.last[label] = max(p.last[label], n)
}

// plain writes text that holds no match, with what looks like a token replaced.
func (p *Placeholders) plain(b *strings.Builder, text string) {
	eachToken(text, func(before, token string) {
		b.WriteString(before)
		if token != "" && !p.OneWay {
			token = p.token(labelOfText, token)
		}
		b.WriteString(token)
	})
}

// Reserve keeps the numbers of what looks like a token in text from being given out.
func (p *Placeholders) Reserve(text string) {
	eachToken(text, func(_, token string) {
		if token == "" || p.values[token] != "" {
			return
		}
		cut := strings.LastIndexByte(token, '_')
		if n, err := strconv.Atoi(token[cut+1 : len(token)-1]); err == nil && n < 1<<30 {
			p.number(token[1:cut], n)
		}
	})
}

// maxToken is longer than any token.
const maxToken = 64

// eachToken calls f for each token in text with what stands before it, and at
// last with what is left and no token.
func eachToken(text string, f func(before, token string)) {
	at := 0
	for i := 0; i < len(text); {
		open := strings.IndexByte(text[i:], '[')
		if open < 0 {
			break
		}
		open += i
		n, whole := tokenPrefix(text[open:])
		if !whole {
			i = open + 1
			continue
		}
		f(text[at:open], text[open:open+n])
		at, i = open+n, open+n
	}
	f(text[at:], "")
}

// tokenPrefix is how much of s, which begins with a bracket, is of a token, and
// whether it is a whole one.
func tokenPrefix(s string) (n int, whole bool) {
	under, digits := false, 0
	for n = 1; n < len(s) && n < maxToken; n++ {
		switch c := s[n]; {
		case c >= 'A' && c <= 'Z':
			under, digits = false, 0
		case c == '_' && n > 1:
			under, digits = true, 0
		case c >= '0' && c <= '9' && (under || digits > 0):
			under, digits = false, digits+1
		case c >= '0' && c <= '9' && n > 1:
			digits = 0
		case c == ']' && digits > 0:
			return n + 1, true
		default:
			return n, false
		}
	}
	return n, false
}

// Restorer restores a stream. It holds back only what may be the beginning of a
// token.
type Restorer struct {
	p    *Placeholders
	held string
}

// Restorer begins a stream.
func (p *Placeholders) Restorer() *Restorer { return &Restorer{p: p} }

// Next takes the next piece of the stream and returns what can go on.
func (r *Restorer) Next(piece string) string {
	text := r.held + piece
	cut := len(text)
	if open := strings.LastIndexByte(text, '['); open >= 0 {
		if n, whole := tokenPrefix(text[open:]); !whole && open+n == len(text) && n < maxToken {
			cut = open
		}
	}
	r.held = text[cut:]
	return r.p.Restore(text[:cut])
}

// Rest ends the stream and returns what was held back.
func (r *Restorer) Rest() string {
	rest := r.held
	r.held = ""
	return rest
}
