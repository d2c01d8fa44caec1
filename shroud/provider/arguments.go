package provider

import (
	"bytes"
	"strings"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// arguments is the filter of a call's arguments: JSON that comes in pieces, cut
// anywhere. What its strings say goes through filters without escapes, each
// string through one of its own; what passes unchanged keeps the escapes that it
// had. So do numbers, which become strings if they have to change. As soon as the
// text is no JSON, the rest of it is one text.
type arguments struct {
	open func() Filter

	state argState
	f     Filter          // of the string, or of the rest
	token strings.Builder // a number or word, or an escape that is not complete
	// What the string's filter has seen and not returned, with escapes and
	// without; of use until it returns something else.
	raw, said []byte
	other     bool
	shown     bool // some of a word has been passed on
}

type argState uint8

const (
	argStart argState = iota
	argBetween
	argWord
	argString
	argRest
)

// maxWord is longer than any number a tool takes.
const maxWord = 64

func newArguments(open func() Filter) *arguments { return &arguments{open: open} }

// Write takes the next piece.
func (a *arguments) Write(text string) (string, error) {
	var out strings.Builder
	for text != "" {
		step := [...]func(string, *strings.Builder) (int, error){
			argStart: a.start, argBetween: a.between, argWord: a.word, argString: a.string, argRest: a.rest,
		}[a.state]
		n, err := step(text, &out)
		if err != nil {
			return "", err
		}
		text = text[n:]
	}
	return out.String(), nil
}

// Close is what is still held, if the arguments end here.
func (a *arguments) Close() (string, error) {
	var out strings.Builder
	var err error
	switch a.state {
	case argWord:
		err = a.endWord(&out)
	case argString:
		var half string
		half, err = a.endString(&out)
		out.WriteString(half)
	}
	if err == nil && a.state == argRest {
		var tail string
		tail, err = a.f.Close()
		out.WriteString(tail)
	}
	a.state = argStart
	return out.String(), err
}

const blank = " \t\r\n"

// start waits for what opens an object or array.
func (a *arguments) start(text string, out *strings.Builder) (int, error) {
	n := len(text) - len(strings.TrimLeft(text, blank))
	out.WriteString(text[:n])
	if n == len(text) {
		return n, nil
	}
	if text[n] != '{' && text[n] != '[' {
		a.state, a.f = argRest, a.open()
		return n, nil
	}
	a.state = argBetween
	return n, nil
}

// rest is what is no JSON: one text, with the word that showed it.
func (a *arguments) rest(text string, out *strings.Builder) (int, error) {
	passed, err := a.f.Write(text)
	out.WriteString(passed)
	return len(text), err
}

// between is the structure between strings and words.
func (a *arguments) between(text string, out *strings.Builder) (int, error) {
	n := len(text) - len(strings.TrimLeft(text, blank+"{}[],:"))
	out.WriteString(text[:n])
	if n == len(text) {
		return n, nil
	}
	a.f, a.raw, a.said, a.other = a.open(), a.raw[:0], a.said[:0], false
	if text[n] != '"' {
		a.state, a.shown = argWord, false
		return n, nil
	}
	out.WriteByte('"')
	a.state = argString
	return n + 1, nil
}

// word is a number, or true, false, null. It passes as it comes, as long as its
// filter lets it.
func (a *arguments) word(text string, out *strings.Builder) (int, error) {
	n := strings.IndexAny(text, blank+"{}[],:\"")
	end := n >= 0
	if !end {
		n = len(text)
	}
	a.token.WriteString(text[:n])
	if strings.Trim(text[:n], letters) != "" || a.token.Len() > maxWord || end && !isWord(a.token.String()) {
		a.token.Reset()
		a.state = argRest // with the filter that has seen the beginning of the word
		return a.rest(text, out)
	}
	a.raw, a.said = append(a.raw, text[:n]...), append(a.said, text[:n]...)
	passed, err := a.f.Write(text[:n])
	if err == nil {
		err = a.passWord(passed, out)
	}
	if err == nil && end {
		err = a.endWord(out)
	}
	return n, err
}

// letters are those of numbers and of the other words.
const letters = "0123456789+-.eEtrufalsn"

func isWord(s string) bool {
	return s == "true" || s == "false" || s == "null" || strings.Trim(s, "0123456789+-.eE") == ""
}

// errNumber: it is too late to make a string of a number.
var errNumber = fault.New(fault.Denied, "number_begun", "a number in the arguments of a call would have to be changed after it has begun")

// passWord writes what the filter returned: as it came, or as a string.
func (a *arguments) passWord(text string, out *strings.Builder) error {
	if rest, ok := bytes.CutPrefix(a.said, []byte(text)); ok && !a.other {
		a.said, a.shown = rest, a.shown || text != ""
		out.WriteString(text)
		return nil
	}
	if !a.other && a.shown {
		return errNumber
	}
	if !a.other {
		a.other = true
		out.WriteByte('"')
	}
	quoted := jsonedit.Quote(text)
	out.Write(quoted[1 : len(quoted)-1])
	return nil
}

func (a *arguments) endWord(out *strings.Builder) error {
	a.token.Reset()
	a.state = argBetween
	tail, err := a.f.Close()
	if err != nil {
		return err
	}
	if tail != "" {
		err = a.passWord(tail, out)
	}
	switch {
	case err != nil:
		return err
	case a.other:
		out.WriteByte('"')
	case len(a.said) > 0 && a.shown:
		return errNumber
	case len(a.said) > 0: // all of it is gone
		out.WriteString(`""`)
	}
	return nil
}

// string is what stands between quotes.
func (a *arguments) string(text string, out *strings.Builder) (int, error) {
	text0 := a.token.String() + text
	kept := a.token.Len()
	a.token.Reset()
	raw, said, end := unescape(text0)
	if err := a.say(raw, said, out); err != nil {
		return 0, err
	}
	rest := text0[len(raw):]
	if !end {
		a.token.WriteString(rest) // an escape that is not complete
		return len(text), nil
	}
	if _, err := a.endString(out); err != nil {
		return 0, err
	}
	out.WriteByte('"')
	a.state = argBetween
	return len(raw) + 1 - kept, nil
}

// say runs a piece of a string through its filter.
func (a *arguments) say(raw, said string, out *strings.Builder) error {
	if said == "" {
		return nil
	}
	if !a.other {
		a.raw, a.said = append(a.raw, raw...), append(a.said, said...)
	}
	passed, err := a.f.Write(said)
	if err != nil {
		return err
	}
	a.pass(passed, out)
	return nil
}

// pass writes what the filter returned: as it came, or as JSON has it.
func (a *arguments) pass(text string, out *strings.Builder) {
	if rest, ok := bytes.CutPrefix(a.said, []byte(text)); ok && !a.other {
		if n, ok := spelled(a.raw, len(text)); ok {
			out.Write(a.raw[:n])
			a.raw, a.said = a.raw[n:], rest
			return
		}
	}
	a.other = true
	quoted := jsonedit.Quote(text)
	out.Write(quoted[1 : len(quoted)-1])
}

// endString ends the string, and returns the escape that was not complete.
func (a *arguments) endString(out *strings.Builder) (string, error) {
	half := a.token.String()
	a.token.Reset()
	tail, err := a.f.Close()
	if err != nil {
		return "", err
	}
	a.pass(tail, out)
	return half, nil
}
