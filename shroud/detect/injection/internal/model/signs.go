package model

import (
	"bytes"
	"slices"
)

// signAt is the idea of a run of signs, if it has one.
func (s *scan) signAt(i int) Idea {
	t := &s.tokens[i]
	rest := s.buf[t.from:]
	n := t.to - t.from
	switch rest[0] {
	case '<':
		switch {
		case n == 2 && bytes.HasPrefix(rest, []byte("<<sys")), n == 1 && roleTag(rest[1:]):
			return s.sign + signRole
		case n == 1 && bytes.HasPrefix(rest, []byte("<!--")):
			return s.sign + signComment
		}
	case '[':
		if roleTag(rest[1:]) {
			return s.sign + signRole
		}
	case '#', '-', '=', '*', '_', '~':
		if n >= 2 && rest[0] == '#' && len(rest) > int(n)+1 && roleName(bytes.TrimLeft(rest[n:], " ")) {
			return s.sign + signRole
		}
		if n >= 3 {
			return s.sign + signSep
		}
	case '!':
		if n > 1 {
			return s.sign + signExcl
		}
	case '@':
		if i > 0 && i+1 < len(s.tokens) && s.tokens[i-1].to == t.from && s.tokens[i+1].from == t.to && t.from > 0 {
			return s.sign + signMail
		}
	case ':':
		if bytes.HasPrefix(rest, []byte("://")) {
			return s.sign + signURL
		}
	}
	return 0
}

// roleTag reports whether what follows an opening bracket makes it a mark of
// who speaks: <|im_start|>, [INST], </system>, <important>.
func roleTag(b []byte) bool {
	if len(b) > 0 && b[0] == '|' {
		return len(b) > 2 && (asciiKind[b[1]&0x7F] == letter || b[1] == '/')
	}
	if len(b) > 0 && b[0] == '/' {
		b = b[1:]
	}
	return roleName(b)
}

var roles = [][]byte{
	[]byte("system"), []byte("inst"), []byte("/inst"), []byte("instruction"), []byte("instructions"), []byte("assistant"),
	[]byte("user"), []byte("human"), []byte("developer"), []byte("sys"), []byte("important"), []byte("information"),
	[]byte("admin"), []byte("prompt"), []byte("end_of_turn"), []byte("start_of_turn"), []byte("response"), []byte("new_instructions"),
	[]byte("system_prompt"), []byte("context"), []byte("rules"), []byte("hidden"), []byte("inject"), []byte("override"),
}

// roleName reports whether b begins with the name of a role, as a whole word.
func roleName(b []byte) bool {
	end := 0
	for end < len(b) && (b[end] == '_' || b[end] == '/' && end == 0 || !wordEnd(b[end])) && end < 20 {
		end++
	}
	name := b[:end]
	return end > 2 && slices.ContainsFunc(roles, func(r []byte) bool { return bytes.Equal(name, r) })
}

// speakers begin a line of a conversation that somebody wrote down, or made up.
var speakers = [][]byte{
	[]byte("system"), []byte("assistant"), []byte("user"), []byte("human"), []byte("ai"), []byte("developer"), []byte("admin"),
}

// roleWord is signRole for "system:" and the like at the beginning of a line.
func (s *scan) roleWord(i int) Idea {
	t := &s.tokens[i]
	if t.flags&lineStart == 0 || int(t.to) >= len(s.buf) || s.buf[t.to] != ':' {
		return 0
	}
	name := s.buf[t.from:t.to]
	if slices.ContainsFunc(speakers, func(r []byte) bool { return bytes.Equal(name, r) }) {
		return s.sign + signRole
	}
	return 0
}
