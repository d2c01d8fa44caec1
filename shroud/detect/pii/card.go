package pii

// cardKinds are payment cards: an issuer's range, its lengths, and Luhn. Where
// a card is named before it, what the issuers say about lengths is not held
// against it.
var cardKinds = []kind{
	{
		typ: CreditCard,
		shapes: "9999 9999 9999 9999|9999-9999-9999-9999|9999.9999.9999.9999|9999 999999 99999|9999-999999-99999|" +
			"9999 999999 9999|9999-999999-9999|9999 9999 9999 9999 999|9999-9999-9999-9999-999|9999 9999 9999 999",
		valid: card, near: 0.99, alone: 0.95,
	},
	{
		typ:    CreditCard,
		shapes: "9999999999999|99999999999999|999999999999999|9999999999999999",
		valid:  card, near: 0.98, alone: 0.85, topics: aCard | aBank,
	},
	{ // numbers of all sorts of things are as long
		typ:    CreditCard,
		shapes: "99999999999999999|999999999999999999|9999999999999999999",
		valid:  card, near: 0.98, bare: 0.85, topics: aCard | aBank,
	},
	{
		typ:    CreditCard,
		shapes: "999999999999|9999999999999|99999999999999|999999999999999|9999999999999999|99999999999999999|999999999999999999|9999999999999999999",
		valid:  func(s string) bool { return luhn(s) && !same(s) }, near: 0.9, bare: 0.55, topics: aCard,
	},
}

// card reports whether s is a card of an issuer that is known.
func card(s string) bool {
	return luhn(s) && !same(s) && issued(s)
}

// issued reports whether an issuer has cards of this length that begin so.
func issued(s string) bool {
	n, six := len(s), mod(s[:6], 1_000_000)
	two, four := six/10_000, six/100
	switch {
	case s[0] == '4':
		return n == 13 || n == 16 || n == 19
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720:
		return n == 16
	case two == 34, two == 37, four == 1800, four == 2131:
		return n == 15
	case two == 36, two == 38, two == 39, six/1000 >= 300 && six/1000 <= 305:
		return n == 14 || n == 16 && two != 36 || n == 19
	case four == 6011, two == 64, two == 65, two == 62, two == 81, two == 60:
		return n >= 16
	case four >= 3528 && four <= 3589:
		return n >= 16
	case two == 50, two >= 56 && two <= 69:
		return n == 12 || n == 13 || n >= 15
	case four >= 2200 && four <= 2204, four == 9792, two == 63, two == 67:
		return n >= 16
	}
	return false
}
