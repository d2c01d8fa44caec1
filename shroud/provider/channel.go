package provider

import "bytes"

// Channel is what pieces of a stream belong together to: one text, told bit by
// bit.
type Channel struct {
	Choice int // which answer, where several were asked for
	Block  int // which part of it, or which call
	Kind   Kind
	Tool   string // what is called, for a ToolCall
	// Whole says that the text comes at once: one Write, then Close.
	Whole bool
	// Signed says that the text must not be changed. A filter may hold it back
	// and may end the stream; another change ends it as well.
	Signed bool

	plain bool   // the arguments of a call that are no JSON
	note  string // what the format's held needs to know
}

// same compares what identifies a channel.
func (c Channel) same(d Channel) bool {
	return c.Choice == d.Choice && c.Block == d.Block && c.Kind == d.Kind
}

// Filter sees the text of one channel, or of one value in the arguments of a
// tool call, in order and without escapes. What Write does not return it holds
// back, for a later Write or for Close. An error ends the stream before the
// event that the filter was shown.
type Filter interface {
	Write(text string) (string, error)
	Close() (string, error)
}

// once runs a text that is complete through a filter.
func once(f Filter, text string) (string, error) {
	out, err := f.Write(text)
	if err != nil {
		return "", err
	}
	rest, err := f.Close()
	return out + rest, err
}

// unchanged holds a filter to what was signed: it may delay, not change.
type unchanged struct {
	f       Filter
	pending []byte // seen, not passed on yet
}

func (u *unchanged) Write(text string) (string, error) {
	u.pending = append(u.pending, text...)
	out, err := u.f.Write(text)
	return u.pass(out, err)
}

func (u *unchanged) Close() (string, error) {
	out, err := u.pass(u.f.Close())
	if err == nil && len(u.pending) > 0 {
		return "", ErrSigned
	}
	return out, err
}

func (u *unchanged) pass(out string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	rest, ok := bytes.CutPrefix(u.pending, []byte(out))
	if !ok {
		return "", ErrSigned
	}
	u.pending = rest
	return out, nil
}
