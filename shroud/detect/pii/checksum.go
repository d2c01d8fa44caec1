package pii

// The check digits of the world. All take strings of ASCII digits; what else
// stands in them is a mistake that makes the answer false.

// luhn is ISO 7812's: cards, and many identity numbers.
func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return len(s) > 0 && sum%10 == 0
}

// mod reads s as a number and returns it modulo m, or -1.
func mod(s string, m int) int {
	r := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if d < 0 || d > 9 {
			return -1
		}
		r = (r*10 + d) % m
	}
	return r
}

// weighted is the sum of the digits of s times weights, or -1. It reads as many
// as there are weights.
func weighted(s string, weights ...int) int {
	if len(s) < len(weights) {
		return -1
	}
	sum := 0
	for i, w := range weights {
		d := int(s[i] - '0')
		if d < 0 || d > 9 {
			return -1
		}
		sum += d * w
	}
	return sum
}

// mod1110 is ISO 7064's MOD 11,10: a German tax number, a Croatian OIB.
func mod1110(s string) bool {
	p := 10
	for i := range len(s) - 1 {
		d := int(s[i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		sum := (d + p) % 10
		if sum == 0 {
			sum = 10
		}
		p = sum * 2 % 11
	}
	return (11-p)%10 == digit(s, len(s)-1)
}

// digit is the digit at i, or -1.
func digit(s string, i int) int {
	if i < 0 || i >= len(s) || s[i] < '0' || s[i] > '9' {
		return -1
	}
	return int(s[i] - '0')
}

// two is the number of two digits at i, or -1.
func two(s string, i int) int {
	a, b := digit(s, i), digit(s, i+1)
	if a < 0 || b < 0 {
		return -1
	}
	return a*10 + b
}

// same reports whether all digits are equal, which no number of a person is.
func same(s string) bool {
	for i := range len(s) {
		if s[i] != s[0] {
			return false
		}
	}
	return true
}

// monthDay reports whether there is such a day. It knows no leap years.
func monthDay(month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

var verhoeffTimes = [10][10]uint8{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
	{2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
	{4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
	{6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
	{8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
}

var verhoeffTurn = [8][10]uint8{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
	{5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
	{9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
	{2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8},
}

// verhoeff is the check of India's Aadhaar.
func verhoeff(s string) bool {
	c := uint8(0)
	for i := range len(s) {
		d := digit(s, len(s)-1-i)
		if d < 0 {
			return false
		}
		c = verhoeffTimes[c][verhoeffTurn[i%8][d]]
	}
	return c == 0
}

// alnum97 is ISO 7064's MOD 97,10 over letters and digits, of which IBANs are
// the rearranged form.
func alnum97(s string) int {
	r := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			r = (r*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			r = (r*100 + int(c-'A') + 10) % 97
		default:
			return -1
		}
	}
	return r
}

// base36 is the value of a digit or capital letter in base 36, or -1.
func base36(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return -1
}
