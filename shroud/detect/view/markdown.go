package view

import "strings"

// markdown finds what Markdown does not render: definitions used as comments, and
// titles and alternative texts with sentences in them.
func (n *Normal) markdown() {
	s := n.Text
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], ']')
		if k < 0 || i+k+2 >= len(s) {
			return
		}
		at := i + k + 1
		open := strings.LastIndexByte(s[i:at], '[')
		switch open += i; {
		case open < i:
			i = at
		case s[at] == ':':
			i = n.definition(open, at)
		case s[at] == '(':
			i = n.linkTitle(open, at)
		default:
			i = at
		}
	}
}

// maxTitle is how long a link or what is hidden in a definition may be.
const maxTitle = 8 << 10

// definition reads "[label]: target (title)", whose brackets are at open and
// before i, and returns where to go on.
func (n *Normal) definition(open, i int) int {
	s := n.Text
	if before := strings.TrimRight(s[max(0, open-4):open], " "); before != "" && before[len(before)-1] != '\n' && before[len(before)-1] != '>' {
		return i
	}
	label := s[open+1 : i-1]
	k := skipBlanks(s, i+1)
	from := k
	for k < len(s) && !asciiSpace(s[k]) {
		k++
	}
	target := s[from:k]
	k = skipBlanks(s, k)
	if k < len(s) && s[k] == '\n' {
		k = skipBlanks(s, k+1)
	}
	if k >= len(s) || strings.IndexByte("(\"'", s[k]) < 0 {
		return i
	}
	end := titleEnd(s, k)
	title := s[k+1 : end]
	if !wordy(title) {
		return end
	}
	kind := ""
	if commentLabel(label) || target == "#" || target == "<>" {
		kind = Markdown
	} else if strings.Count(title, " ") < 3 {
		return end
	}
	n.conceal(kind, Markdown, title, k+1, end)
	return end
}

// commentLabel reports whether a label is one that nobody links to.
func commentLabel(label string) bool {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "//", "comment", "#", "_", "hidden", "note", "/":
		return true
	}
	return strings.HasPrefix(label, "//")
}

func skipBlanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// titleEnd finds the end of the title that opens at k: the last closing sign that
// ends a line before an empty line, else the first.
func titleEnd(s string, k int) int {
	closing := map[byte]byte{'(': ')', '"': '"', '\'': '\''}[s[k]]
	block := s[k+1 : min(len(s), k+maxTitle)]
	if n := strings.Index(block, "\n\n"); n >= 0 {
		block = block[:n]
	}
	first := -1
	for at := 0; ; {
		n := strings.IndexByte(block[at:], closing)
		if n < 0 {
			break
		}
		at += n
		if first < 0 {
			first = at
		}
		if rest := strings.TrimLeft(block[at+1:], " \t\r"); rest == "" || rest[0] == '\n' {
			return k + 1 + at
		}
		at++
	}
	if first < 0 {
		first = len(block)
	}
	return k + 1 + first
}

// linkTitle takes the title out of [text](target "title"), and the text too if it
// stands for a picture.
func (n *Normal) linkTitle(open, i int) int {
	s := n.Text
	if alt := s[open+1 : i-1]; open > 0 && s[open-1] == '!' && strings.Count(alt, " ") >= 3 && wordy(alt) {
		n.conceal("", Markdown, alt, open+1, i-1)
	}
	line := s[i:min(len(s), i+maxTitle)]
	end := strings.IndexAny(line, ")\n")
	if end < 0 {
		return i + len(line)
	}
	if from := strings.IndexByte(line[:end], '"'); from >= 0 { // a title may hold brackets and lines
		if to := strings.Index(line[from:], "\")"); to > 0 {
			if strings.Count(line[from:from+to], " ") >= 3 {
				n.conceal("", Markdown, line[from+1:from+to], i+from+1, i+from+to)
			}
			return i + from + to + 2
		}
	}
	return i + end
}
