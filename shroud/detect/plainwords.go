package detect

import "strings"

// letterCiphers change letters into others, or their order. Chance makes some of what
// they undo look like words, in code above all.
var letterCiphers = map[string]bool{"reversed": true, "leet": true, "rot13": true, "caesar": true, "atbash": true, "rot47": true}

// commonWords are in most sentences of the languages that most text is in.
var commonWords = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`the and you your that this with for all are not what how from have will now tell show please can was his her they
		but were when which there their about would been who its than then them these some into out very over after before give make only know hello world
		ignore previous instructions system password secret prompt reveal print forget rules send delete user access admin text message read write word words
		und der die das ist nicht ein eine ich sie den dem von alle sind wie was mit auf für
		que los las por para una con del como más pero todo esta est les des vous pour dans une pas sur avec ce qui tout
		não uma com para dos você como che non per una sono gli della questo het een van niet en dat met voor`) {
		out[w] = true
	}
	return out
}()

// common counts the different common words of a text.
func common(text string) int {
	seen := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' && r != '\'' || r > 'z' && r < 0xC0 }) {
		if commonWords[w] {
			seen[w] = true
		}
	}
	return len(seen)
}

// deciphered reports whether a view of a cipher of letters says more than the text did as
// it stood: two common words more. What lies in another encoding has its place in common
// with all else there, and is not compared with it.
func (r *reading) deciphered(v place) bool {
	if !letterCiphers[v.chain[len(v.chain)-1]] {
		return true
	}
	before := 0
	if len(v.chain) == 1 {
		before = common(r.text[v.start:v.end])
	}
	return common(v.text) >= before+2
}
