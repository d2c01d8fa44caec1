package httpapi

import (
	"html"
	"strings"
)

// markup is HTML that was written here: a file of the folder page, with its places
// filled. html/template, which would do more, finds fields and methods by name, and
// so has the linker keep every method of the program (ADR 0037).
type markup string

// place is what comes in the place {{name}} of a piece of a page.
type place struct {
	name string
	html markup
}

// text is for a place between tags or in double quotes, and escaped for both. Pieces
// have places nowhere else.
func text(name, s string) place { return place{name, markup(html.EscapeString(s))} }

// part is for a place that other pieces come into, or none.
func part(name string, pieces ...markup) place {
	var all markup
	for _, p := range pieces {
		all += p
	}
	return place{name, all}
}

// piece is an embedded piece of a page with its places filled.
func piece(name string, places ...place) markup {
	pairs := make([]string, 0, 2*len(places))
	for _, p := range places {
		pairs = append(pairs, "{{"+p.name+"}}", string(p.html))
	}
	return markup(strings.NewReplacer(pairs...).Replace(string(pageFile("page/" + name + ".html"))))
}

func pageFile(name string) []byte {
	body, err := pageFiles.ReadFile(name)
	if err != nil {
		panic("httpapi: an embedded file is missing: " + err.Error())
	}
	return body
}
