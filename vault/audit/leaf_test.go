package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

func mustID(t testing.TB, s string) id.ID { return must[id.ID](t)(id.Parse(s)) }

// The bytes of a record never change: roots that auditors keep depend on them.
func TestLeafVector(t *testing.T) {
	prev := mustID(t, "0195c2f0-0000-7000-8000-000000000001")
	l := newLeaf(Event{
		Org:      mustID(t, "0195c2f0-0000-7000-8000-000000000002"),
		Actor:    Actor{"agent", mustID(t, "0195c2f0-0000-7000-8000-000000000003")},
		Action:   SecretRead,
		Resource: Resource{"secret", "prod/db"},
		Outcome:  Refused, Reason: "no_policy",
		Inputs:   []byte{0xab, 0xcd},
		Policies: []id.ID{prev},
		IP:       "10.0.0.1", Request: "req-1",
		Time: time.Date(2026, 3, 1, 13, 0, 0, 120_000_000, time.FixedZone("CET", 3600)),
	}, 7, ChainHead{Event: prev, Hash: strings.Repeat("0f", 32), Count: 4})
	l.ID = mustID(t, "0195c2f0-0000-7000-8000-000000000004")
	l.IntegrityHash = l.integrity()
	l.Details = must[[]byte](t)(encodeDetails(Details{"vault_id": "v", "path": "prod/db", "attempt": 2}))
	const want = `{"v":1,"seq":7,"id":"0195c2f0-0000-7000-8000-000000000004","time":"2026-03-01T12:00:00.12Z",` +
		`"org":"0195c2f0-0000-7000-8000-000000000002","actor":{"type":"agent","id":"0195c2f0-0000-7000-8000-000000000003"},` +
		`"action":"secret.read","resource":{"type":"secret","id":"prod/db"},"outcome":"refused","reason":"no_policy",` +
		`"details":{"attempt":2,"path":"prod/db","vault_id":"v"},"inputs":"abcd",` +
		`"policies":["0195c2f0-0000-7000-8000-000000000001"],"ip":"10.0.0.1","request":"req-1",` +
		`"prev_event_id":"0195c2f0-0000-7000-8000-000000000001",` +
		`"prev_hash":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",` +
		`"integrity_hash":"INTEGRITY"}`
	sum := sha256.Sum256([]byte(strings.Repeat("0f", 32) + "|0195c2f0-0000-7000-8000-000000000004|0195c2f0-0000-7000-8000-000000000003|" +
		"secret.read|secret|prod/db|2026-03-01T12:00:00.12Z"))
	if got := string(must[[]byte](t)(l.encode())); got != strings.Replace(want, "INTEGRITY", hex.EncodeToString(sum[:]), 1) {
		t.Errorf("got\n%s", got)
	}
}

// U3: SHA-256 over prev_hash|event_id|actor_id|action|resource_type|
// resource_id|timestamp, in lower-case hex.
func TestU3IntegrityHash(t *testing.T) {
	a := "0195c2f0-0000-7000-8000-000000000003"
	for name, c := range map[string]struct {
		head  ChainHead
		event Event
		want  string // after the event id
		prev  string
	}{
		"genesis": {
			event: Event{Actor: Actor{"agent", mustID(t, a)}, Action: SecretRead, Resource: Resource{"secret", "a/b"}, Time: time.Unix(0, 0)},
			want:  a + "|secret.read|secret|a/b|1970-01-01T00:00:00Z",
		},
		"next": {
			head:  ChainHead{Event: mustID(t, a), Hash: "aa", Count: 1},
			event: Event{Actor: Actor{"user", mustID(t, a)}, Action: VaultDelete, Resource: Resource{"vault", "x"}, Time: time.Unix(1, 123456789)},
			want:  a + "|vault.delete|vault|x|1970-01-01T00:00:01.123456Z", prev: "aa",
		},
		"nobody": {
			event: Event{Actor: Actor{Type: "anonymous"}, Action: AuthFailure, Time: time.Unix(2, 0)},
			want:  "|auth.failure|||1970-01-01T00:00:02Z",
		},
	} {
		l := newLeaf(c.event, 0, c.head)
		sum := sha256.Sum256([]byte(c.prev + "|" + l.ID.String() + "|" + c.want))
		if l.IntegrityHash != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %s", name, l.IntegrityHash)
		}
	}
}

func TestDecodeLeafRefuses(t *testing.T) {
	w := newWorld(t)
	w.grow(1)
	good := string(w.leaf(0))
	for name, s := range map[string]string{
		"nothing":       "",
		"no JSON":       "x",
		"cut":           good[:len(good)-1],
		"more":          good + "{}",
		"unknown field": strings.Replace(good, `{"v":1`, `{"v":1,"w":2`, 1),
		"version":       strings.Replace(good, `{"v":1`, `{"v":2`, 1),
		"bad id":        strings.Replace(good, `"id":"`, `"id":"z`, 1),
		"huge":          strings.Replace(good, `"v":1`, `"v":1`+strings.Repeat(" ", maxLeaf), 1),
	} {
		if _, err := decodeLeaf([]byte(s)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// What decodes encodes to something that decodes to the same, and whatever a
// record claims, following it does not fail.
func FuzzDecodeLeaf(f *testing.F) {
	w := newWorld(f)
	w.grow(3)
	for seq := range uint64(3) {
		f.Add(w.leaf(seq))
	}
	f.Add([]byte(`{"v":1,"details":null,"prev_event_id":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := decodeLeaf(raw)
		if err != nil {
			return
		}
		newChains(false).follow(l)
		if _, err := decodeRecord(raw); err != nil && l.Details == nil {
			t.Fatal(err)
		}
		once, err := l.encode()
		if err != nil {
			return // a time that has no RFC 3339 form
		}
		again, err := decodeLeaf(once)
		if err != nil {
			if len(once) > maxLeaf {
				return
			}
			t.Fatalf("%s: %v", once, err)
		}
		if twice := must[[]byte](t)(again.encode()); !bytes.Equal(once, twice) {
			t.Fatalf("%s\n%s", once, twice)
		}
	})
}

// FuzzLeafEncoding holds the bytes of a leaf against those of the package that
// their format comes from.
func FuzzLeafEncoding(f *testing.F) {
	f.Add("agent", "prod/db", "", "10.0.0.1", "path", "a<b>&\u2028\x7f\xff\"\\", uint64(1<<63), int64(1e18), []byte{1, 2}, true)
	f.Add("", "", "code", "", "", "", uint64(0), int64(-5), []byte(nil), false)
	f.Fuzz(func(t *testing.T, actor, resource, reason, ip, key, value string, n uint64, at int64, inputs []byte, more bool) {
		e := Event{
			Actor: Actor{Type: actor}, Action: Action(key), Resource: Resource{resource, resource}, Reason: reason, IP: ip, Request: value,
			Inputs: inputs, Time: time.Unix(0, at), Outcome: Outcome(reason),
		}
		details := Details{key: value}
		var head ChainHead
		if more {
			e.Org, e.Actor.ID, e.Policies = id.New(), id.New(), []id.ID{id.New(), id.New()}
			head = ChainHead{Event: id.New(), Hash: value}
			details = Details{key: value, "n": n, "i": int(at), "u": uint32(n), "b": more, "list": []string{key, value}, "time": e.Time, "nothing": nil}
		}
		got := must[json.RawMessage](t)(encodeDetails(details))
		want := must[[]byte](t)(json.Marshal(map[string]any(details)))
		if len(want) > maxDetails {
			want = fmt.Appendf(nil, `{"dropped_bytes":%d}`, len(want))
		}
		if string(got) != string(want) {
			t.Errorf("details\n%s instead of\n%s", got, want)
		}
		l := newLeaf(e, n, head)
		l.Details = got
		if got, want := must[[]byte](t)(l.encode()), must[[]byte](t)(json.Marshal(l)); string(got) != string(want) {
			t.Errorf("leaf\n%s instead of\n%s", got, want)
		}
	})
}
