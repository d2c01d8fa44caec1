package provider

import (
	"slices"
	"strconv"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// look runs the texts of an event through their filters, and says which change.
// What channels that end with the event still hold is put before it, or into
// the last piece of them that it has.
func (s *Stream) look(doc *jsonedit.Doc, data []byte) (changed map[int]string, drop bool, err error) {
	s.m = Message{
		doc: doc, body: data,
		Texts: s.m.Texts[:0], sites: s.m.sites[:0], shadows: s.m.shadows[:0],
	}
	w, st := &walker{m: &s.m, role: Assistant}, &step{s: s}
	s.read(w, st, doc.Root())
	if st.seq.Is() {
		s.next = st.seq.Int() + s.inserted
	}
	s.Usage.merge(st.usage)
	set := func(i int, to string) {
		if changed == nil {
			changed = map[int]string{}
		}
		changed[i] = to
	}
	for i, t := range s.m.Texts {
		out, err := s.filtered(i, t)
		if err != nil {
			return nil, false, err
		}
		if out != t.Value {
			set(i, out)
		}
	}
	err = s.close(st.ends, func(l *lane, tail string) bool {
		if l.text < 0 {
			return false
		}
		now, ok := changed[l.text]
		if !ok {
			now = s.m.Texts[l.text].Value
		}
		set(l.text, now+tail)
		return true
	})
	for _, l := range s.lanes {
		l.text = -1
	}
	s.number(st.seq)
	return changed, st.drop, err
}

// number keeps the numbers of events in order, where a format has them: those
// that were inserted took some.
func (s *Stream) number(n jsonedit.Node) {
	if !n.Is() {
		return
	}
	s.next = n.Int() + s.inserted
	if s.inserted > 0 {
		s.m.edits = append(s.m.edits, jsonedit.Edit{Node: n, With: strconv.AppendInt(nil, int64(s.next), 10)})
	}
	s.next++
}

// read has the format look at an event.
func (s *Stream) read(w *walker, st *step, root jsonedit.Node) {
	if s.d.event == nil || root.Kind() != jsonedit.Object {
		w.free(root, Other)
		return
	}
	s.d.event(w, st, root)
}

// filtered is what becomes of one text of an event.
func (s *Stream) filtered(i int, t Text) (string, error) {
	ch := s.m.sites[i].channel
	if ch == nil {
		return s.whole(t)
	}
	l := s.lane(*ch)
	if l == nil {
		return "", ErrChannels
	}
	l.text = i
	return l.f.Write(t.Value)
}

// maxClean bounds the memory for identifiers that were seen.
const maxClean = 64

// whole is what becomes of a text that is not told in pieces.
func (s *Stream) whole(t Text) (string, error) {
	if t.Kind == Label {
		if _, ok := s.clean[t.Value]; ok {
			return t.Value, nil
		}
	}
	out, err := once(s.filters(Channel{Choice: t.Turn, Kind: t.Kind, Tool: t.Tool, Whole: true, Signed: t.Signed}), t.Value)
	if err == nil && out == t.Value && t.Kind == Label && len(s.clean) < maxClean && len(out) <= 256 {
		s.clean[out] = struct{}{}
	}
	return out, err
}

// open is the lane of a channel that has begun, or nil.
func (s *Stream) open(ch Channel) *lane {
	for _, l := range s.lanes {
		if l.ch.same(ch) {
			return l
		}
	}
	return nil
}

// maxLanes bounds the channels that are open at a time.
const maxLanes = 256

// lane is the open lane of a channel, opened if need be; nil if there are too
// many.
func (s *Stream) lane(ch Channel) *lane {
	if l := s.open(ch); l != nil {
		return l
	}
	if len(s.lanes) == maxLanes {
		return nil
	}
	if ch.Tool == "" && ch.Kind == ToolCall {
		ch.Tool = s.names[Channel{Choice: ch.Choice, Block: ch.Block}]
	}
	l := &lane{ch: ch, text: -1}
	switch {
	case ch.Kind == ToolCall && !ch.plain:
		l.f = newArguments(func() Filter { return s.filters(ch) })
	case ch.Signed:
		l.f = &unchanged{f: s.filters(ch)}
	default:
		l.f = s.filters(ch)
	}
	s.lanes = append(s.lanes, l)
	return l
}

// close ends channels. What their filters still hold goes into the event at
// hand, if into takes it, and else out as an event of its own.
func (s *Stream) close(ends func(Channel) bool, into func(*lane, string) bool) error {
	if ends == nil {
		return nil
	}
	var bad error
	s.lanes = slices.DeleteFunc(s.lanes, func(l *lane) bool {
		if bad != nil || !ends(l.ch) {
			return false
		}
		tail, err := l.f.Close()
		if err != nil {
			bad = err
			return true
		}
		if tail != "" && (into == nil || !into(l, tail)) && s.d.held != nil {
			s.out = s.put.insert(s.out, s.d.held(s, l.ch, tail))
			s.next++
			s.inserted++
		}
		return true
	})
	return bad
}

// choice notes an answer, which may be one of several, and whether it is complete.
func (st *step) choice(index int, complete bool) {
	if _, ok := st.s.choices[index]; !ok && len(st.s.choices) >= maxNames {
		return
	}
	st.s.choices[index] = st.s.choices[index] || complete
	st.s.done = true
	for _, complete := range st.s.choices {
		st.s.done = st.s.done && complete
	}
}

// failed: the provider has told the client of an error. Nothing will follow.
func (st *step) failed() { st.s.Finish, st.s.done, st.s.failed = "error", true, true }

// maxNames bounds the memory for the names of calls.
const maxNames = 1024

// called notes whose arguments will follow.
func (st *step) called(ch Channel, name string) {
	if name != "" && len(st.s.names) < maxNames {
		st.s.names[Channel{Choice: ch.Choice, Block: ch.Block}] = name
	}
}
