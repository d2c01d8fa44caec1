package pii

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxLocal  = 64 // RFC 5321
	maxDomain = 253
)

// emails finds addresses around their @.
func (f *finder) emails() {
	for at := strings.IndexByte(f.text, '@'); at >= 0; {
		if start, end, ok := f.emailAround(at); ok {
			f.add(Match{Type: Email, Start: start, End: end, Score: 0.95, Why: "a mailbox, @ and a domain"})
		}
		next := strings.IndexByte(f.text[at+1:], '@')
		if next < 0 {
			return
		}
		at += 1 + next
	}
}

func (f *finder) emailAround(at int) (start, end int, ok bool) {
	start = f.localBefore(at)
	end = f.domainAfter(at + 1)
	if start == at || end == 0 || at-start > maxLocal {
		return 0, 0, false
	}
	if f.isUserinfo(start, end) {
		return 0, 0, false
	}
	return start, end, true
}

// localBefore is where the mailbox before the @ begins, or at if there is none.
func (f *finder) localBefore(at int) int {
	if at > 1 && f.text[at-1] == '"' {
		if open := strings.LastIndexByte(f.text[max(0, at-maxLocal):at-1], '"'); open >= 0 {
			return max(0, at-maxLocal) + open
		}
	}
	start := at
	for start > 0 && at-start <= maxLocal {
		r, size := utf8.DecodeLastRuneInString(f.text[:start])
		if !isAtext(r) {
			break
		}
		start -= size
	}
	for start < at && strings.IndexByte(".'`*/=|{}&?#!^~$%-", f.text[start]) >= 0 {
		start++
	}
	if start < at && f.text[at-1] == '.' {
		return at
	}
	return start
}

func isAtext(r rune) bool {
	if r < utf8.RuneSelf {
		return isAlnum(byte(r)) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", byte(r)) >= 0
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}

// domainAfter is where the domain that begins at i ends, or 0 if it is none.
func (f *finder) domainAfter(i int) int {
	j := i
	label, last := i, i // where the label began, where the last dot was
	for j < len(f.text) && j-i <= maxDomain {
		r, size := utf8.DecodeRuneInString(f.text[j:])
		switch {
		case r == '.' && j > label:
			last, label = j, j+1
		case r == '-' && j > label, r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)):
		default:
			return f.endOfDomain(i, last, label, j)
		}
		j += size
	}
	return f.endOfDomain(i, last, label, j)
}

// endOfDomain leaves off a dot that ends the sentence, and wants a top-level
// domain of letters.
func (f *finder) endOfDomain(i, last, label, j int) int {
	if label == j { // a trailing dot
		j = last
		last = i + max(0, strings.LastIndexByte(f.text[i:j], '.'))
	}
	for j > last+1 && f.text[j-1] == '-' {
		j--
	}
	if last == i || j-last < 3 || !topLevel(f.text[last+1:j]) {
		return 0
	}
	return j
}

// topLevel reports whether a domain may end so. Names of files do not: a
// picture for dense screens is called logo@2x.png.
func topLevel(s string) bool {
	if strings.HasPrefix(s, "xn--") {
		return true
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "js", "ts", "jsx", "tsx", "mjs", "json", "yaml", "yml", "toml", "txt", "png", "jpg", "jpeg", "gif", "svg", "webp",
		"css", "scss", "html", "htm", "xml", "pdf", "csv", "exe", "dll", "conf", "cfg", "ini", "lock", "service", "local", "lan", "internal":
		return false
	}
	return len(s) <= 24
}

// isUserinfo reports whether what looks like an address is the user of a URL
// or of an SSH remote.
func (f *finder) isUserinfo(start, end int) bool {
	before := f.text[max(0, start-80):start]
	if strings.HasSuffix(before, "//") {
		return true
	}
	if strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "mailto:") {
		if i := strings.LastIndex(before, "://"); i >= 0 && !strings.ContainsAny(before[i+3:], " \t\n\"'<>") {
			return true
		}
	}
	return strings.HasPrefix(f.text[start:], "git@") && strings.HasPrefix(f.text[end:], ":")
}
