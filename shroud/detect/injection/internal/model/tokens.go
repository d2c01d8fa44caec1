package model

import (
	"bytes"
	"unicode/utf8"
)

// token is a word, a rune of a dense script, or a run of one sign.
type token struct {
	from, to uint32 // in the folded text
	at, end  uint32 // in the text itself
	hash     uint32
	pos      uint32 // counts words, in halves; signs do not count
	kind     kind
	flags    flags
	idea     Idea
}

type flags uint8

const (
	lineStart     flags = 1 << iota // first of its line
	sentenceStart                   // after a full stop, a colon, a quote, a bracket
	capitals                        // three letters or more, all of them capitals
	titled                          // begins with a capital
)

// Signs of the tokeniser, as ideas after those of the lexicon.
const (
	signURL = iota
	signMail
	signRole    // a tag or label that says who speaks
	signSep     // a line of dashes, hashes, stars
	signComment // the beginning of one in HTML
	signExcl    // more than one exclamation mark
	signs
)

var signNames = []string{"+URL", "+MAILADDR", "+ROLE", "+SEP", "+COMMENT", "+EXCL"}

// maxChunk bounds what is folded at once. What spans two chunks is not seen as
// one: with words of some ten letters that is one place in three thousand.
const maxChunk = 32 << 10

// scan is the working memory of one chunk, used again and again.
type scan struct {
	lex    *lexicon
	sign   Idea       // the first sign
	verbs  *[256]bool // ideas that orders begin with
	moody  *[256]bool // the same, and more, for moods
	verb   Idea       // of verbs that are nothing else
	buf    []byte
	tokens []token
	rules  ruleState
	hits   []Hit

	document bool
}

// reading is where fold is in its text.
type reading struct {
	text string
	at   int    // the next byte
	pos  uint32 // words so far, in halves
	open int    // the token being read, or -1
	next flags  // of the token to come
}

// glyph is one character, folded.
type glyph struct {
	kind kind
	fold byte // if ASCII, else 0x80
	raw  byte // the first of its bytes
	size int
	from uint32 // in the folded text
}

// fold fills buf and tokens from text.
func (s *scan) fold(text string) {
	s.buf, s.tokens = s.buf[:0], s.tokens[:0]
	r := reading{text: text, open: -1, next: lineStart | sentenceStart}
	for r.at < len(text) {
		if asciiWord[text[r.at]] != 0 {
			s.plain(&r)
			continue
		}
		var g glyph
		g.raw, g.size, g.from = text[r.at], 1, uint32(len(s.buf))
		if g.raw < utf8.RuneSelf {
			s.ascii(&r, &g)
		} else if !s.wide(&r, &g) {
			r.at += g.size
			continue
		}
		switch g.kind {
		case space:
			r.open = -1
			if g.raw == '\n' {
				r.next |= lineStart | sentenceStart
			}
		case letter, digit:
			s.word(&r, &g)
		default:
			s.other(&r, &g)
		}
		r.at += g.size
	}
}

// plain takes the ASCII letters and digits of a word at once: most text is those.
func (s *scan) plain(r *reading) {
	text, at, buf := r.text, r.at, s.buf
	from := uint32(len(buf))
	h := uint32(0x9E3779B9)
	joins := r.open >= 0 && (s.tokens[r.open].kind == letter || s.tokens[r.open].kind == digit)
	if joins {
		h = s.tokens[r.open].hash
	}
	small := false
	first := at
	for at < len(text) {
		c := asciiWord[text[at]]
		if c == 0 {
			break
		}
		small = small || c == text[at]
		h = (h ^ uint32(c)) * 0x01000193
		buf = append(buf, c)
		at++
	}
	s.buf, r.at = buf, at
	if joins {
		t := &s.tokens[r.open]
		t.hash, t.to, t.end = h, uint32(len(buf)), uint32(at)
		if small {
			t.flags &^= capitals
		}
		return
	}
	r.pos += 2
	t := token{from: from, to: uint32(len(buf)), at: uint32(first), end: uint32(at), hash: h, pos: r.pos, kind: letter, flags: r.next}
	if asciiKind[text[first]] == digit {
		t.kind = digit
	}
	if !small && at-first > 2 {
		t.flags |= capitals
	}
	if text[first] < 'a' && t.kind == letter {
		t.flags |= titled
	}
	s.tokens = append(s.tokens, t)
	r.open, r.next = len(s.tokens)-1, 0
}

// ascii folds a byte. A line's end as JSON and program text write it is one.
func (s *scan) ascii(r *reading, g *glyph) {
	c := g.raw
	g.kind, g.fold = asciiKind[c], asciiFold[c]
	if c == '\\' && r.at+1 < len(r.text) {
		if n := r.text[r.at+1]; n == 'n' || n == 'r' || n == 't' {
			g.kind, g.fold, g.raw, g.size = space, ' ', '\n', 2
		}
	}
	if g.kind != space || g.from == 0 || s.buf[g.from-1] != ' ' {
		s.buf = append(s.buf, g.fold)
	}
}

// wide folds a rune. It reports false for one that is dropped.
func (s *scan) wide(r *reading, g *glyph) bool {
	c, size := utf8.DecodeRuneInString(r.text[r.at:])
	g.size = size
	f, k, ok := foldRune(c)
	if !ok {
		return false
	}
	g.kind, g.fold = k, 0x80
	if f < utf8.RuneSelf {
		g.fold = byte(f)
	}
	s.buf = utf8.AppendRune(s.buf, f)
	return true
}

// word adds a letter or a digit to a word, or begins one.
func (s *scan) word(r *reading, g *glyph) {
	if r.open >= 0 && (s.tokens[r.open].kind == letter || s.tokens[r.open].kind == digit) {
		t := &s.tokens[r.open]
		t.hash = mix(t.hash, g.fold, s.buf[g.from:])
		t.to, t.end = uint32(len(s.buf)), uint32(r.at+g.size)
		t.flags &^= capitals
		return
	}
	r.pos += 2
	s.begin(r, g, 0x9E3779B9)
	r.next = 0
}

// begin opens a token.
func (s *scan) begin(r *reading, g *glyph, seed uint32) {
	s.tokens = append(s.tokens, token{
		from: g.from, to: uint32(len(s.buf)), at: uint32(r.at), end: uint32(r.at + g.size),
		hash: mix(seed, g.fold, s.buf[g.from:]), pos: r.pos, kind: g.kind, flags: r.next,
	})
	r.open = len(s.tokens) - 1
}

// other takes a sign, or a rune of a dense script.
func (s *scan) other(r *reading, g *glyph) {
	if g.kind == dense {
		r.pos++
		s.begin(r, g, 0x85EBCA6B)
		r.next = 0
		return
	}
	if r.open >= 0 && s.tokens[r.open].kind == punct && s.buf[s.tokens[r.open].from] == g.fold && g.fold != 0x80 {
		t := &s.tokens[r.open]
		t.to, t.end = uint32(len(s.buf)), uint32(r.at+g.size)
		return
	}
	s.begin(r, g, 0x85EBCA6B)
	switch g.raw {
	case '.', '!', '?', ':', ';', '"', '\'', '>', '(', '[', '{', '*', '#', '-', '`', 0xE3, 0xEF: // the last two: 。 and ！？ begin like this
		r.next |= sentenceStart
	}
}

func mix(h uint32, b byte, tail []byte) uint32 {
	if b < utf8.RuneSelf {
		return (h ^ uint32(b)) * 0x01000193
	}
	for _, c := range tail {
		h = (h ^ uint32(c)) * 0x01000193
	}
	return h
}

// label gives tokens their ideas.
func (s *scan) label() {
	for i := 0; i < len(s.tokens); i++ {
		t := &s.tokens[i]
		switch t.kind {
		case punct:
			t.idea = s.signAt(i)
		case digit:
		default:
			if t.idea = s.roleWord(i); t.idea != 0 {
				continue
			}
			id, size := s.lex.match(s.buf[t.from:])
			if id == 0 && s.buf[t.from] >= 0xD7 && s.buf[t.from] <= 0xDB {
				id, size = s.afterArticle(t)
			}
			if id == 0 || id == s.verb && t.flags&sentenceStart == 0 {
				continue // a plain verb says something only where it may be an order
			}
			t.idea = id
			i = s.skip(i, t.from+uint32(size))
		}
	}
}

// skip joins to token i those that a phrase covers entirely, and returns the
// last of them.
func (s *scan) skip(i int, end uint32) int {
	t := &s.tokens[i]
	for i+1 < len(s.tokens) && s.tokens[i+1].from < end {
		i++
		t.end = s.tokens[i].end
	}
	return i
}

// afterArticle looks again behind what Arabic, Persian and Hebrew write in
// front of words: the article, "and", "with", "to".
func (s *scan) afterArticle(t *token) (Idea, int) {
	rest := s.buf[t.from:t.to]
	skipped := 0
	for range 2 {
		n := 0
		for _, p := range prefixes {
			if bytes.HasPrefix(rest, p) && len(rest) > len(p)+3 {
				n = len(p)
				break
			}
		}
		if n == 0 {
			return 0, 0
		}
		rest, skipped = rest[n:], skipped+n
		if id, size := s.lex.match(s.buf[int(t.from)+skipped:]); id != 0 {
			return id, size + skipped
		}
	}
	return 0, 0
}

var prefixes = [][]byte{
	[]byte("ال"), []byte("لل"), []byte("و"), []byte("ف"), []byte("ب"), []byte("ل"), []byte("ك"), []byte("س"),
	[]byte("ה"), []byte("ו"), []byte("ב"), []byte("ל"), []byte("מ"), []byte("ש"), []byte("כ"), []byte("את "),
}

func wordEnd(b byte) bool {
	return b < utf8.RuneSelf && asciiKind[b] != letter && asciiKind[b] != digit
}
