package main

import (
	"strings"
	"unicode"

	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// relate gives each bag the folds of which it holds a text in another form: what
// was derived from a text must be left out with it, and the other way round.
func relate(bags []*bag) {
	var keys []string
	for _, b := range bags {
		key := ""
		if !b.made && b.item.Family() != "derived" {
			key = letters(view.Normalise(b.item.Text).Text)
			key = key[:min(len(key), 40)]
		}
		keys = append(keys, key)
	}
	for _, d := range bags {
		if d.item.Family() != "derived" {
			continue
		}
		n := view.Normalise(d.item.Text)
		views, _ := view.Views(n, view.Budget{})
		for _, v := range views {
			text := letters(v.Text)
			for i, key := range keys {
				if len(key) >= 16 && strings.Contains(text, key) {
					d.related |= 1 << bags[i].group
					bags[i].related |= 1 << d.group
				}
			}
		}
	}
}

// letters is text without all else, in lower case.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}
