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

// least is how many bytes are disguised where a text is.
const least = 24

// Disguised reports whether half of a text of size bytes or more is not what it looks like:
// letters that only look like those of its words, or that nobody sees.
func Disguised(tricks []view.Trick, size int) bool {
	covered := 0
	for _, t := range tricks {
		switch t.Kind {
		case view.ZeroWidth, view.Tags, view.Selectors, view.HiddenBits, view.Bidi, view.Homoglyph:
			covered += t.End - t.Start
		}
	}
	return covered >= least && 2*covered >= size
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
