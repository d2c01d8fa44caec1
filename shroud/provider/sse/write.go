package sse

import (
	"bytes"
	"iter"
)

// Append writes an event. Data may have several lines; a name may be empty.
func Append(dst []byte, name string, data []byte) []byte {
	if name != "" {
		dst = append(append(append(dst, "event: "...), name...), '\n')
	}
	dst = appendData(dst, data, "\n")
	return append(dst, '\n')
}

// WithData is the event's bytes with other data. What else is in it stays.
func (e Event) WithData(dst, data []byte) []byte {
	written := false
	for line, end := range lines(e.Raw) {
		name, _ := field(line)
		if string(name) != "data" {
			dst = append(append(dst, line...), end...)
			continue
		}
		if !written {
			written = true
			if len(end) == 0 {
				end = []byte("\n")
			}
			dst = appendData(dst, data, string(end))
		}
	}
	return dst
}

// Rest is what is in an event beside its name and its data.
func (e Event) Rest() []byte {
	var rest []byte
	for line, end := range lines(e.Raw) {
		if name, _ := field(line); string(name) != "data" && string(name) != "event" {
			rest = append(append(rest, line...), end...)
		}
	}
	return rest
}

// Bare is the event with nothing but its name and its data.
func (e Event) Bare() Event {
	e.Plain, e.Raw = true, Append(nil, string(e.Name), e.Data)
	return e
}

func appendData(dst, data []byte, end string) []byte {
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		dst = append(append(append(dst, "data: "...), line...), end...)
	}
	return dst
}

// lines are the lines of an event, and how each ends.
func lines(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(line, end []byte) bool) {
		for at := 0; at < len(raw); {
			n := lineEnd(raw[at:])
			if n < 0 {
				n = len(raw) - at
			}
			end := ending(raw, at+n)
			if !yield(raw[at:at+n], raw[at+n:end]) {
				return
			}
			at = end
		}
	}
}

// lineEnd is where the first line ends, or -1.
func lineEnd(b []byte) int {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		n = len(b)
	}
	if cr := bytes.IndexByte(b[:n], '\r'); cr >= 0 {
		return cr
	}
	if n == len(b) {
		return -1
	}
	return n
}

// ending is where the line end at n is over.
func ending(b []byte, n int) int {
	switch {
	case n >= len(b):
		return n
	case b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n':
		return n + 2
	}
	return n + 1
}

// field takes a line apart: one space behind the colon is not of the value.
func field(line []byte) (name, value []byte) {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	name, value, _ = bytes.Cut(line, []byte(":"))
	return name, bytes.TrimPrefix(value, []byte(" "))
}
