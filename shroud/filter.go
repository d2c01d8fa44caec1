package shroud

import (
	"strings"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

var errLongCall = fault.New(fault.Denied, "tool_call_too_long", "the model's call of a tool is too long to be inspected")

// maxCall bounds the arguments of a call that are held back until they are whole.
const maxCall = 4 << 20

// filter is what one text of a stream goes through.
func (c *call) filter(ch provider.Channel) provider.Filter {
	t := provider.Text{Role: provider.Assistant, Kind: ch.Kind, Tool: ch.Tool, Signed: ch.Signed}
	if ch.Whole || ch.Kind == provider.ToolCall {
		return &whole{c: c, t: t}
	}
	if c.restores() && restorable(t) {
		return &restoring{c.hiding(t), c.tokens.Restorer()}
	}
	return c.hiding(t)
}

// hiding takes out of a text that comes in pieces what must not get out.
func (c *call) hiding(t provider.Text) provider.Filter {
	switch {
	case !c.policy.FilterAnswers, t.Signed: // what is signed may not be changed for a likeness
		return &hide{c: c, at: place(t), s: c.matcher.Stream()}
	}
	return &words{c: c, at: place(t), next: &hide{c: c, at: place(t), s: c.matcher.Stream()}}
}

// whole holds a text back until it is complete. Nobody acts on half a call, so that
// nothing is lost by waiting for the other half.
type whole struct {
	c    *call
	t    provider.Text
	held strings.Builder
}

func (w *whole) Write(text string) (string, error) {
	if said(w.t.Kind) {
		w.c.heard += len(text)
	}
	if w.held.Len()+len(text) > maxCall {
		return "", errLongCall
	}
	w.held.WriteString(text)
	return "", nil
}

// said is what a model says, not what the protocol says around it.
func said(k provider.Kind) bool {
	switch k {
	case provider.Content, provider.Reasoning, provider.Refusal, provider.ToolCall, provider.ToolName:
		return true
	}
	return false
}

func (w *whole) Close() (string, error) {
	w.t.Value = w.held.String()
	return w.c.answerText(w.t)
}

// hide replaces the values of the vaults.
type hide struct {
	c   *call
	at  string
	s   *redact.Stream
	buf []byte
}

func (h *hide) Write(text string) (string, error) {
	h.c.heard += len(text)
	h.buf = h.s.Append(h.buf[:0], []byte(text))
	return h.shown(), nil
}

func (h *hide) Close() (string, error) {
	h.buf = h.s.Flush(h.buf[:0])
	return h.shown(), nil
}

func (h *hide) shown() string {
	if hits := h.s.Hits(); len(hits) > 0 {
		h.c.found.redacted += len(hits)
		h.c.found.add(leak(h.at))
	}
	return string(h.buf)
}

// words takes credentials out of a text that comes in pieces. It holds back the end
// that may be the beginning of one: the last word, unless it is of small letters
// alone, and everything from the head of a private key on. What stands before is
// kept to be looked at with what comes, not to be shown again.
type words struct {
	c    *call
	at   string
	next *hide

	seen string // shown already, the last of it: what a word means depends on it
	held string
}

const blanks = " \n\t\r"

// Bounds of what is kept, in bytes.
const (
	maxSeen = 256
	maxHeld = 8 << 10
	maxTail = 512
)

func (w *words) Write(text string) (string, error) {
	text, err := w.next.Write(text)
	if err != nil || text == "" {
		return "", err
	}
	w.held += text
	return w.show(w.ready()), nil
}

func (w *words) Close() (string, error) {
	rest, err := w.next.Close()
	if err != nil {
		return "", err
	}
	w.held += rest
	return w.show(len(w.held)), nil
}

// ready is how much of what is held may be looked at and shown.
func (w *words) ready() int {
	if at := strings.LastIndex(w.held, "-----BEGIN "); at >= 0 && !strings.Contains(w.held[at:], "-----END ") {
		if len(w.held)-at < maxHeld {
			return at
		}
		return len(w.held)
	}
	end := strings.LastIndexAny(w.held, blanks)
	last := w.held[end+1:]
	whole := last
	if end < 0 { // it began in what was shown
		whole = w.seen[strings.LastIndexAny(w.seen, blanks)+1:] + last
	}
	switch {
	case ordinary(whole):
		return len(w.held)
	case len(last) < maxHeld:
		return end + 1
	}
	return len(w.held) - maxTail // nothing but one endless word
}

// ordinary is a word that no credential begins with: small letters after at most one
// capital.
func ordinary(word string) bool {
	const longest = 24
	if len(word) > longest {
		return false
	}
	for i := 0; i < len(word); i++ {
		capital := i == 0 && word[i] >= 'A' && word[i] <= 'Z'
		if b := word[i]; !capital && (b < 'a' || b > 'z') && b < 0x80 && !strings.ContainsRune(".,;:!?'\")", rune(b)) {
			return false
		}
	}
	return true
}

// show looks at the first n bytes of what is held, after what was shown, and shows
// them.
func (w *words) show(n int) string {
	if n == 0 {
		return ""
	}
	piece := w.held[:n]
	w.held = w.held[n:]
	before := len(w.seen)
	clean := w.c.credentialsAfter(w.seen+piece, before, w.at)
	w.seen += piece
	if len(w.seen) > maxSeen {
		w.seen = strings.ToValidUTF8(w.seen[len(w.seen)-maxSeen:], "")
	}
	return clean
}
