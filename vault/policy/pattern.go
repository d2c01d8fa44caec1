package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pattern selects secret paths. It is compared with a path segment by segment:
//
//	**      zero or more whole segments
//	*       exactly one whole segment
//	key-*   one segment; each * stands for zero or more of its characters
//	other   itself, case-sensitive
//
// and must match all of the path. So api-keys/* matches neither api-keys nor
// api-keys/a/b, and prod/** matches prod itself.
//
// A Pattern is immutable and comparable: equal means written alike. The zero
// Pattern matches nothing.
type Pattern struct {
	// The source is also the compiled form. Matching reads it left to right and
	// mostly stops within the first segment, so a parsed form would cost more to
	// load than it saves, and a policy stays small in memory.
	src string
}

// ParsePattern reads a pattern. It refuses, with ErrPattern, what could match
// no canonical path or could be read in two ways: an empty text or segment, a
// slash at either end, "." and ".." segments, control characters, invalid
// UTF-8, more than MaxLength bytes, and ** as a part of a segment (prod/a**
// looks as if it crossed slashes).
func ParsePattern(s string) (Pattern, error) {
	switch {
	case s == "":
		return Pattern{}, ErrPattern.Detail("pattern: must not be empty")
	case len(s) > MaxLength:
		return Pattern{}, ErrPattern.Detail("pattern: longer than %d bytes", MaxLength)
	case !utf8.ValidString(s):
		return Pattern{}, ErrPattern.Detail("pattern: not valid UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return Pattern{}, ErrPattern.Detail("pattern: control characters are not allowed")
	}
	for seg := range strings.SplitSeq(s, "/") {
		switch {
		case seg == "":
			return Pattern{}, ErrPattern.Detail("pattern: no slash at either end, no empty segment")
		case seg == "." || seg == "..":
			return Pattern{}, ErrPattern.Detail("pattern: dot segments are not allowed")
		case seg != "**" && strings.Contains(seg, "**"):
			return Pattern{}, ErrPattern.Detail("pattern: ** must be a whole segment")
		}
	}
	return Pattern{src: s}, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.src }

// MarshalText implements encoding.TextMarshaler. The zero Pattern cannot be
// marshalled, since it could not be read back.
func (p Pattern) MarshalText() ([]byte, error) {
	if p.src == "" {
		return nil, ErrPattern.Detail("pattern: must not be empty")
	}
	return []byte(p.src), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with ParsePattern.
func (p *Pattern) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePattern(string(b))
	return err
}

// Match reports whether p selects path. A path that is not canonical is never
// matched, whatever the pattern.
func (p Pattern) Match(path string) bool {
	return CanonicalPath(path) && p.matchCanonical(path)
}

func (p Pattern) matchCanonical(path string) bool {
	if p.src == "" {
		return false
	}
	ok, _ := match(p.src, path)
	return ok
}

// match compares a pattern with a canonical path and counts the comparisons
// that took, for the test of its bound.
//
// Only the last ** is ever tried again: what stands between two ** has a fixed
// number of segments, so taking its leftmost fit leaves the most room for the
// rest, and an earlier ** could only do worse. That bounds the work by pattern
// segments times path segments, where trying all of them is exponential.
func match(pat, path string) (ok bool, steps int) {
	p, s := 0, 0                 // where the current segments begin
	retryPat, retryPath := -1, 0 // where to go on after the last **
	for s <= len(path) {
		if p <= len(pat) {
			seg, nextPat := segment(pat, p)
			if seg == "**" {
				if nextPat > len(pat) {
					return true, steps
				}
				p, retryPat, retryPath = nextPat, nextPat, s
				continue
			}
			name, nextPath := segment(path, s)
			fits, n := matchSegment(seg, name)
			steps += n
			if fits {
				p, s = nextPat, nextPath
				continue
			}
		}
		if retryPat < 0 {
			return false, steps
		}
		_, retryPath = segment(path, retryPath) // ** takes one segment more
		p, s = retryPat, retryPath
	}
	for p <= len(pat) { // the path is used up: only ** can match nothing
		seg, next := segment(pat, p)
		if seg != "**" {
			return false, steps
		}
		p = next
	}
	return true, steps
}

// segment returns the segment of s that begins at i and where the next one
// begins, which is len(s)+1 after the last.
func segment(s string, i int) (seg string, next int) {
	if n := strings.IndexByte(s[i:], '/'); n >= 0 {
		return s[i : i+n], i + n + 1
	}
	return s[i:], len(s) + 1
}

// matchSegment compares within one segment, again taking each literal piece at
// its leftmost fit. It returns the number of string comparisons too.
func matchSegment(seg, name string) (ok bool, steps int) {
	star := strings.IndexByte(seg, '*')
	if star < 0 {
		return seg == name, 1
	}
	if !strings.HasPrefix(name, seg[:star]) {
		return false, 1
	}
	name, seg = name[star:], seg[star+1:]
	for steps = 1; ; steps++ {
		star = strings.IndexByte(seg, '*')
		if star < 0 {
			return strings.HasSuffix(name, seg), steps
		}
		i := strings.Index(name, seg[:star])
		if i < 0 {
			return false, steps
		}
		name, seg = name[i+star:], seg[star+1:]
	}
}
