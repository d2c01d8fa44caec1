package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Page sizes of Query.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Filter selects events; its zero fields select all.
type Filter struct {
	// ResourceID is the resource's ID or what the details call path, vault_id
	// or secret_id: events are shown under both, so both find them.
	ResourceID   string
	ResourceType string
	ActorID      string
	VaultID      string // the vault itself, and what happened in it
	Action       Action
	From, To     time.Time // From is included, To is not
	Limit        int       // 0 means DefaultLimit
	Offset       int       // matching events to pass over
}

// Record is an event as the API shows it.
type Record struct {
	Index         uint64
	ID            id.ID
	Action        Action
	ActorID       string // "" if nobody is known
	ActorType     string
	ResourceType  string
	ResourceID    string
	OrgID         id.ID
	Details       Details // never nil
	IPAddress     string
	CreatedAt     time.Time
	Outcome       Outcome
	Reason        string
	PrevEventID   *id.ID // nil for the first of a chain
	IntegrityHash string
}

// Query returns the events of org that f selects, newest first. It reads no
// further than the page asks for; a filter that few events match reads them
// all, which takes some seconds per million. It does not stop at From: events
// are in the order they were made durable, and a clock may have been set back.
func (g *Log) Query(ctx context.Context, org id.ID, f Filter) ([]Record, error) {
	m := newMatcher(org, f)
	limit, skip := f.Limit, max(f.Offset, 0)
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, MaxLimit)
	out := make([]Record, 0, min(limit, DefaultLimit))
	var bad error
	err := g.newestFirst(ctx, func(raw []byte) bool {
		if !m.mayMatch(raw) {
			return true
		}
		var r Record
		if r, bad = decodeRecord(raw); bad != nil {
			return false
		}
		if !m.matches(&r) {
			return true
		}
		if skip > 0 {
			skip--
			return true
		}
		out = append(out, r)
		return len(out) < limit
	})
	if err = firstError(err, bad); err != nil {
		return nil, fmt.Errorf("audit: query: %w", err)
	}
	return out, nil
}

// matcher is a filter made ready. Most events are passed over, so it looks for
// the wanted texts in the encoded event first: where one is absent the event
// cannot match, and need not be decoded.
type matcher struct {
	Filter
	org   id.ID
	parts [][]byte
}

func newMatcher(org id.ID, f Filter) *matcher {
	for _, s := range []*string{&f.ActorID, &f.VaultID} {
		if a, err := id.Parse(*s); err == nil {
			*s = a.String()
		}
	}
	f.ResourceID, f.ResourceType, f.ActorID, f.VaultID = clean(f.ResourceID), clean(f.ResourceType), clean(f.ActorID), clean(f.VaultID)
	m := &matcher{Filter: f, org: org}
	for _, s := range []string{org.String(), f.ResourceID, f.ResourceType, f.ActorID, f.VaultID, string(f.Action)} {
		if s != "" {
			quoted, _ := json.Marshal(s) // as the event has it, escapes and all
			m.parts = append(m.parts, quoted)
		}
	}
	return m
}

func (m *matcher) mayMatch(raw []byte) bool {
	for _, p := range m.parts {
		if !bytes.Contains(raw, p) {
			return false
		}
	}
	return m.From.IsZero() && m.To.IsZero() || m.inTime(leafTime(raw))
}

func (m *matcher) inTime(at time.Time) bool {
	return (m.From.IsZero() || !at.Before(m.From)) && (m.To.IsZero() || at.Before(m.To))
}

// leafTime reads the time of a leaf without decoding it. No field before it
// holds a text that a caller chose, so the first one found is the one.
func leafTime(raw []byte) time.Time {
	_, rest, _ := bytes.Cut(raw, []byte(`"time":"`))
	text, _, _ := bytes.Cut(rest, []byte(`"`))
	at, _ := time.Parse(time.RFC3339Nano, string(text))
	return at
}

func (m *matcher) matches(r *Record) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return r.OrgID == m.org &&
		is(string(m.Action), string(r.Action)) &&
		is(m.ActorID, r.ActorID) &&
		is(m.ResourceType, r.ResourceType) &&
		m.inTime(r.CreatedAt) &&
		(m.VaultID == "" || r.Details["vault_id"] == m.VaultID || r.ResourceType == "vault" && r.ResourceID == m.VaultID) &&
		(is(m.ResourceID, r.ResourceID) ||
			r.Details["path"] == m.ResourceID ||
			r.Details["vault_id"] == m.ResourceID ||
			r.Details["secret_id"] == m.ResourceID)
}

// decodeRecord reads a leaf for the API.
func decodeRecord(raw []byte) (Record, error) {
	l, err := decodeLeaf(raw)
	if err != nil {
		return Record{}, err
	}
	r := Record{
		Index: l.Seq, ID: l.ID, Action: l.Action, ActorType: l.Actor.Type,
		ResourceType: l.Resource.Type, ResourceID: l.Resource.ID, OrgID: l.Org,
		Details: Details{}, IPAddress: l.IP, CreatedAt: l.Time,
		Outcome: l.Outcome, Reason: l.Reason,
		PrevEventID: l.PrevEvent, IntegrityHash: l.IntegrityHash,
	}
	if !l.Actor.ID.IsZero() {
		r.ActorID = l.Actor.ID.String()
	}
	if l.Details != nil {
		dec := json.NewDecoder(bytes.NewReader(l.Details))
		dec.UseNumber() // 64-bit numbers stay exact
		if err := dec.Decode(&r.Details); err != nil {
			return Record{}, fmt.Errorf("audit: details of event %d: %w", l.Seq, err)
		}
		if r.Details == nil { // "null"
			r.Details = Details{}
		}
	}
	return r, nil
}
