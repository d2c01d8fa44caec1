package view

import "golang.org/x/text/unicode/norm"

// Cleaning says what is undone in a text that goes on to somebody, which may be less
// than is undone to judge it.
type Cleaning struct {
	Invisible  bool   // take out what cannot be seen
	Lookalikes bool   // write words of mixed scripts in one
	Form       string // NFC, NFKC, NFD or NFKD; any other is none
}

// Clean undoes in text what c says, and nothing else. The tricks it meets are not
// told: Normalise does that.
func (c Cleaning) Clean(text string) Normal {
	n := Normal{Text: text, original: text}
	if plainASCII(text) {
		return n
	}
	f := &finder{n: &n}
	if c.Invisible {
		f.step(f.strip)
	}
	if form, ok := composed[c.Form]; ok {
		f.step(func(w *rewrite) { f.bring(w, form) })
	}
	if c.Lookalikes {
		f.step(f.unmask)
	}
	if form, ok := decomposed[c.Form]; ok {
		f.step(func(w *rewrite) { f.bring(w, form) })
	}
	n.Changed = n.Text != text
	n.Tricks, n.hidden = nil, nil
	return n
}

// Words are looked at composed, whatever form they are to have.
var (
	composed   = map[string]norm.Form{"NFC": norm.NFC, "NFKC": norm.NFKC, "NFD": norm.NFC, "NFKD": norm.NFKC}
	decomposed = map[string]norm.Form{"NFD": norm.NFD, "NFKD": norm.NFKD}
)
