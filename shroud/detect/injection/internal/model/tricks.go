package model

import "github.com/oneclaw/oneclawd/shroud/detect/view"

// deceit are the kinds of tricks that ordinary writing has no use for.
var deceit = []string{
	view.ZeroWidth, view.Tags, view.Selectors, view.HiddenBits, view.Bidi, view.Homoglyph, view.FullWidth, view.Styled, view.Combining, view.Terminal,
}

// TrickBits is the set of kinds of tricks, of those that ordinary writing has
// no use for.
func TrickBits(tricks []view.Trick) (set uint32) {
	for _, t := range tricks {
		for i, kind := range deceit {
			if t.Kind == kind {
				set |= 1 << i
			}
		}
	}
	return set
}

// Hidden reports whether a view was taken from what a reader does not see.
func Hidden(chain []string) bool {
	for _, c := range chain {
		switch c {
		case view.HTMLComment, view.CSSHidden, view.Markdown, view.Tags, view.Selectors, view.HiddenBits:
			return true
		}
	}
	return false
}
