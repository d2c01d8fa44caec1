package pii

import (
	"strings"
	"sync"
)

// kind is a sort of identity number: the shapes it is written in, what proves
// it, and how sure that makes us.
type kind struct {
	typ string
	// shapes: 9 is a digit, A a letter, * either; everything else stands for
	// itself. Letters of a candidate count in any case.
	shapes string
	// valid looks at the letters and digits alone, in capitals. Nil accepts.
	valid func(string) bool
	// topics announce the number. near is the score where one of them does,
	// alone where none does, bare where the number is all there is. Zero is
	// not reported.
	topics            topic
	near, alone, bare float64
}

const (
	maxShape  = 40
	maxGroups = 8
)

// shapeTable finds kinds by shape.
type shapeTable struct {
	kinds    map[string][]*kind
	prefixes map[string]bool    // of shapes, up to where a group ends
	digits   [maxShape + 1]bool // how many digits a shape may begin with
}

// shapes is built once from the tables of kinds and never changes.
var shapes = sync.OnceValue(func() *shapeTable {
	t := &shapeTable{kinds: map[string][]*kind{}, prefixes: map[string]bool{}}
	for _, table := range [][]kind{cardKinds, usKinds, ukKinds, germanKinds, westKinds, northKinds, eastKinds, asianKinds, pacificKinds, americanKinds, africanKinds, europeanKinds} {
		for i := range table {
			for s := range strings.SplitSeq(table[i].shapes, "|") {
				t.insert(s, &table[i])
			}
		}
	}
	return t
})

// insert adds a shape, once for each reading of its stars.
func (t *shapeTable) insert(shape string, k *kind) {
	if i := strings.IndexByte(shape, '*'); i >= 0 {
		t.insert(shape[:i]+"9"+shape[i+1:], k)
		t.insert(shape[:i]+"A"+shape[i+1:], k)
		return
	}
	t.kinds[shape] = append(t.kinds[shape], k)
	t.digits[len(shape)-len(strings.TrimLeft(shape, "9"))] = true
	for i := 1; i <= len(shape); i++ {
		if i == len(shape) || isSeparator(shape[i]) {
			t.prefixes[shape[:i]] = true
		}
	}
}

func isSeparator(c byte) bool {
	switch c {
	case ' ', '-', '.', '/', ':', '+', '(', ')':
		return true
	}
	return false
}

// shapes tries every run of tokens that begins like a shape.
func (f *finder) shapes() {
	table := shapes()
	for i := range f.tokens {
		switch t := f.tokens[i]; {
		case t.class == mixed && t.len() >= 25:
			f.wallet(i)
			f.iban(i)
		case t.class == ident, t.class == wide, t.len() > maxShape, t.class == word && t.len() > 5:
		case t.class == word && !f.numberFollows(i), !f.startsClean(i):
		default:
			f.shapesAt(table, i)
			f.special(i)
		}
	}
}

// numberFollows reports whether digits follow token i after one separator: no
// shape begins with two words.
func (f *finder) numberFollows(i int) bool {
	if i+1 >= len(f.tokens) {
		return false
	}
	next := f.tokens[i+1]
	return (next.class == number || next.class == mixed) && next.start-f.tokens[i].end == 1 && isSeparator(f.text[next.start-1])
}

// special tries what has no fixed shape.
func (f *finder) special(i int) {
	switch t := f.tokens[i]; {
	case t.class == number && t.len() <= 3:
		f.ipv4(i)
		f.dashedMAC(i)
	case t.class == word && t.len() == 2, t.class == number && t.len() == 4:
		f.dashedMAC(i)
	case t.class == mixed && t.len() <= 4:
		f.dashedMAC(i)
		f.iban(i)
	case t.class == mixed:
		f.iban(i)
	}
}

// startsClean reports whether nothing before token i makes it part of something
// longer, as the digits behind a decimal point are.
func (f *finder) startsClean(i int) bool {
	at := int(f.tokens[i].start)
	if at == 0 {
		return true
	}
	switch f.text[at-1] {
	case '+', '$', '%':
		return false
	case '.', '-', '/', '@', '&', '~':
		// After a space, or after nothing, they only introduce.
		return at == 1 || isSpace(f.text[at-2])
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// shapesAt tries the runs that begin with token i.
func (f *finder) shapesAt(table *shapeTable, i int) {
	var shape, compact [maxShape]byte
	n, m := 0, 0
	if t := f.tokens[i]; t.class == number && !table.digits[t.len()] {
		return
	}
	for j := i; j < len(f.tokens) && j < i+maxGroups; j++ {
		if j > i {
			sep := f.between(j - 1)
			if len(sep) != 1 || !isSeparator(sep[0]) || n >= maxShape {
				return
			}
			shape[n] = sep[0]
			n++
		}
		s := f.str(j)
		if n+len(s) > maxShape {
			return
		}
		for k := range len(s) {
			c := s[k]
			switch {
			case c >= '0' && c <= '9':
				shape[n] = '9'
			case c >= 'a' && c <= 'z':
				shape[n], c = 'A', c-'a'+'A'
			case c >= 'A' && c <= 'Z':
				shape[n] = 'A'
			default:
				return
			}
			compact[m] = c
			n, m = n+1, m+1
		}
		if !table.prefixes[string(shape[:n])] {
			return
		}
		if kinds := table.kinds[string(shape[:n])]; kinds != nil {
			f.try(kinds, i, j, string(compact[:m]))
		}
		if kinds := table.kinds[string(shape[:n])+"(9)"]; kinds != nil {
			f.tryParenthesised(kinds, i, j, string(compact[:m]))
		}
	}
}

// tryParenthesised tries a run whose check digit follows in parentheses, as
// Hong Kong's does.
func (f *finder) tryParenthesised(kinds []*kind, i, j int, compact string) {
	if j+1 < len(f.tokens) && f.between(j) == "(" && f.tokens[j+1].len() == 1 && strings.HasPrefix(f.between(j+1), ")") {
		f.tryTo(kinds, i, j+1, int(f.tokens[j+1].end)+1, compact+strings.ToUpper(f.str(j+1)))
	}
}

func (f *finder) try(kinds []*kind, i, j int, compact string) {
	if f.endsClean(j) {
		f.tryTo(kinds, i, j, int(f.tokens[j].end), compact)
	}
}

// tryTo adds what tokens i to j are, of all kinds that prove them.
func (f *finder) tryTo(kinds []*kind, i, j, end int, compact string) {
	var near topic
	looked := false
	capitals := f.inCapitals(i, end)
	for _, k := range kinds {
		if k.valid != nil && !k.valid(compact) || k.valid == nil && !capitals && !f.bare {
			continue
		}
		if !looked {
			near, looked = f.topics(i, j), true
		}
		score, why := k.alone, "its form and check"
		if !capitals {
			score = 0
		}
		if f.bare {
			score, why = max(k.bare, k.alone), "its form and check, and nothing else in the text"
		}
		if near&k.topics != 0 && k.near > score && (capitals || k.typ != Plate) {
			score, why = k.near, "its form, and what stands before it"
		}
		if score > 0 {
			f.add(Match{Type: k.typ, Start: int(f.tokens[i].start), End: end, Score: score, Why: why})
		}
	}
}

// inCapitals reports whether no small letter stands between token i and end.
// Numbers that nothing announces are not written in small letters.
func (f *finder) inCapitals(i, end int) bool {
	for _, c := range []byte(f.text[f.tokens[i].start:end]) {
		if c >= 'a' && c <= 'z' {
			return false
		}
	}
	return true
}

// endsClean reports whether nothing after token j continues it.
func (f *finder) endsClean(j int) bool {
	rest := f.text[f.tokens[j].end:]
	if len(rest) < 2 {
		return true
	}
	switch rest[0] {
	case '-', '/', '@', '+':
		return !isAlnum(rest[1])
	case ',': // between columns, if no number is so long before one
		return !isAlnumDigit(rest[1]) || f.tokens[j].len() >= longNumber
	case '.', ':':
		return !isAlnumDigit(rest[1])
	case '%':
		return false
	}
	return true
}

// longNumber is how many digits have no fraction behind them.
const longNumber = 9

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isBare reports whether the text is one value and nothing more: no word that
// could say what it is.
func (f *finder) isBare() bool {
	s := strings.TrimSpace(f.text)
	if len(s) == 0 || len(s) > 48 || strings.ContainsAny(s, "\n=") || len(f.tokens) > 12 {
		return false
	}
	digits := 0
	for _, t := range f.tokens {
		if t.class == wide || t.class == ident || t.class == word && (t.len() > 4 || t.roles&function != 0 || t.len() == 4 && t.roles&common != 0) {
			return false
		}
		for _, c := range []byte(f.text[t.start:t.end]) {
			if c >= '0' && c <= '9' {
				digits++
			}
		}
	}
	return digits >= 1
}
