package mcp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

const (
	// shortest is the length below which a value is not watched: it is in every
	// second text.
	shortest = 6
	// Of one agent no more is watched than this; what was fetched first goes first.
	maxWatched      = 256
	maxWatchedBytes = 4 << 20
	// An agent that calls nothing for as long is not watched any more.
	watchFor   = time.Hour
	maxWatches = 1024
)

// watches are what agents have fetched, for as long as they are about. A watch is
// of an agent rather than of a session: the newest revision of the protocol has
// none, and another session would be a way around it.
type watches struct {
	mu sync.Mutex
	by map[string]*watch
}

// of is the watch of a caller.
func (ws *watches) of(c *caller) *watch {
	agent := ""
	if c != nil {
		agent = c.user
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	now := time.Now()
	w := ws.by[agent]
	if w == nil {
		ws.tidy(now)
		w = &watch{}
		if ws.by == nil {
			ws.by = map[string]*watch{}
		}
		ws.by[agent] = w
	}
	w.used = now
	return w
}

// tidy makes room for one more.
func (ws *watches) tidy(now time.Time) {
	oldest := ""
	for agent, w := range ws.by {
		if now.Sub(w.used) > watchFor {
			w.forget()
			delete(ws.by, agent)
		} else if o := ws.by[oldest]; o == nil || w.used.Before(o.used) {
			oldest = agent
		}
	}
	if o := ws.by[oldest]; o != nil && len(ws.by) >= maxWatches {
		o.forget()
		delete(ws.by, oldest)
	}
}

func (ws *watches) forget() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, w := range ws.by {
		w.forget()
	}
	ws.by = nil
}

// watch is what one agent has fetched.
type watch struct {
	used time.Time // by watches

	mu      sync.Mutex
	entries []watched // oldest first
	bytes   int
	made    *known // of the entries; nil when they changed
}

// watched is a value that was fetched, and whether it speaks to the model: what is
// fetched again is not read again.
type watched struct {
	redact.Entry
	speaks bool
}

// has looks for a value that was noted before.
func (w *watch) has(path, value string) (speaks, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := w.find(path, value); i >= 0 {
		return w.entries[i].speaks, true
	}
	return false, false
}

func (w *watch) find(path, value string) int {
	return slices.IndexFunc(w.entries, func(e watched) bool { return e.Path == path && string(e.Value.Reveal()) == value })
}

// add notes a value that was fetched.
func (w *watch) add(path, value string, speaks bool) {
	if len(value) < shortest || len(value) > maxWatchedBytes {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.find(path, value) >= 0 {
		return
	}
	noted := watched{redact.Entry{Path: path, Value: plain.FromString(value)}, speaks}
	w.entries, w.bytes, w.made = append(w.entries, noted), w.bytes+len(value), nil
	for len(w.entries) > maxWatched || w.bytes > maxWatchedBytes {
		w.bytes -= w.entries[0].Value.Len()
		w.entries[0].Value.Wipe()
		w.entries = slices.Delete(w.entries, 0, 1)
	}
}

func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.entries {
		e.Value.Wipe()
	}
	w.entries, w.bytes, w.made = nil, 0, nil
}

// matcher finds what was fetched.
func (w *watch) matcher() *known {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.made == nil {
		all := make([]redact.Entry, len(w.entries))
		for i, e := range w.entries {
			all[i] = e.Entry
		}
		w.made = &known{long: redact.New(all)}
		for _, e := range all {
			if e.Value.Len() < redact.Shortest {
				w.made.short = append(w.made.short, redact.Entry{Path: e.Path, Value: e.Value.Clone()})
			}
		}
	}
	return w.made
}

// known finds values in texts.
type known struct {
	long  *redact.Matcher
	short []redact.Entry // what it does not look for
}

// in is the path of a value that is in a text.
func (k *known) in(text string) (path string, found bool) {
	if hits := k.long.Find(text); len(hits) > 0 {
		return hits[0].Path, true
	}
	for _, e := range k.short {
		if bytes.Contains([]byte(text), e.Value.Reveal()) {
			return e.Path, true
		}
	}
	return "", false
}

// out takes values out of a text.
func (k *known) out(text string) (string, []string) {
	var paths []string
	text, hits := k.long.Redact(text)
	for _, h := range hits {
		paths = append(paths, h.Path)
	}
	for _, e := range k.short {
		if was := text; strings.Contains(was, string(e.Value.Reveal())) {
			text = strings.ReplaceAll(was, string(e.Value.Reveal()), "[REDACTED:"+e.Path+"]")
			paths = append(paths, e.Path)
		}
	}
	return text, paths
}

// clean takes what was fetched out of a result.
func (w *watch) clean(r *sdk.CallToolResult) {
	k := w.matcher()
	if len(k.short) == 0 && k.long.Patterns() == 0 {
		return
	}
	for _, c := range r.Content {
		if t, ok := c.(*sdk.TextContent); ok {
			t.Text, _ = k.out(t.Text)
		}
	}
	raw, ok := r.StructuredContent.(json.RawMessage)
	var v any
	if _, found := k.in(string(raw)); !ok || !found || json.Unmarshal(raw, &v) != nil {
		return
	}
	if cleaned, err := json.Marshal(k.outOf(v)); err == nil {
		r.StructuredContent = json.RawMessage(cleaned)
	}
}

// outOf takes values out of all texts of a JSON value.
func (k *known) outOf(v any) any {
	switch v := v.(type) {
	case string:
		text, _ := k.out(v)
		return text
	case []any:
		for i := range v {
			v[i] = k.outOf(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = k.outOf(v[name])
		}
	}
	return v
}
