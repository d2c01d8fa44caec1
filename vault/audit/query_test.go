package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

func names(rs []Record) []string {
	out := []string{}
	for _, r := range rs {
		out = append(out, r.ResourceID)
	}
	return out
}

// U2: every field that the API shows, and resource_id meaning either the
// resource or what the details call it.
func TestU2Record(t *testing.T) {
	w := newWorld(t)
	actor := Actor{"user", id.New()}
	r := w.add(Event{
		Org: w.orgs[0], Actor: actor, Action: SecretRead, Resource: Resource{"secret", "prod/db"},
		Outcome: Refused, Reason: "no_policy", Details: Details{"vault_id": "v", "n": uint64(1<<63 + 1)},
		IP: "::1", Time: w.now,
	})
	w.add(Event{Org: w.orgs[0], Actor: Actor{Type: "anonymous"}, Action: AuthFailure, Time: w.now})
	got := must[[]Record](t)(w.log.Query(t.Context(), w.orgs[0], Filter{}))
	if len(got) != 2 {
		t.Fatal(len(got))
	}
	a := got[1]
	a.IntegrityHash = ""
	want := Record{
		ID: r.Event, Action: "secret.read", ActorID: actor.ID.String(), ActorType: "user",
		ResourceType: "secret", ResourceID: "prod/db", OrgID: w.orgs[0],
		Details: Details{"vault_id": "v", "n": json.Number("9223372036854775809")}, IPAddress: "::1", CreatedAt: w.now,
		Outcome: Refused, Reason: "no_policy",
	}
	if fmt.Sprint(a) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	if b := got[0]; b.ActorID != "" || b.Details == nil || *b.PrevEventID != r.Event {
		t.Errorf("%+v", b)
	}
}

func TestU2ResourceIDMatchesEither(t *testing.T) {
	w := newWorld(t)
	add := func(name string, resource string, d Details) {
		d["name"] = name
		w.add(Event{Org: w.orgs[0], Actor: Actor{Type: "user"}, Action: SecretRead, Resource: Resource{"secret", resource}, Details: d, Time: w.now})
	}
	add("resource", "X", Details{})
	add("path", "1", Details{"path": "X"})
	add("vault", "2", Details{"vault_id": "X"})
	add("secret", "3", Details{"secret_id": "X"})
	add("other key", "4", Details{"reason": "X"})
	add("longer", "XX", Details{"path": "X/Y"})
	add("list", "5", Details{"path": []string{"X"}})
	w.drain()
	var got []any
	for _, r := range must[[]Record](t)(w.log.Query(t.Context(), w.orgs[0], Filter{ResourceID: "X"})) {
		got = append(got, r.Details["name"])
	}
	if !slices.Equal(got, []any{"secret", "vault", "path", "resource"}) {
		t.Errorf("%v", got)
	}
}

// U4: the filters, their bounds, newest first, one organisation only.
func TestU4Filters(t *testing.T) {
	w := newWorld(t)
	actors := []Actor{{"agent", id.New()}, {"user", id.New()}}
	for i := range 40 {
		w.add(Event{
			Org: w.orgs[i%2], Actor: actors[i/2%2], Action: []Action{SecretRead, SecretWrite}[i/4%2],
			Resource: Resource{[]string{"secret", "vault"}[i/8%2], fmt.Sprint(i)}, Time: w.now.Add(time.Duration(i) * time.Minute),
		})
		if i == 20 {
			w.drain()
		}
	}
	at := func(i int) time.Time { return w.now.Add(time.Duration(i) * time.Minute) }
	all := []string{"38", "36", "34", "32", "30", "28", "26", "24", "22", "20", "18", "16", "14", "12", "10", "8", "6", "4", "2", "0"}
	for name, c := range map[string]struct {
		f    Filter
		want []string
	}{
		"all":            {Filter{}, all},
		"actor":          {Filter{ActorID: actors[1].ID.String()}, []string{"38", "34", "30", "26", "22", "18", "14", "10", "6", "2"}},
		"actor, upper":   {Filter{ActorID: upper(actors[1].ID), Limit: 1}, []string{"38"}},
		"no such actor":  {Filter{ActorID: "nobody"}, []string{}},
		"action":         {Filter{Action: SecretWrite}, []string{"38", "36", "30", "28", "22", "20", "14", "12", "6", "4"}},
		"type":           {Filter{ResourceType: "vault"}, []string{"30", "28", "26", "24", "14", "12", "10", "8"}},
		"resource":       {Filter{ResourceID: "12"}, []string{"12"}},
		"from, included": {Filter{From: at(34)}, []string{"38", "36", "34"}},
		"to, excluded":   {Filter{To: at(4)}, []string{"2", "0"}},
		"between":        {Filter{From: at(10), To: at(16)}, []string{"14", "12", "10"}},
		"limit":          {Filter{Limit: 3}, []string{"38", "36", "34"}},
		"offset":         {Filter{Limit: 3, Offset: 8}, []string{"22", "20", "18"}},
		"past the end":   {Filter{Offset: 20}, []string{}},
		"both":           {Filter{Action: SecretWrite, Limit: 2, Offset: 1}, []string{"36", "30"}},
		"negative":       {Filter{Limit: -1, Offset: -1}, all},
	} {
		if got := names(must[[]Record](t)(w.log.Query(t.Context(), w.orgs[0], c.f))); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := must[[]Record](t)(w.log.Query(t.Context(), id.New(), Filter{})); got == nil || len(got) != 0 {
		t.Errorf("another organisation sees %v", got)
	}
}

func upper(i id.ID) string {
	b := []byte(i.String())
	for k, c := range b {
		if c >= 'a' {
			b[k] = c - 32
		}
	}
	return string(b)
}

func TestU4LimitIsBounded(t *testing.T) {
	w := newWorld(t)
	w.orgs = w.orgs[:1]
	w.grow(MaxLimit + 50)
	for limit, want := range map[int]int{0: DefaultLimit, 7: 7, MaxLimit: MaxLimit, MaxLimit + 1: MaxLimit} {
		if got := must[[]Record](t)(w.log.Query(t.Context(), w.orgs[0], Filter{Limit: limit})); len(got) != want {
			t.Errorf("limit %d: %d", limit, len(got))
		}
	}
}

// Wherever the border between archive and outbox is, and where it moves while
// the query runs, each event shows once.
func TestQueryMergesArchiveAndOutbox(t *testing.T) {
	w := newWorld(t)
	w.orgs = w.orgs[:1]
	check := func(when string) {
		t.Helper()
		got := must[[]Record](t)(w.log.Query(t.Context(), w.orgs[0], Filter{Limit: 1000}))
		if len(got) != w.n {
			t.Fatalf("%s: %d of %d events", when, len(got), w.n)
		}
		for i, r := range got {
			if r.Index != uint64(w.n-1-i) {
				t.Fatalf("%s: index %d at %d", when, r.Index, i)
			}
		}
	}
	for i := range 5 {
		w.grow(150)
		check(fmt.Sprint("outbox ", i))
		if i%2 == 0 {
			w.drain()
			check(fmt.Sprint("archive ", i))
		}
	}
	seen := 0
	w.must(w.log.newestFirst(t.Context(), func([]byte) bool {
		if seen++; seen == 3 {
			w.drain() // everything moves under the reader
		}
		return true
	}))
	if seen != w.n {
		t.Errorf("%d of %d while draining", seen, w.n)
	}
	// A drain that died before the outbox was emptied leaves both.
	w.grow(20)
	w.must(w.archive.Append([]Entry{{uint64(w.n - 20), w.leaf(uint64(w.n - 20))}}))
	check("delivered twice")
}

func TestLeafIsTheOrganisations(t *testing.T) {
	w := newWorld(t)
	w.grow(3)
	if raw := must[[]byte](t)(w.log.Leaf(t.Context(), w.orgs[1], 1)); string(raw) != string(w.leaf(1)) {
		t.Error("not the exact bytes")
	}
	for _, index := range []uint64{0, 2, 3, 1 << 63} {
		if _, err := w.log.Leaf(t.Context(), w.orgs[1], index); !errors.Is(err, ErrNotFound) {
			t.Errorf("%d: %v", index, err)
		}
	}
}
