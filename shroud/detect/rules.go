package detect

import (
	"bytes"
	"regexp"
	"slices"
	"unicode/utf8"
)

// rule finds one pattern of a category. It is tried around its literals only.
type rule struct {
	typ      Type
	pattern  string
	severity Severity
	score    float64
	why      string
	near     []string // literals: a match holds one of them
	// The match must lie within so many bytes before a literal begins and after
	// it. Zero is 80 and 160.
	before, after int
	// atStart is for what only counts where the text begins.
	atStart bool
	// whole is for literals that are words: no letter may go on.
	whole bool
	// needs has lists of which each must have a word between there and here as
	// well: that is found out much faster than what expr finds.
	needs [][]string
	// begins, where it is not nil, has what a match begins with: each at the border of
	// a word, in small letters of ASCII. Expressions of many words take a microsecond
	// for each byte that they are tried at.
	begins []string
	// expr is what must match there. Without it the literal is the match, if no
	// letter or digit is beside it.
	expr *regexp.Regexp
	// level is from which level on the rule counts: 0 always, 1 from the middle
	// one on, 2 at the strictest.
	level int
}

// expr compiles an expression for text in small letters.
func expr(s string) *regexp.Regexp { return regexp.MustCompile(`(?s)` + s) }

// ruleset is rules behind one search for their literals.
type ruleset struct {
	rules []rule
	words *literals
	of    []int // the rule of each word
}

func newRuleset(rules []rule) *ruleset {
	s := &ruleset{rules: rules}
	for i := range rules {
		if r := &rules[i]; r.begins != nil {
			r.expr = regexp.MustCompile(`\A(?:` + r.expr.String() + `)`)
		}
	}
	var words []string
	for i, r := range rules {
		for _, w := range r.near {
			words, s.of = append(words, w), append(s.of, i)
		}
	}
	s.words = newLiterals(words)
	return s
}

// span is a match of a rule.
type span struct {
	rule       *rule
	start, end int
}

// effort is how many bytes regular expressions may still look at; looking for words is
// a sixteenth of that. Text that is made of nothing but literals would be slow otherwise.
type effort struct {
	left int
	cut  bool
}

// spend takes n bytes from what is left, or reports that there are none.
func (e *effort) spend(n int) bool {
	if e.left -= n; e.left < 0 {
		e.cut = true
	}
	return !e.cut
}

// newEffort is for a text of a size: small ones come by the thousand.
func newEffort(text int) *effort { return &effort{left: min(256<<10, 16<<10+8*text) + text/8} }

// find calls fn for the matches in text, which is in small letters, of the rules
// that are wanted.
func (s *ruleset) find(text []byte, e *effort, wanted []bool, fn func(span)) {
	done := make([]int, len(s.rules)) // up to where each rule has matched
	s.words.scan(text, func(h hit) bool {
		r := &s.rules[s.of[h.id]]
		if h.start < done[s.of[h.id]] || !wanted[s.of[h.id]] {
			return true
		}
		if r.expr == nil {
			if !wordByte(text, h.start-1) && !wordByte(text, h.end) {
				fn(span{r, h.start, h.end})
				done[s.of[h.id]] = h.end
			}
			return true
		}
		from, to := window(text, h, r)
		from = max(from, done[s.of[h.id]])
		if r.atStart && from > 0 || r.whole && wordByte(text, h.end) {
			return true
		}
		if !e.spend((to - from) / 16) {
			return false
		}
		if !r.promises(text[from:to]) {
			return true
		}
		if !e.spend(to - from) {
			return false
		}
		if start, end := r.match(text[from:to]); end > 0 {
			done[s.of[h.id]] = max(from+end, h.end)
			fn(span{r, from + start, from + end})
		}
		return true
	})
}

// match is where the rule matches first in a window; the end is 0 if it does not.
func (r *rule) match(window []byte) (start, end int) {
	if r.begins == nil {
		if m := r.expr.FindIndex(window); m != nil {
			return m[0], m[1]
		}
		return 0, 0
	}
	for i := range window {
		if c := window[i]; c < 'a' || c > 'z' || i > 0 && asciiWord(window[i-1]) || !r.mayBegin(window[i:]) {
			continue
		}
		if m := r.expr.FindIndex(window[i:]); m != nil {
			return i, i + m[1]
		}
	}
	return 0, 0
}

func (r *rule) mayBegin(s []byte) bool {
	for _, b := range r.begins {
		if b[0] == s[0] && len(s) >= len(b) && string(s[:len(b)]) == b {
			return true
		}
	}
	return false
}

// asciiWord is what borders of words are made of to expressions.
func asciiWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// promises reports whether the words that a rule needs are in a window.
func (r *rule) promises(window []byte) bool {
	for _, words := range r.needs {
		if !slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(window, []byte(w)) }) {
			return false
		}
	}
	return true
}

func window(text []byte, h hit, r *rule) (from, to int) {
	before, after := r.before, r.after
	if before == 0 {
		before = 80
	}
	if after == 0 {
		after = 160
	}
	return runeBorder(text, max(0, h.start-before)), runeBorder(text, min(len(text), h.end+after))
}

func wordByte[T string | []byte](s T, i int) bool {
	return i >= 0 && i < len(s) && (fold[s[i]] >= 'a' && fold[s[i]] <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] >= utf8.RuneSelf)
}

func runeBorder[T string | []byte](s T, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}
