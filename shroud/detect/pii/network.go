package pii

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// ipv4 tries the address that may begin with token i.
func (f *finder) ipv4(i int) {
	start := int(f.tokens[i].start)
	if start > 0 && strings.IndexByte(".-:_/", f.text[start-1]) >= 0 && (start < 2 || isAlnum(f.text[start-2]) || f.text[start-1] == '.') {
		return
	}
	end := start
	for end < len(f.text) && end-start < 16 && (isAlnumDigit(f.text[end]) || f.text[end] == '.') {
		end++
	}
	s := strings.TrimRight(f.text[start:end], ".")
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return
	}
	end = start + len(s)
	if end < len(f.text) && (isAlnum(f.text[end]) || f.text[end] == '_' || f.text[end] == '-' && end+1 < len(f.text) && isAlnum(f.text[end+1])) {
		return
	}
	near := f.topics(i, min(i+3, len(f.tokens)-1))
	score := 0.85
	switch {
	case near&aVersion != 0 && near&anIP == 0:
		score = 0.3
	case addr.IsPrivate(), addr.IsLoopback(), f.prefixEnd(end, 32) > end:
	case near&anIP == 0 && len(s) < 9 && !addr.IsUnspecified() && !same(strings.ReplaceAll(s, ".", "")):
		score = 0.45 // 1.2.3.4 and the like: versions, numbers of sections
	}
	f.addIP(addr, start, f.prefixEnd(end, 32), score)
}

// prefixEnd takes in the length of a prefix that follows an address.
func (f *finder) prefixEnd(end, most int) int {
	if end >= len(f.text) || f.text[end] != '/' {
		return end
	}
	j, n := end+1, 0
	for j < len(f.text) && j < end+4 && isAlnumDigit(f.text[j]) {
		n = n*10 + int(f.text[j]-'0')
		j++
	}
	if j == end+1 || n > most || j < len(f.text) && isAlnum(f.text[j]) {
		return end
	}
	return j
}

func (f *finder) addIP(addr netip.Addr, start, end int, score float64) {
	m := Match{Type: IP, Start: start, End: end, Score: score, Why: "an address that parses"}
	if a := addr.Unmap(); a.IsLoopback() || a.IsPrivate() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		m.Severity, m.Why = Low, "an address that parses, of no public network"
	}
	f.add(m)
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// maxColons is how long an IPv6 address with a tail of IPv4 may be.
const maxColons = 45

// colons finds what is written in hexadecimal groups with colons: IPv6 and MAC
// addresses.
func (f *finder) colons() {
	for at := 0; at < len(f.text); {
		i := strings.IndexByte(f.text[at:], ':')
		if i < 0 {
			return
		}
		i += at
		start := i
		for start > at && i-start < 5 && isHex(f.text[start-1]) {
			start--
		}
		end := i
		for end < len(f.text) && (isHex(f.text[end]) || f.text[end] == ':' || f.text[end] == '.') {
			end++
		}
		at = end
		for end > i+1 && (f.text[end-1] == '.' || f.text[end-1] == ':' && f.text[end-2] != ':') {
			end--
		}
		if s := f.text[start:end]; s == "::" && start > 0 && strings.IndexByte(" \n\t\"'`=[(", f.text[start-1]) < 0 {
			continue
		}
		if end-start >= 2 && end-start <= maxColons && f.standsAlone(start, end) {
			f.colonRun(start, end)
		}
	}
}

func (f *finder) standsAlone(start, end int) bool {
	if start > 0 && (f.text[start-1] >= 0x80 || isAlnum(f.text[start-1]) || strings.IndexByte("_.-:)", f.text[start-1]) >= 0) {
		return false
	}
	return end >= len(f.text) || f.text[end] < 0x80 && !isAlnum(f.text[end]) && strings.IndexByte("_-=", f.text[end]) < 0
}

// colonRun looks at one run of groups.
func (f *finder) colonRun(start, end int) {
	s := f.text[start:end]
	if isMAC(s, ':') {
		f.add(Match{Type: MAC, Start: start, End: end, Score: 0.9, Why: "six or eight pairs of hexadecimal digits"})
		return
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return
	}
	score := 0.9
	if !strings.ContainsAny(s, "0123456789") || !strings.Contains(s, "::") && len(s) < 20 {
		score = 0.4 // names with scopes look like this
		if f.wordsAround(start, end)&anIP != 0 || f.prefixEnd(end, 128) > end || start > 0 && f.text[start-1] == '[' || f.bare {
			score = 0.8
		}
	}
	f.addIP(addr, start, f.prefixEnd(f.zoneEnd(end), 128), score)
}

// zoneEnd takes in the interface that follows a link-local address.
func (f *finder) zoneEnd(end int) int {
	if end >= len(f.text) || f.text[end] != '%' {
		return end
	}
	j := end + 1
	for j < len(f.text) && j-end < 16 && isAlnum(f.text[j]) {
		j++
	}
	if j == end+1 {
		return end
	}
	return j
}

// isMAC reports whether s is six or eight pairs between separators.
func isMAC(s string, sep byte) bool {
	if len(s) != 17 && len(s) != 23 {
		return false
	}
	for i := range len(s) {
		if i%3 == 2 && s[i] != sep || i%3 != 2 && !isHex(s[i]) {
			return false
		}
	}
	return true
}

// dashedMAC tries the MAC address with dashes, or with dots as on a switch,
// that may begin with token i.
func (f *finder) dashedMAC(i int) {
	at := int(f.tokens[i].start)
	for _, n := range []int{23, 17} {
		if at+n <= len(f.text) && isMAC(f.text[at:at+n], '-') && f.standsAlone(at, at+n) {
			f.add(Match{Type: MAC, Start: at, End: at + n, Score: 0.85, Why: "six or eight pairs of hexadecimal digits"})
			return
		}
	}
	if at+14 <= len(f.text) && f.text[at+4] == '.' && f.text[at+9] == '.' && allHex(f.text[at:at+4]+f.text[at+5:at+9]+f.text[at+10:at+14]) &&
		f.standsAlone(at, at+14) && strings.ContainsAny(f.text[at:at+14], "abcdefABCDEF") {
		f.add(Match{Type: MAC, Start: at, End: at + 14, Score: 0.8, Why: "three groups of four hexadecimal digits"})
	}
}

func allHex(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

// wordsAround is topics for a span that is not one of tokens.
func (f *finder) wordsAround(start, end int) topic {
	first, _ := slices.BinarySearchFunc(f.tokens, start, func(t token, at int) int { return cmp.Compare(int(t.start), at) })
	last, _ := slices.BinarySearchFunc(f.tokens, end, func(t token, at int) int { return cmp.Compare(int(t.start), at) })
	return f.topicsAround(first, last-1, start, end)
}
