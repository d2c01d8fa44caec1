package redact

// Hit is a value that was found: its path, the form it was first met in there, and
// the bytes of the text that it covers.
type Hit struct {
	Path       string
	Form       Form
	Start, End int
}

// Redact replaces what it finds in t. Values that overlap are replaced together, under
// the path of the longest; each is a hit of its own. If nothing is found the text
// returned is t.
func (m *Matcher) Redact(t string) (string, []Hit) {
	found := find(m, t, nil)
	if len(found) == 0 {
		return t, nil
	}
	w := writer{m: m, out: make([]byte, 0, len(t))}
	settle(&w, t, 0, found, len(t)+1)
	return string(w.out), w.hits
}

// Find says what Redact would replace.
func (m *Matcher) Find(t string) []Hit {
	found := find(m, t, nil)
	if len(found) == 0 {
		return nil
	}
	w := writer{m: m, mute: true}
	settle(&w, t, 0, found, len(t)+1)
	return w.hits
}

// writer puts text out with what was found replaced. Positions are those of the
// whole text.
type writer struct {
	m    *Matcher
	out  []byte
	hits []Hit
	mute bool

	// The stretch that is being put together of matches that overlap, or follow each other
	// under one path.
	open       bool
	start, end int
	name       uint32 // whose mark it gets
	longest    int
	first      int // its first hit
}

// settle takes in the matches that begin before limit, and puts out what cannot change
// any more: the text before limit, but for a stretch that may still grow. t begins
// at base in the whole text, limit is within t or, at the very end, one beyond.
func settle[T text](w *writer, t T, base int, found []match, limit int) {
	at := 0
	if w.open {
		at = max(0, min(w.end-base, len(t)))
	}
	for _, f := range found {
		if f.start >= limit {
			break
		}
		start := base + f.start
		if w.open && !w.touches(start, f) {
			w.close()
			write(w, t[at:f.start])
		} else if !w.open {
			write(w, t[at:f.start])
		}
		w.take(start, base+f.end, f)
		at = w.end - base
	}
	if w.open && w.end < base+limit {
		w.close()
	}
	if end := min(limit, len(t)); !w.open && at < end {
		write(w, t[at:end])
	}
}

func write[T text](w *writer, t T) {
	if !w.mute {
		w.out = append(w.out, t...)
	}
}

// touches says whether f belongs to the open stretch.
func (w *writer) touches(start int, f match) bool {
	return start < w.end || start == w.end && w.m.patterns[f.pattern].entry == w.name
}

// take adds a match to the open stretch, or opens one with it.
func (w *writer) take(start, end int, f match) {
	p := w.m.patterns[f.pattern]
	if !w.open {
		w.open, w.start, w.end, w.longest, w.first = true, start, start, 0, len(w.hits)
	}
	w.end = max(w.end, end)
	if n := end - start; n > w.longest {
		w.longest, w.name = n, p.entry
	}
	for i := w.first; i < len(w.hits); i++ {
		if h := &w.hits[i]; h.Path == w.m.names[p.entry] {
			h.End = max(h.End, end)
			return
		}
	}
	w.hits = append(w.hits, Hit{w.m.names[p.entry], p.form, start, end})
}

// close puts the mark of the open stretch out.
func (w *writer) close() {
	write(w, w.m.marks[w.name])
	w.open = false
}
