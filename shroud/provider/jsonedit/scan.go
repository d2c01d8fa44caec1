package jsonedit

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// scanner finds the tokens of a text that is JSON as RFC 8259 has it. It takes what
// jsontext takes, which its tests hold it against; long strings, of which requests
// consist, it reads eight bytes at a time.
type scanner struct {
	text   string
	at     int
	loose  bool // names may come twice, and what is no UTF-8 may stand in strings
	places []place
	names  []string // of the objects that are open
}

// scan finds the tokens of exactly one value, and adds their places to those given.
func scan(text string, loose bool, places []place) ([]place, error) {
	s := &scanner{text: text, loose: loose, places: places}
	err := s.value(0)
	if s.peek(); err == nil && s.at < len(text) {
		err = s.wrong()
	}
	return s.places, err
}

// wrong is a refusal that repeats nothing of the text.
func (s *scanner) wrong() error { return ErrSyntax.Detail("%s, near byte %d", ErrSyntax.Msg, s.at) }

// peek is the next byte that is not blank, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) value(depth int) error {
	switch c := s.peek(); c {
	case '{', '[':
		if depth == maxDepth {
			return ErrDepth
		}
		return s.composite(Kind(c), depth+1)
	case '"':
		return s.str()
	case 'n':
		return s.literal(Null, "null")
	case 't':
		return s.literal(True, "true")
	case 'f':
		return s.literal(False, "false")
	}
	return s.number()
}

// add notes a token that ends where the scanner is.
func (s *scanner) add(kind Kind, start int) {
	s.places = append(s.places, place{start: int32(start), end: int32(s.at), next: int32(len(s.places) + 1), kind: kind})
}

// composite is an object or an array.
func (s *scanner) composite(kind Kind, depth int) error {
	own, names, last := len(s.places), len(s.names), byte(kind)+2 // the bracket that closes it
	s.add(kind, s.at)
	s.at++
	var many map[string]struct{}
	for first := true; ; first = false {
		c := s.peek()
		if c == last && first {
			break
		}
		if kind == Object {
			if err := s.name(c, names, &many); err != nil {
				return err
			}
		}
		if err := s.value(depth); err != nil {
			return err
		}
		if c = s.peek(); c == last {
			break
		} else if c != ',' {
			return s.wrong()
		}
		s.at++
	}
	s.at++
	s.names = s.names[:names]
	p := &s.places[own]
	p.end, p.next = int32(s.at), int32(len(s.places))
	return nil
}

// fewNames are compared with each other; more are looked up.
const fewNames = 16

// name is a member's, with its colon. Those before it in the object begin at from, and
// are in many if there are many.
func (s *scanner) name(c byte, from int, many *map[string]struct{}) error {
	if c != '"' {
		return s.wrong()
	}
	start := s.at
	if err := s.str(); err != nil {
		return err
	}
	if !s.loose {
		name := unquoted(s.text[start+1 : s.at-1])
		if s.known(name, from, many) {
			return ErrDuplicate.Detail("%s, near byte %d", ErrDuplicate.Msg, start)
		}
		s.names = append(s.names, name)
	}
	if s.peek() != ':' {
		return s.wrong()
	}
	s.at++
	return nil
}

func (s *scanner) known(name string, from int, many *map[string]struct{}) bool {
	before := s.names[from:]
	if len(before) < fewNames {
		for _, n := range before {
			if n == name {
				return true
			}
		}
		return false
	}
	if *many == nil {
		*many = make(map[string]struct{}, 2*len(before))
		for _, n := range before {
			(*many)[n] = struct{}{}
		}
	}
	_, ok := (*many)[name]
	(*many)[name] = struct{}{}
	return ok
}

func (s *scanner) literal(kind Kind, word string) error {
	if !strings.HasPrefix(s.text[s.at:], word) {
		return s.wrong()
	}
	s.at += len(word)
	s.add(kind, s.at-len(word))
	return nil
}

func (s *scanner) number() error {
	start := s.at
	s.skip("-")
	if !s.skip("0") && s.digits() == 0 {
		return s.wrong()
	}
	if s.skip(".") && s.digits() == 0 {
		return s.wrong()
	}
	if s.skip("eE") {
		s.skip("+-")
		if s.digits() == 0 {
			return s.wrong()
		}
	}
	s.add(Number, start)
	return nil
}

// skip goes over a byte that is one of those.
func (s *scanner) skip(of string) bool {
	if s.at == len(s.text) || strings.IndexByte(of, s.text[s.at]) < 0 {
		return false
	}
	s.at++
	return true
}

func (s *scanner) digits() (n int) {
	for ; s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9'; s.at++ {
		n++
	}
	return n
}

// str is a string.
func (s *scanner) str() error {
	start := s.at
	for s.at++; ; {
		s.at += ordinary(s.text[s.at:])
		if s.at == len(s.text) {
			return s.wrong()
		}
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			s.add(String, start)
			return nil
		case c == '\\':
			n := s.escape(s.text[s.at:])
			if n == 0 {
				return s.wrong()
			}
			s.at += n
		case c < utf8.RuneSelf: // a control
			return s.wrong()
		default:
			r, n := utf8.DecodeRuneInString(s.text[s.at:])
			if r == utf8.RuneError && n == 1 && !s.loose {
				return s.wrong()
			}
			s.at += n
		}
	}
}

// escape is the length of the escape that text begins with, 0 if it is none. Half of a
// surrogate pair is one to a loose scanner only.
func (s *scanner) escape(text string) int {
	if len(text) > 1 && simple[text[1]] != 0 {
		return 2
	}
	r, ok := unit(text)
	switch {
	case !ok:
		return 0
	case s.loose || r < 0xd800 || r >= 0xe000:
		return 6
	}
	if low, ok := unit(text[6:]); r < 0xdc00 && ok && low >= 0xdc00 && low < 0xe000 {
		return 12
	}
	return 0
}

// unit reads \uXXXX.
func unit(text string) (r rune, ok bool) {
	if len(text) < 6 || text[:2] != `\u` {
		return 0, false
	}
	for _, c := range []byte(text[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// ordinary is how many bytes at the beginning of text are of ASCII and mean themselves
// in a string.
func ordinary(text string) (n int) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	// Of the bytes of x that are zero, or below a number, the lowest is found for
	// sure: https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
	for ; len(text)-n >= 8; n += 8 {
		b := text[n : n+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		quotes, slashes := x^'"'*ones, x^'\\'*ones
		odd := (x | (x-' '*ones)&^x | (quotes-ones)&^quotes | (slashes-ones)&^slashes) & highs
		if odd != 0 {
			return n + bits.TrailingZeros64(odd)/8
		}
	}
	for ; n < len(text); n++ {
		if c := text[n]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			break
		}
	}
	return n
}
