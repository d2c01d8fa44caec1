package view

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
)

// Bounds of what is decompressed: how many times in one text, and to how many bytes each.
const (
	maxInflated = 32
	maxInflate  = 64 << 10
)

// compressed hands over text that decoded bytes are when they are unpacked, and reports so.
// Only the beginning of what is large is looked at.
func (c *scanner) compressed(chain string, b []byte, start, end int) bool {
	if !packed(b) {
		return false
	}
	if c.inflated++; c.inflated > maxInflated {
		c.skipped = true
		return false
	}
	text, more := inflate(string(b))
	c.skipped = c.skipped || more
	if n := readableTo(text); n < 6 || n < len(text) && n*2 < len(text) {
		return false
	}
	c.found(chain+" compressed", text, start, end)
	return true
}

// packed reports whether bytes begin as gzip and zlib do.
func packed(b []byte) bool {
	return len(b) >= 12 && (b[0] == 0x1F && b[1] == 0x8B && b[2] == 8 || b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0)
}

// inflate unpacks what b begins with, as far as that goes, and reports whether there is more.
func inflate(b string) (text string, more bool) {
	var r io.Reader
	var err error
	if b[0] == 0x1F {
		r, err = gzip.NewReader(strings.NewReader(b))
	} else {
		r, err = zlib.NewReader(strings.NewReader(b))
	}
	if err != nil {
		return "", false
	}
	out, _ := io.ReadAll(io.LimitReader(r, maxInflate+1)) // what was cut off at the end is read as far as it goes
	if more = len(out) > maxInflate; more {
		out = out[:maxInflate]
	}
	return string(out), more
}
