package provider

import (
	"bytes"
	"errors"
	"io"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// ErrChannels: the provider tells more texts at once than any does.
var ErrChannels = errors.New("provider: too many texts at once")

// ErrCut: the provider's stream ended before the answer did.
var ErrCut = errors.New("provider: the stream was cut")

// Source is where the events of a stream come from, such as an sse.Reader.
type Source interface {
	Next() (sse.Event, error)
}

// counter is a Source that knows of usage which its events do not tell.
type counter interface {
	Usage() Usage
}

// Stream is an answer that is on its way. It is not safe for concurrent use.
type Stream struct {
	Usage  Usage  // so far
	Finish string // why the model stopped, once it has
	Model  string // as the provider names it

	in      Source
	put     framing
	d       dialect
	filters func(Channel) Filter

	lanes    []*lane
	choices  map[int]bool        // whether each answer that was asked for is complete
	names    map[Channel]string  // of tools, by the channel of their call
	clean    map[string]struct{} // identifiers that come with each event, and passed unchanged
	envelope []byte              // what the events of this stream have in common
	next     int                 // the number of the next event, where a format has them
	inserted int                 // events that the provider did not send
	parser   jsonedit.Parser
	m        Message // the event that is looked at
	out      []byte
	done     bool // the answer is complete
	failed   bool // and is an error
	end      error

	hideUsage bool
}

// lane is a channel that is open.
type lane struct {
	ch   Channel
	f    Filter
	text int // the last text of it in this event, or -1
}

// step is what an event means beside its texts.
type step struct {
	s     *Stream
	ends  func(Channel) bool // which channels end with it
	usage Usage
	drop  bool          // the event is not for the client
	seq   jsonedit.Node // the event's number
}

// NewStream reads an answer of a format. It asks filters for a Filter for each
// channel that comes up, for each value in a call's arguments, and for each text
// that comes whole.
func NewStream(f Format, in Source, filters func(Channel) Filter) *Stream {
	s := &Stream{in: in, d: f.dialect(), filters: filters, clean: map[string]struct{}{}, names: map[Channel]string{}, choices: map[int]bool{}}
	s.put = eventFraming{}
	if own, ok := in.(framing); ok {
		s.put = own
	}
	return s
}

// Failed reports whether the provider has told of an error.
func (s *Stream) Failed() bool { return s.failed }

// HideUsage keeps from the client the usage that Request.AskUsage asked for.
func (s *Stream) HideUsage() { s.hideUsage = true }

// Ready reports whether Next has something to look at without waiting for the provider.
func (s *Stream) Ready() bool {
	in, ok := s.in.(interface{ Ready() bool })
	return ok && s.end == nil && in.Ready()
}

// Next is what to send to the client next: one event of the provider, none, or
// several. The bytes are valid until the next call. At the end of a complete
// answer the error is io.EOF; ErrCut, if the provider stopped before; any other
// is a fault of the provider's or the refusal of a filter, and then Failure has
// the last event to send.
func (s *Stream) Next() ([]byte, error) {
	if s.end != nil {
		return nil, s.end
	}
	s.out = s.out[:0]
	ev, err := s.in.Next()
	if c, ok := s.in.(counter); ok {
		s.Usage.merge(c.Usage())
	}
	if err == nil || errors.Is(err, sse.ErrCut) {
		if bad := s.event(ev); bad != nil {
			s.end = bad
			return nil, bad
		}
		if err == nil {
			return s.out, nil
		}
		ev = sse.Event{}
	}
	return s.stop(ev, err)
}

// stop ends the stream: what filters hold back goes out first.
func (s *Stream) stop(ev sse.Event, err error) ([]byte, error) {
	if bad := s.close(func(Channel) bool { return true }, nil); bad != nil {
		s.end = bad
		return nil, bad
	}
	switch {
	case errors.Is(err, sse.ErrCut), errors.Is(err, io.EOF):
		s.out = append(s.out, ev.Raw...) // empty lines
		s.end = io.EOF
		if !s.done {
			s.end = ErrCut
		}
	default:
		s.end = err
	}
	if len(s.out) > 0 {
		return s.out, nil
	}
	return nil, s.end
}

// event passes one event on.
func (s *Stream) event(ev sse.Event) error {
	ev, err := s.beside(ev)
	if err != nil {
		return err
	}
	data := bytes.TrimSpace(ev.Data)
	switch {
	case s.put.last(ev):
		s.done = true
		if err := s.close(func(Channel) bool { return true }, nil); err != nil {
			return err
		}
		s.out = s.put.pass(s.out, ev)
		return nil
	case len(data) == 0:
		s.out = s.put.pass(s.out, ev)
		return nil
	case data[0] != '{' && data[0] != '[':
		return s.words(ev)
	}
	doc, err := s.parser.Parse(data)
	if err != nil {
		return err
	}
	changed, drop, err := s.look(doc, data)
	if err != nil || drop {
		return err
	}
	if len(changed) == 0 && len(s.m.edits) == 0 {
		s.out = s.put.pass(s.out, ev)
		return nil
	}
	to, err := s.m.Rewrite(changed)
	if err != nil {
		return err
	}
	s.out = s.put.rewrite(s.out, ev, to)
	return nil
}

// beside looks at what an event has beside its data: its name, comments, fields
// that nobody knows. What must not pass is left out.
func (s *Stream) beside(ev sse.Event) (sse.Event, error) {
	if name := string(ev.Name); name != "" && !known(name) {
		out, err := s.whole(Text{Kind: Label, Value: name})
		if err != nil {
			return ev, err
		}
		if out != name {
			ev.Name = nil
			ev = ev.Bare()
		}
	}
	if ev.Plain {
		return ev, nil
	}
	rest := string(ev.Rest())
	out, err := s.whole(Text{Kind: Other, Value: rest})
	if err != nil || out == rest {
		return ev, err
	}
	if len(ev.Data)+len(ev.Name) == 0 {
		return sse.Event{Plain: true}, nil
	}
	return ev.Bare(), nil
}

// words passes on an event whose data is no JSON.
func (s *Stream) words(ev sse.Event) error {
	text := string(bytes.ToValidUTF8(ev.Data, []byte("\uFFFD")))
	out, err := s.whole(Text{Kind: Other, Value: text})
	if err != nil {
		return err
	}
	if out == text {
		s.out = s.put.pass(s.out, ev)
		return nil
	}
	s.out = s.put.rewrite(s.out, ev, []byte(out))
	return nil
}
