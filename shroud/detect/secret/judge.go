package secret

import (
	"math"
	"strings"
	"sync"
)

// wordByte says whether c is in the names of things.
func wordByte(c byte) bool { return alnum(c) || c == '_' || c == '-' || c == '.' }

func digit(c byte) bool  { return c-'0' < 10 }
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func alnum(c byte) bool  { return digit(c) || letter(c) }
func space(c byte) bool  { return c == ' ' || c-'\t' < 5 }
func hexDigit(c byte) bool {
	return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// entropy is Shannon's, in bits a byte.
func entropy(v string) (bits float64) {
	var counts [256]int
	for i := range len(v) {
		counts[v[i]]++
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(v))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// shape is what a value is made of.
type shape struct {
	n, lower, upper, digits, other int
	different                      int
	turns                          int // from one class of characters to another
	pairs, common                  int // of neighbouring letters; of these such as words have
	longest                        int // run of one character
	steps                          int // neighbours that follow each other, as in abcd or 4321
	hex                            bool
}

func shapeOf(v string) shape {
	s := shape{n: len(v), hex: true}
	var seen [4]uint64
	last, run := -1, 0
	for i := range len(v) {
		c := v[i]
		if seen[c>>6]&(1<<(c&63)) == 0 {
			seen[c>>6] |= 1 << (c & 63)
			s.different++
		}
		k := 3
		switch {
		case digit(c):
			s.digits, k = s.digits+1, 0
		case c-'a' < 26:
			s.lower, k = s.lower+1, 1
		case c-'A' < 26:
			s.upper, k = s.upper+1, 2
		default:
			s.other++
		}
		s.hex = s.hex && hexDigit(c)
		if k != last && i > 0 {
			s.turns++
		}
		last = k
		if i == 0 {
			run = 1
			continue
		}
		p := v[i-1]
		if run++; p != c {
			run = 1
		}
		if alnum(c) || c == '*' || c == '.' {
			s.longest = max(s.longest, run)
		}
		if d := int(c) - int(p); (d == 1 || d == -1) && alnum(c) && alnum(p) {
			s.steps++
		}
		if letter(c) && letter(p) {
			s.pairs++
			if commonPair(lower(p), lower(c)) {
				s.common++
			}
		}
	}
	return s
}

// pairs are the pairs of letters that words of European languages are made of.
const pairs = "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi " +
	"ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so " +
	"rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu " +
	"ev ld ry mp fe bl ab gh ty op wo sa ay ex ke ui fr oo ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef " +
	"cu rn sc gi da yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go ht ru ug ds lt pi rc rr eg au ck ew mu br bi pt " +
	"ak pu ui rg ib tl ny ki rk ys ob mm fu ph og ms ye ud mb ip ub oi rl gu dr hr cc tw ft wn nu af hu nn eo vo rv nf xp gn sm fl iz ok nl my gl aw ju oa eq sy sl ps kn nk lf nv"

// commonPair says whether two small letters stand beside each other in words.
func commonPair(a, b byte) bool { return commonPairs[a-'a']>>(b-'a')&1 != 0 }

var commonPairs = func() (set [26]uint32) {
	for p := range strings.FieldsSeq(pairs) {
		set[p[0]-'a'] |= 1 << (p[1] - 'a')
	}
	return set
}()

// wordy says whether most letters are as in words.
func (s shape) wordy() bool { return s.pairs >= 3 && s.common*100 >= s.pairs*72 }

// random says whether v looks drawn and not written.
func random(v string) bool {
	if len(v) < 8 || placeholder(v) || uuid(v) {
		return false
	}
	s := shapeOf(v)
	switch {
	case s.different*3 < min(s.n, 24), s.longest > 5, s.steps*2 > s.n:
		return false
	case s.lower+s.upper == 0:
		return false
	case s.hex:
		return s.digits > 0 && s.digits < s.n && s.n >= 16
	case s.digits == 0 && (s.upper == 0 || s.lower == 0):
		return s.n >= 12 && s.pairs >= 8 && s.common*100 < s.pairs*50 // one class: far from words
	case s.digits == 0:
		return s.n >= 12 && s.turns*4 >= s.n && s.common*100 < s.pairs*65
	}
	return !s.wordy() || s.digits >= 3 && s.turns >= 5
}

// fillers are what documentation has in the place of secrets.
var fillers = []string{
	"example", "sample", "changeme", "change_me", "change-me", "placeholder", "your_", "your-", "yourtoken", "yourkey",
	"yourpass", "yoursecret", "yourapi", "insert", "replace", "redacted", "xxxx", "****", "....", "####", "0000000", "____",
	"1234567890", "abcdefgh", "dummy", "notreal", "not-a-real", "fakekey", "fake_", "fake-", "-fake", "${", "{{", "$(", "%(", "todo", "fixme", "my_secret",
	"mysecret", "my-secret", "mytoken", "my_token", "my-token", "put_", "enter_", "_here", "-here", "goes-here", "secret-here", "lorem", "foobar",
	"undefined", "process.env", "os.environ", "getenv", "env.", "secrets.", "vault.", "var.", "config.", "params.", "self.", "this.",
}

var fillerIndex = sync.OnceValue(func() *literals {
	l := &literals{}
	for _, f := range fillers {
		l.add(f, 0)
	}
	return l
})

// placeholder says whether v stands for a secret and is none.
func placeholder(v string) bool {
	if v == "" {
		return true
	}
	switch v[0] {
	case '$', '<', '{', '%', '@', '*', '[', '(':
		if len(v) < 40 && (v[0] != '@' && v[0] != '*' || wordsOnly(v)) {
			return true
		}
	}
	if strings.IndexByte(v, '<') >= 0 {
		return true
	}
	found := false
	fillerIndex().find(v, func(uint16, int) { found = true })
	return found
}

func wordsOnly(v string) bool { return shapeOf(v).digits == 0 }

// uuid says whether v is one: names of things far more often than keys.
func uuid(v string) bool {
	if len(v) != 36 {
		return false
	}
	for i := range len(v) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (v[i] == '-') || !dash && !hexDigit(v[i]) {
			return false
		}
	}
	return true
}
