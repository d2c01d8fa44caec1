package secret

import "strings"

// value is a text that is assigned to a name.
type value struct {
	start, end int
	quoted     bool
	loose      bool // there is only a space, or a word, between the name and it
	marked     bool // the name is an option of a command
	constant   bool // the name is written as those of environment variables are
	said       bool // the text says that the name is the value
	firm       bool // there is a sign of assignment between them
}

// valueAfter finds what is assigned to the name at [start,end).
func valueAfter(t string, start, end int) (v value, ok bool) {
	v.marked = t[start] == '-' || start > 0 && t[start-1] == '-'
	v.constant = constant(t[start:end])
	i := end
	for k := 0; i < len(t) && k < 16 && strings.IndexByte(" \t\"'`])}\\*&", t[i]) >= 0; k++ {
		i++
	}
	if at, ok := otherField(t, i); ok {
		v.firm = true
		return quoted(t, at, v)
	}
	i = skipType(t, i)
	for i+1 < len(t) && t[i] == '-' && i > end && (t[i+1] == '-' || t[i-1] == '-') {
		i++ // a rule of dashes between two columns
	}
	for i > end+2 && i < len(t) && t[i-1] == '-' && (t[i] == '-' || t[i] == ' ') {
		i++
	}
	operator := i
	if hasFold(t[i:], "%3d") {
		i += len("%3d")
	}
	for i < len(t) && i-operator < 5 && strings.IndexByte("=:>?,|.~", t[i]) >= 0 {
		i++
	}
	if i == operator {
		if i == end || i >= len(t) {
			return v, false
		}
		v.loose = true
		for _, word := range []string{"is ", "are ", "to ", "was ", "= "} {
			if hasFold(t[i:], word) {
				i, v.said = i+len(word), true
				break
			}
		}
	} else if sign := t[operator:i]; sign == "." || sign == "|" || strings.Contains(sign, "?") && !strings.Contains(sign, "=") {
		return v, false
	}
	v.firm = strings.ContainsAny(t[operator:i], "=:>%")
	for k := 0; i < len(t) && k < 12 && (space(t[i]) || strings.IndexByte("([{=", t[i]) >= 0); k++ {
		i++
	}
	return quoted(t, i, v)
}

// constant says whether a name is written as those of environment variables are.
func constant(called string) bool {
	return strings.IndexByte(called, '_') > 0 && strings.ToUpper(called) == called
}

// otherField is where the value of a name begins that is in the field after it, as in
// {"name": "PASSWORD", "value": "x"} and its like in YAML and XML.
func otherField(t string, i int) (at int, ok bool) {
	for k := 0; i < len(t) && k < 24 && (space(t[i]) || strings.IndexByte("\"',<>", t[i]) >= 0); k++ {
		i++
	}
	if !hasFold(t[i:], "value") {
		return 0, false
	}
	i += len("value")
	operators := 0
	for k := 0; i < len(t) && k < 8 && (space(t[i]) || strings.IndexByte("\"':=>", t[i]) >= 0); k++ {
		if t[i] == ':' || t[i] == '=' || t[i] == '>' {
			operators++
		} else if operators > 0 && !space(t[i]) {
			break
		}
		i++
	}
	return i, operators > 0
}

// skipType steps over a type between a name and its operator, and over what follows it.
func skipType(t string, i int) int {
	for _, word := range []string{"string ", ": string ", ": str ", ": &str ", ": final ", "&quot;", "varchar "} {
		if hasFold(t[min(i, len(t)):], word) {
			return i + len(word)
		}
	}
	return i
}

// longestValue is how much of a value is looked at.
const longestValue = 512

// quoted takes the value that begins at i, in quotes or up to what ends a word.
func quoted(t string, i int, v value) (value, bool) {
	for _, open := range []string{`\"`, `\'`, "&quot;", "b'", `b"`, "r'", `r"`, `@"`, `f"`, `u'`} {
		if strings.HasPrefix(t[i:], open) {
			i += len(open) - 1
			break
		}
	}
	if i >= len(t) {
		return v, false
	}
	stop := " \t\r\n\"'`;,<>()[]{}|\\&"
	if hasFold(t[max(0, i-3):], "%3d") {
		stop += "%"
	}
	if rest := t[i:]; strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, "'''") {
		i += 2
	}
	if c := t[i]; c == '"' || c == '\'' || c == '`' {
		i, v.quoted, stop = i+1, true, string(c)+"\r\n\\"
	} else if c == ';' { // the end of &quot;
		i, v.quoted, stop = i+1, true, "&\r\n"
	}
	v.start = i
	for i < len(t) && i-v.start < longestValue && strings.IndexByte(stop, t[i]) < 0 {
		i++
	}
	v.end = i
	if v.quoted && (i >= len(t) || t[i] == '\r' || t[i] == '\n') && !strings.ContainsAny(t[v.start:i], " \t") {
		v.quoted = false // the quote is not closed: an excerpt
	}
	if !v.quoted {
		if i < len(t) && strings.IndexByte("([{", t[i]) >= 0 || !v.firm && !v.loose {
			return v, false // a call; one name after another
		}
		for v.end > v.start && strings.IndexByte(".!?:", t[v.end-1]) >= 0 && v.end-v.start < 24 && (v.end == len(t) || space(t[v.end])) && t[v.end-1] != '!' {
			v.end--
		}
	}
	return v, v.end > v.start
}
