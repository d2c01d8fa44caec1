package secret

// literals finds many short texts in one, whatever their case. It is an index by the first
// three letters, folded into five bits each: a place of ordinary text costs one
// look at a table.
type literals struct {
	some  [1 << 9]uint64  // a bit for each three letters: small enough for the nearest cache
	heads [1 << 15]uint16 // one more than the first of list
	list  []literal
}

type literal struct {
	text string // in lower case
	id   uint16 // of the caller
	next uint16 // one more than the next in list with these letters
}

// add enters text, which has two letters at least.
func (l *literals) add(text string, id uint16) {
	if len(text) > 2 {
		l.link(fold(text[0])<<10|fold(text[1])<<5|fold(text[2]), text, id)
		return
	}
	for third := range uint16(32) {
		l.link(fold(text[0])<<10|fold(text[1])<<5|third, text, id)
	}
}

func (l *literals) link(key uint16, text string, id uint16) {
	l.list = append(l.list, literal{text, id, l.heads[key]})
	l.heads[key] = uint16(len(l.list))
	l.some[key>>6] |= 1 << (key & 63)
}

// fold makes five bits of a byte, the same for a letter in either case.
func fold(c byte) uint16 { return uint16(c & 31) }

// find calls found with every literal that is in t, and where it begins.
func (l *literals) find(t string, found func(id uint16, at int)) {
	if len(t) < 3 {
		return
	}
	key := fold(t[0])<<5 | fold(t[1])
	for i := 2; i < len(t); i++ {
		key = key<<5&0x7fff | fold(t[i])
		if l.some[key>>6]>>(key&63)&1 == 0 {
			continue
		}
		for n := l.heads[key]; n != 0; {
			c := &l.list[n-1]
			if hasFold(t[i-2:], c.text) {
				found(c.id, i-2)
			}
			n = c.next
		}
	}
}

// hasFold says whether t begins with prefix, which is in lower case, in any case.
func hasFold(t, prefix string) bool {
	if len(t) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower(t[i]) != prefix[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c-'A' < 26 {
		return c + 'a' - 'A'
	}
	return c
}
