package view

import (
	"strings"
	"unicode/utf8"
)

// findHidden looks for what a page or a document hides from people's eyes.
func (n *Normal) findHidden() {
	if strings.IndexByte(n.Text, '<') >= 0 {
		p := page{n: n, s: n.Text}
		p.walk()
	}
	if strings.IndexByte(n.Text, ']') >= 0 {
		n.markdown()
	}
}

// conceal notes a span of Text that a reader of the page does not see.
func (n *Normal) conceal(kind, chain, text string, start, end int) {
	start, end = n.Origin(start, end)
	if kind != "" {
		n.addTrick(kind, start, end)
	}
	n.hide(chain, text, start, end)
}

// page walks the tags of a text.
type page struct {
	n        *Normal
	s        string
	styled   bool            // whether the style sheets were read
	unseen   map[string]bool // classes and ids that style sheets hide
	unfolded int             // where the last folded part ended
}

func (p *page) walk() {
	for i := 0; i < len(p.s); {
		k := strings.IndexByte(p.s[i:], '<')
		if k < 0 {
			return
		}
		if i += k; strings.HasPrefix(p.s[i:], "<!--") {
			i = p.comment(i)
		} else if i+1 < len(p.s) && asciiLetter(p.s[i+1]) {
			i = p.element(i)
		} else {
			i++
		}
	}
}

func (p *page) comment(i int) int {
	end, next := len(p.s), len(p.s)
	if k := strings.Index(p.s[i+4:], "-->"); k >= 0 {
		end, next = i+4+k, i+4+k+3
	}
	if wordy(p.s[i+4 : end]) {
		p.n.conceal(HTMLComment, HTMLComment, strings.TrimSpace(p.s[i+4:end]), i+4, end)
	}
	return next
}

// wordy reports whether s is more than a name or a number.
func wordy(s string) bool {
	letters := 0
	for _, r := range s {
		if r >= 0x80 || asciiLetter(byte(r)) {
			if letters++; letters >= 8 {
				return true
			}
		}
	}
	return false
}

// element looks at the tag at i, and returns where to go on: after the tag, or
// after what is inside if that is not shown.
func (p *page) element(i int) int {
	t := parseTag(p.s, i)
	p.attributes(t)
	switch {
	case t.name == "script" || t.name == "style":
		_, next := inside(p.s, t)
		if t.name == "style" {
			p.sheets()
		}
		return next
	case void[t.name] || t.closed && !p.hides(t):
		return t.end
	case t.name == "details":
		p.folded(t)
	case p.hides(t):
		end, next := inside(p.s, t)
		if text := visible(p.s[t.end:end]); wordy(text) || strings.Contains(p.s[t.end:end], "<!--") {
			p.n.conceal(CSSHidden, CSSHidden, keepMarkup(p.s[t.end:end], text), t.end, end)
		}
		return next
	}
	return t.end
}

// folded takes out what is shown only when somebody opens it. With nothing to click
// on that is nobody.
func (p *page) folded(t tag) {
	for _, a := range t.attrs {
		if a.name == "open" {
			return
		}
	}
	if t.start < p.unfolded {
		return // a part of what was taken out
	}
	end, _ := inside(p.s[:runeStart(p.s, min(len(p.s), t.end+maxTag))], t)
	p.unfolded = end
	text := visible(p.s[t.end:end])
	if !wordy(text) {
		return
	}
	kind := ""
	if rest := strings.TrimSpace(p.s[t.end:end]); strings.HasPrefix(rest, "<summary></") || strings.HasPrefix(rest, "<summary> </") {
		kind = CSSHidden
	}
	p.n.conceal(kind, CSSHidden, text, t.end, end)
}

func runeStart(s string, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// keepMarkup returns what is hidden once more inside of hidden text as it is.
func keepMarkup(raw, text string) string {
	if strings.Contains(raw, "<!--") {
		return raw
	}
	return text
}

var void = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true, "link": true,
	"meta": true, "source": true, "track": true, "wbr": true,
}

// spoken are attributes with text that is shown rarely or never.
var spoken = map[string]bool{
	"alt": true, "title": true, "aria-label": true, "aria-description": true, "placeholder": true, "content": true, "summary": true, "label": true,
}

// attributes takes sentences out of a tag.
func (p *page) attributes(t tag) {
	for _, a := range t.attrs {
		if (spoken[a.name] || strings.HasPrefix(a.name, "data-") || a.name == "value") && len(a.value) >= 20 && strings.Count(a.value, " ") >= 3 {
			p.n.conceal("", "html-attribute", unescapeAll(a.value), a.start, a.end)
		}
	}
}

// hides reports whether the style of an element keeps it from being seen.
func (p *page) hides(t tag) bool {
	if t.name == "template" || p.unseen["element "+t.name] {
		return true
	}
	for _, a := range t.attrs {
		if p.unseen["with "+a.name] {
			return true
		}
		switch a.name {
		case "style":
			if invisibleStyle(a.value) {
				return true
			}
		case "hidden":
			return a.value != "until-found"
		case "color", "fill":
			if (a.name == "color" || t.name == "text" || t.name == "tspan") && white[strings.ToLower(a.value)] {
				return true
			}
		case "class", "id":
			for name := range strings.FieldsSeq(a.value) {
				if p.unseen[a.name+" "+name] {
					return true
				}
			}
		}
	}
	return false
}

// maxUnseen is how many classes and ids of one page are kept.
const maxUnseen = 1000

// sheets reads, once, which classes, ids and elements the page's style sheets hide.
func (p *page) sheets() {
	if p.styled {
		return
	}
	p.styled, p.unseen = true, map[string]bool{}
	for rest := p.s; ; {
		if len(p.unseen) >= maxUnseen {
			p.n.overfull = true
			return
		}
		_, after, ok := strings.Cut(rest, "<style")
		if !ok {
			return
		}
		sheet, more, _ := strings.Cut(after, "</style")
		_, sheet, _ = strings.Cut(sheet, ">")
		rest = more
		for sheet != "" {
			var rule string
			rule, sheet, _ = strings.Cut(sheet, "}")
			selectors, style, _ := strings.Cut(rule, "{")
			if invisibleStyle(style) {
				p.hiddenBy(selectors)
			}
		}
	}
}

func (p *page) hiddenBy(selectors string) {
	for sel := range strings.SplitSeq(selectors, ",") {
		sel = strings.TrimSpace(sel)
		if k := strings.LastIndexAny(sel, ".#"); k >= 0 && !strings.ContainsAny(sel[k:], " :>[") {
			kind := map[byte]string{'.': "class ", '#': "id "}[sel[k]]
			p.unseen[kind+sel[k+1:]] = true
		} else if k < 0 && sel != "" && !strings.ContainsAny(sel, " :>[*@/") {
			p.unseen["element "+strings.ToLower(sel)] = true
		} else if name, ok := strings.CutPrefix(sel, "["); ok && strings.HasSuffix(name, "]") && !strings.ContainsAny(name, " =") {
			p.unseen["with "+strings.ToLower(strings.TrimSuffix(name, "]"))] = true
		}
	}
}
