package detect

import (
	"strings"

	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// decodings are the findings for the encodings that package view undoes, by its
// names for them. What hides a text is another category's.
var decodings = map[string]struct {
	pattern  string
	severity Severity
}{
	"base64": {"base64_long", Medium}, "base32": {"base32", Medium}, "hex": {"hex_string", Medium}, "binary": {"binary", Medium}, "decimal": {"character_codes", Medium},
	"octal": {"character_codes", Medium}, "unicode": {"character_codes", Medium}, "hex-escape": {"hex_escape", Medium}, "octal-escape": {"hex_escape", Medium},
	"unicode-escape": {"unicode_escape", Medium}, "url": {"url_encoding", Low}, "html-entity": {"html_entities", Low}, "quoted-printable": {"quoted_printable", Low},
	"morse": {"morse", Medium}, "spaced": {"spaced_letters", Medium}, "rot13": {"rot13", Medium}, "caesar": {"caesar_cipher", Medium}, "atbash": {"atbash", Medium},
	"reversed": {"reversed_text", Medium}, "leet": {"leetspeak", Medium},
	"base85": {"base85", Medium}, "uuencode": {"uuencode", Medium}, "rot47": {"rot47", Medium}, "braille": {"braille", Medium}, "radio-alphabet": {"radio_alphabet", Medium}, "upside-down": {"upside_down", Medium},
	"compressed": {"compressed", Medium},
}

// encodings reports what was decoded, and long base64 that is nobody knows what.
func (r *reading) encodings() {
	c := r.policy.config.Encoding
	if !c.Enabled {
		return
	}
	seen := map[[2]int]bool{}
	r.nested()
	for _, v := range r.places[1:] {
		last := v.chain[len(v.chain)-1]
		d, ok := decodings[last]
		if at := [2]int{v.start, v.end}; !ok || !c.wants(d.pattern) || !r.deciphered(v) || seen[at] && len(v.chain) > 1 {
			continue
		}
		seen[[2]int{v.start, v.end}] = true
		r.put(Finding{Type: Encoding, Pattern: d.pattern, Severity: d.severity, Start: v.start, End: v.end, Score: 0.9,
			Why: "the text reads once it is decoded: " + strings.Join(v.chain, ", ")})
	}
	if c.DetectBase64 {
		r.opaque(seen)
	}
}

// nested reports what is encoded as often as is undone: nobody does that for a reason, and
// what lies deeper was not looked at.
func (r *reading) nested() {
	for _, v := range r.places[1:] {
		if len(v.chain) >= view.Deepest {
			r.put(Finding{Type: Encoding, Pattern: "nested_encoding", Severity: Medium, Start: v.start, End: v.end, Score: 0.8,
				Why: "encodings inside of each other, as many as are undone: " + strings.Join(v.chain, ", ")})
			return
		}
	}
}

func (c EncodingConfig) wants(pattern string) bool {
	switch pattern {
	case "base64_long", "base32":
		return c.DetectBase64
	case "hex_string", "hex_escape":
		return c.DetectHex
	case "unicode_escape":
		return c.DetectUnicodeEscape
	}
	return true
}

// longRun is how long base64 is that is reported whatever it holds.
const longRun = 32

// opaque finds runs of base64 that decode to no text. Hashes in hexadecimal, paths
// and identifiers are none. Where there are no long runs it looks at every
// thirty-second byte only.
func (r *reading) opaque(seen map[[2]int]bool) {
	s := r.places[0].text
	public := -longRun // where the last run ended that says what it is
	for i := 0; i+longRun <= len(s) && r.roomy(); {
		k := i + longRun - 1
		for k >= i && base64Kinds[s[k]] != 0 {
			k--
		}
		if k >= i {
			i = k + 1
			continue
		}
		for k = i + longRun; k < len(s) && base64Kinds[s[k]] != 0; {
			k++
		}
		if declared(s[max(0, i-48):i], s[i:k]) || i-public <= 2 && strings.TrimLeft(s[public:i], "\r\n") == "" {
			public = k
		} else {
			r.opaqueRun(i, k, seen)
		}
		i = k + 1
	}
}

// identifier reports whether a run is the name of something in code: a good part of it are
// words in small letters.
func identifier(run string) bool {
	const long, word = 64, 7
	small, row := 0, 0
	for _, b := range []byte(run) {
		if b < 'a' || b > 'z' {
			row = 0
			continue
		}
		if row++; row == word {
			small += word
		} else if row > word {
			small++
		}
	}
	return len(run) < long && small*5 >= len(run)
}

// declared reports whether a run is what it says it is, and everybody may see: a checksum of
// a package, the public key of SSH, a certificate, a picture in a page, a number in hexadecimal.
func declared(before, run string) bool {
	for _, start := range []string{"sha256-", "sha384-", "sha512-", "AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNhLXNoYTIt"} {
		if strings.HasPrefix(run, start) {
			return true
		}
	}
	if _, kind, ok := strings.Cut(before, "data:"); ok && strings.HasSuffix(kind, ";base64,") {
		kind, _, _ = strings.Cut(kind, "/")
		return kind == "image" || kind == "font" || kind == "audio" || kind == "video"
	}
	head := strings.TrimRight(before, "\r\n")
	return strings.HasSuffix(head, " h1:") || strings.HasSuffix(head, " CERTIFICATE-----") || strings.HasSuffix(head, " PUBLIC KEY-----") || strings.Trim(strings.TrimPrefix(run, "0x"), "0123456789abcdefABCDEF") == ""
}

// opaqueRun reports the run from i to k, if it is of what base64 is.
func (r *reading) opaqueRun(i, k int, seen map[[2]int]bool) {
	s := r.places[0].text
	var kinds [5]int
	for _, b := range []byte(s[i:k]) {
		kinds[base64Kinds[b]]++
	}
	if kinds[1] < 4 || kinds[2] < 4 || kinds[3] < 2 || kinds[4]*16 > k-i || kinds[4] == 0 && identifier(s[i:k]) {
		return
	}
	for k < len(s) && s[k] == '=' {
		k++
	}
	if start, end := r.normal.Origin(i, k); !covered(seen, start, end) {
		r.put(Finding{Type: Encoding, Pattern: "base64_long", Severity: Medium, Start: start, End: end, Score: 0.5, Why: "a long run of base64 that holds no text"})
	}
}

func covered(seen map[[2]int]bool, start, end int) bool {
	for s := range seen {
		if s[0] <= start && end <= s[1] || start <= s[0] && s[1] <= end {
			return true
		}
	}
	return false
}

// base64Kinds has what a byte of base64 is: 1 for capitals, 2 for small letters, 3
// for digits, 4 for others.
var base64Kinds = func() (t [256]uint8) {
	for kind, bytes := range []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "+/-_"} {
		for _, b := range []byte(bytes) {
			t[b] = uint8(kind + 1)
		}
	}
	return t
}()

// disguises are the findings for tricks of Unicode.
var disguises = map[string]struct {
	pattern  string
	severity Severity
	why      string
}{
	view.ZeroWidth:  {"confusables_or_zero_width", Medium, "invisible characters inside words"},
	view.Homoglyph:  {"confusables_or_zero_width", Medium, "letters of another script that look the same"},
	view.FullWidth:  {"confusables_or_zero_width", Medium, "text in full-width letters"},
	view.Styled:     {"confusables_or_zero_width", Medium, "text in mathematical or circled letters"},
	view.Combining:  {"confusables_or_zero_width", Medium, "letters under heaps of marks"},
	view.Bidi:       {"bidi_override", High, "text that is shown in another order than it is read"},
	view.Tags:       {"tag_characters", High, "text in characters that nobody sees"},
	view.Selectors:  {"variation_selectors", High, "bytes in characters that nobody sees"},
	view.HiddenBits: {"hidden_bits", High, "text in bits that nobody sees"},
}

// concealments are the findings for what pages and terminals hide. They hide much
// that is harmless; what is in it decides.
var concealments = map[string]struct{ pattern, why string }{
	view.HTMLComment: {"html_comment", "a comment of a page"},
	view.CSSHidden:   {"css_hidden", "text that the page's style keeps from being seen"},
	view.Markdown:    {"markdown_comment", "text that Markdown does not show"},
	view.Terminal:    {"ansi_escape", "escapes that move, erase or conceal on a terminal"},
}

// tricks reports what normalising found.
func (r *reading) tricks() {
	for _, t := range r.normal.Tricks {
		if d, ok := disguises[t.Kind]; ok && r.policy.config.Unicode.Enabled {
			r.put(Finding{Type: Unicode, Pattern: d.pattern, Severity: d.severity, Start: t.Start, End: t.End, Score: 0.9, Why: d.why})
		}
		if h, ok := concealments[t.Kind]; ok {
			s, score := r.concealed(t)
			if s > None {
				r.put(Finding{Type: HiddenContent, Pattern: h.pattern, Severity: s, Start: t.Start, End: t.End, Score: score, Why: h.why})
			}
		}
	}
}

// concealed says how bad it is that something is hidden. A copyright in a comment
// and a menu that opens later are not worth a word.
func (r *reading) concealed(t view.Trick) (Severity, float64) {
	if t.Kind == view.Terminal {
		return Medium, 0.7
	}
	for _, v := range r.places[1:] {
		if v.start < t.Start || v.end > t.End {
			continue
		}
		if s := r.ordered[v.index]; s > None {
			return s, 0.9
		}
		if t.Kind != view.HTMLComment && len(strings.Fields(v.text)) >= 12 {
			return Low, 0.4
		}
	}
	return None, 0
}
