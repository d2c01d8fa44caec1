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

// reads judges s with the cipher undone.
func (k cipher) reads(s string) prose {
	if k.name == "leet" {
		return reads(plainLetters(s))
	}
	letters := k.letters()
	return readsAs(s, &letters, k.name == "reversed")
}

// What a deciphered text has to be: long enough, cheap, and so much cheaper than
// before that chance is out of the question. Costs are two thirds of a bit.
const (
	leastPairs = 10
	leastGain  = 30
)

// decipher finds the cipher that s is in, if it reads badly and then well.
func decipher(s string) (cipher, bool) {
	plain := reads(s)
	digits := false
	if plain.pairs >= leastPairs || len(s) >= 3*leastPairs {
		digits = manyLeet(s)
	}
	if plain.pairs < leastPairs && !digits || plain.mean() < doubtful && !digits {
		return cipher{}, false
	}
	candidates := []cipher{{name: "leet"}}
	if !digits {
		candidates = []cipher{{name: "reversed"}, {name: "atbash"}, caesar(s)}
	}
	var best cipher
	least := plain.mean()
	for _, k := range candidates {
		p := k.reads(s)
		gain := float64(p.pairs) * (plain.mean() - p.mean())
		if digits {
			gain = leastGain + float64(p.pairs-plain.pairs-leastPairs/2)
		}
		if p.pairs >= leastPairs && p.mean() < readable-0.6 && gain >= leastGain && (p.mean() < least || digits) {
			best, least = k, p.mean()
		}
	}
	return best, best.name != ""
}

// frequent has how often each letter occurs in a thousand, about.
var frequent = [26]int{80, 15, 32, 42, 125, 18, 20, 40, 75, 4, 10, 45, 28, 70, 72, 24, 4, 65, 64, 80, 32, 12, 14, 3, 18, 4}

// caesar finds the shift after which the letters of s are the usual ones.
func caesar(s string) cipher {
	var counts [26]int
	for i := range len(s) {
		if asciiLetter(s[i]) {
			counts[s[i]|0x20-'a']++
		}
	}
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
