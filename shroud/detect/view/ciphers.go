package view

import "strings"

// cipher is a way to write letters that is undone without a key.
type cipher struct {
	name  string
	shift int // for Caesar's; rot13 is one
}

// secretive is a span that reads better with a cipher undone.
type secretive struct {
	cipher
	start, end int
}

// ciphers finds what is written backwards, with its alphabet moved or mirrored, or
// in digits for letters. Most text reads well as it is and is looked at once.
func (c *scanner) ciphers() {
	var open secretive
	s := c.text
	for start := 0; start < len(s) && !c.full; {
		end := start
		for end < len(s) && !boundary[s[end]] {
			end++
		}
		if k, ok := decipher(s[start:end]); ok {
			if open.name != "" && open.cipher == k && start-open.end <= 8 {
				open.end = end
			} else {
				c.undo(open)
				open = secretive{k, start, end}
			}
		}
		for start = end; start < len(s) && boundary[s[start]]; {
			start++
		}
	}
	c.undo(open)
}

// boundary has the bytes that part a quotation from what is around it.
var boundary = func() (t [256]bool) {
	for _, b := range []byte("\n\r\"`:<>{}[]") {
		t[b] = true
	}
	return t
}()

func (c *scanner) undo(k secretive) {
	if k.name == "" {
		return
	}
	text := strings.TrimSpace(k.decode(c.text[k.start:k.end]))
	c.found(k.name, text, k.start, k.end)
}

// decode undoes a cipher.
func (k cipher) decode(s string) string {
	switch k.name {
	case "reversed":
		return reverse(s)
	case "leet":
		return plainLetters(s)
	}
	out, letters := []byte(s), k.letters()
	for i, b := range out {
		if asciiLetter(b) {
			out[i] = b&0x20 | letters[b|0x20-'a']&^0x20
		}
	}
	return string(out)
}

// letters is what each letter stands for.
func (k cipher) letters() (table [26]byte) {
	for i := range table {
		if table[i] = 'a' + byte((i+k.shift)%26); k.name == "atbash" {
			table[i] = 'z' - byte(i)
		}
	}
	return table
}

// What a deciphered text has to be: long enough, cheap, and so much cheaper than
// before that chance is out of the question. Costs are two thirds of a bit.
const (
	leastPairs = 10
	surePairs  = 16 // where any of many alphabets may fit
	leastGain  = 24
)

// decipher finds the cipher that s is in, if it reads badly and then well.
func decipher(s string) (cipher, bool) {
	plain, back := readsBothWays(s)
	if len(s) >= 3*leastPairs && plain.pairs*100 < len(s)*58 && manyLeet(s) { // prose has more pairs
		p := reads(plainLetters(s))
		return cipher{name: "leet"}, p.pairs >= leastPairs && p.mean() < readable-0.6 && p.pairs > plain.pairs+leastPairs/2
	}
	if plain.pairs < leastPairs || plain.mean() < doubtful {
		return cipher{}, false
	}
	if best, ok := replaced(s, plain); ok {
		return best, true
	}
	gain, enough := plain.cost-back.cost, leastGain
	if endsFirst(s) {
		enough /= 4
	}
	return cipher{name: "reversed"}, gain >= enough && back.mean() < readable-0.6
}

// replaced finds out whether other letters stand in s for what was written. Where
// the frequent letters are those of languages nothing was replaced.
func replaced(s string, plain prose) (cipher, bool) {
	const unusual = 52 // of the thousand of frequent; languages have above 60
	var counts [26]int
	letters, sum := 0, 0
	for i := range len(s) {
		if asciiLetter(s[i]) {
			k := s[i] | 0x20 - 'a'
			counts[k]++
			letters, sum = letters+1, sum+frequent[k]
		}
	}
	if sum > unusual*letters {
		return cipher{}, false
	}
	for _, k := range []cipher{{name: "atbash"}, caesar(&counts)} {
		if k.name == "caesar" && plain.pairs < surePairs {
			continue
		}
		table := k.letters()
		if p := readsAs(s, &table); plain.cost-p.cost >= leastGain && p.mean() < readable-0.6 {
			return k, true
		}
	}
	return cipher{}, false
}

// endsFirst reports whether the marks that end sentences stand before words, and
// capitals at their ends, as in text that was turned around.
func endsFirst(s string) bool {
	first, last := 0, 0
	for i := 1; i+1 < len(s); i++ {
		a, b, c := s[i-1], s[i], s[i+1]
		switch mark := b == '.' || b == ',' || b == '!' || b == '?'; {
		case mark && asciiSpace(a) && asciiLetter(c), b >= 'A' && b <= 'Z' && a >= 'a' && a <= 'z' && !asciiLetter(c):
			first++
		case mark && asciiSpace(c) && asciiLetter(a), b >= 'A' && b <= 'Z' && c >= 'a' && c <= 'z' && !asciiLetter(a):
			last++
		}
	}
	if n := len(s); n > 1 && (s[0] == '.' || s[0] == '!' || s[0] == '?') && asciiLetter(s[1]) || n > 1 && s[n-1] >= 'A' && s[n-1] <= 'Z' && s[n-2] >= 'a' && s[n-2] <= 'z' {
		first++
	}
	return first > 0 && last == 0
}

// frequent has how often each letter occurs in a thousand, about.
var frequent = [26]int{80, 15, 32, 42, 125, 18, 20, 40, 75, 4, 10, 45, 28, 70, 72, 24, 4, 65, 64, 80, 32, 12, 14, 3, 18, 4}

// caesar finds the shift after which letters so frequent are the usual ones.
func caesar(counts *[26]int) cipher {
	best, most := 0, -1
	for shift := 1; shift < 26; shift++ {
		sum := 0
		for i, n := range counts {
			sum += n * frequent[(i+shift)%26]
		}
		if sum > most {
			best, most = shift, sum
		}
	}
	if best == 13 {
		return cipher{"rot13", 13}
	}
	return cipher{"caesar", best}
}
