package redact

import (
	"bytes"
	"math/bits"
)

// shortestPart is the length from which a part of a value is looked for by itself.
const shortestPart = 20

// parts calls use with what is secret of a structured value by itself: the long random
// words of several lines or of a document, the password of a URL. What is not random (the names
// of fields, an address) is everybody's.
func parts(v []byte, use func([]byte)) {
	if p := password(v); len(p) >= Shortest {
		use(p)
	}
	if !bytes.ContainsAny(v, "\n{\\") {
		return
	}
	for len(v) > 0 {
		n := 0
		for n < len(v) && wordByte(v[n]) {
			n++
		}
		if random(v[:n]) {
			use(v[:n])
		}
		if n+1 < len(v) && v[n] == '\\' { // the letter of an escaped line break begins no word
			n++
		}
		v = v[min(n+1, len(v)):]
	}
}

// password is the password of v, if v is a URL that has one.
func password(v []byte) []byte {
	_, rest, ok := bytes.Cut(v, []byte("://"))
	if !ok {
		return nil
	}
	if end := bytes.IndexAny(rest, "/?# \n"); end >= 0 {
		rest = rest[:end]
	}
	_, secret, ok := bytes.Cut(rest[:max(0, bytes.LastIndexByte(rest, '@'))], []byte(":"))
	if !ok {
		return nil
	}
	return secret
}

// wordByte says whether c is in the alphabets that keys are written in.
func wordByte(c byte) bool {
	return class(c) < 3 && c != ' ' || bytes.IndexByte([]byte("+/_-.=~"), c) >= 0
}

// random says whether a word looks drawn and not written: long, of several classes, with
// many different characters.
func random(word []byte) bool {
	if len(word) < shortestPart {
		return false
	}
	var seen [4]uint64
	classes, turns, last := 0, 0, -1
	for _, c := range word {
		seen[c>>6] |= 1 << (c & 63)
		k := class(c)
		classes |= 1 << k
		if k < 3 && k != last {
			turns++
			last = k
		}
	}
	different := 0
	for _, s := range seen {
		different += bits.OnesCount64(s)
	}
	return classes&4 != 0 && classes&3 != 0 && different >= 10 && turns*5 >= len(word)
}
