package view

import (
	"strings"
	"unicode/utf8"
)

// alphabets finds what is written in Braille, in the words of radio operators, or
// upside down.
func (c *scanner) alphabets() {
	c.braille()
	c.radio()
	c.upsideDown()
}

// dots has the letters of Braille, from its first sign on.
const dots = " a1b'k2l@cif/msp\"e3h9o6r^djg>ntq,*5<-u8v.%[$+x!&;:4\\0z7(_?w]#y)="

func (c *scanner) braille() {
	s := c.text
	if !strings.Contains(s, "\xE2\xA0") {
		return
	}
	for i := 0; i < len(s); {
		var out []byte
		start := i
		for i < len(s) {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r >= 0x2800 && r < 0x2840 {
				out = append(out, dots[r-0x2800])
			} else if r == ' ' && len(out) > 0 {
				out = append(out, ' ')
			} else {
				break
			}
			i += size
		}
		if text := strings.TrimSpace(string(out)); len(text) >= 8 && readsOn(text) {
			c.found("braille", text, start, i)
		}
		if i == start {
			i++
		}
	}
}

var radioWords = map[string]byte{
	"alfa": 'a', "alpha": 'a', "bravo": 'b', "charlie": 'c', "delta": 'd', "echo": 'e', "foxtrot": 'f', "golf": 'g', "hotel": 'h', "india": 'i',
	"juliet": 'j', "juliett": 'j', "kilo": 'k', "lima": 'l', "mike": 'm', "november": 'n', "oscar": 'o', "papa": 'p', "quebec": 'q', "romeo": 'r',
	"sierra": 's', "tango": 't', "uniform": 'u', "victor": 'v', "whiskey": 'w', "whisky": 'w', "xray": 'x', "yankee": 'y', "zulu": 'z',
}

// radio reads words for letters, of which eight in a row are no accident.
func (c *scanner) radio() {
	s := c.text
	if !around(s, "ango", 2) && !around(s, "scar", 1) && !around(s, "ANGO", 2) && !around(s, "SCAR", 1) {
		return // hardly a sentence has neither t nor o
	}
	var out []byte
	start, end, count := 0, 0, 0
	flush := func() {
		if text := strings.TrimSpace(string(out)); count >= 8 {
			c.found("radio-alphabet", text, start, end)
		}
		out, count = nil, 0
	}
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && asciiLetter(s[j]) {
			j++
		}
		if j == i {
			i++
			continue
		}
		b := radioWords[strings.ToLower(s[i:min(j, i+10)])]
		switch {
		case b == 0 || count > 0 && i-end > 8:
			flush()
		case count > 0 && strings.ContainsAny(s[end:i], "\n/|") || count > 0 && i-end > 2:
			out = append(out, ' ')
		}
		if b != 0 {
			if count == 0 {
				start = i
			}
			out, end, count = append(out, b), j, count+1
		}
		i = j
	}
	flush()
}

// around reports whether word is in s. It is looked for by the letter at a place of
// word, the rarest of it.
func around(s, word string, at int) bool {
	for i := at; i < len(s); i++ {
		k := strings.IndexByte(s[i:], word[at])
		if k < 0 {
			return false
		}
		if i += k; strings.HasPrefix(s[i-at:], word) {
			return true
		}
	}
	return false
}

// turned has the letters that others look like upside down. A w may be what is left
// of an m: it is one of its look-alikes.
var turned = map[rune]rune{
	'ɐ': 'a', 'q': 'b', 'ɔ': 'c', 'p': 'd', 'ǝ': 'e', 'ɟ': 'f', 'ƃ': 'g', 'ɓ': 'g', 'ɥ': 'h', 'ᴉ': 'i', 'ı': 'i', 'ɾ': 'j', 'ʞ': 'k', 'ʅ': 'l', 'ן': 'l',
	'ɯ': 'm', 'w': 'm', 'u': 'n', 'd': 'p', 'b': 'q', 'ɹ': 'r', 'ʇ': 't', 'n': 'u', 'ʌ': 'v', 'ʍ': 'w', 'ʎ': 'y', '∀': 'A', 'Ɔ': 'C', 'Ǝ': 'E', 'Ⅎ': 'F', '⅁': 'G',
	'˥': 'L', 'Ԁ': 'P', '┴': 'T', '∩': 'U', 'Λ': 'V', '⅄': 'Y', '˙': '.', '¿': '?', '¡': '!', '\'': ',', ',': '\'',
}

func (c *scanner) upsideDown() {
	s := c.text
	if !strings.Contains(s, "ǝ") || !strings.Contains(s, "ʇ") && !strings.Contains(s, "ɹ") && !strings.Contains(s, "ɐ") {
		return
	}
	for i := 0; i < len(s); {
		end := len(s)
		if k := strings.IndexByte(s[i:], '\n'); k >= 0 {
			end = i + k
		}
		line := s[i:end]
		if strings.Count(line, "ǝ")+strings.Count(line, "ʇ")+strings.Count(line, "ɹ")+strings.Count(line, "ɐ") >= 3 {
			text := reverse(strings.Map(func(r rune) rune {
				if t := turned[r]; t != 0 {
					return t
				}
				return r
			}, line))
			if readsOn(text) {
				c.found("upside-down", text, i, end)
			}
		}
		i = end + 1
	}
}
