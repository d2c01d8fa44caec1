package auditstream

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/appliance/auditstream/syslogtest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

func TestMessage(t *testing.T) {
	org, event := id.New(), id.New()
	e := Event{JSON: []byte(`{"a":"é]\""}`), Record: audit.Record{
		Index: 7, ID: event, OrgID: org, Action: audit.SecretRead, ActorType: "agent", ActorID: "x", Outcome: audit.Refused,
		CreatedAt: time.Date(2026, 3, 2, 14, 0, 0, 123456789, time.FixedZone("", 7200)),
	}}
	want := `<108>1 2026-03-02T12:00:00.123456Z vault1 oneclawd 42 secret.read [oneclawd@32473 index="7" event_id="` + event.String() +
		`" org_id="` + org.String() + `" actor_type="agent" actor_id="x" outcome="refused"] ` + "\xef\xbb\xbf" + `{"a":"é]\""}`
	if got := string(message(e, "vault1", "42")); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for outcome, severity := range map[audit.Outcome]int{audit.Success: 6, audit.Refused: 4, audit.Failed: 3} {
		e.Outcome = outcome
		if m, err := syslogtest.Parse(message(e, "", "")); err != nil || m.Severity != severity || m.Facility != 13 || m.Hostname != "" || m.Process != "" {
			t.Errorf("%s: %+v %v", outcome, m, err)
		}
	}
	e.JSON = []byte(strings.Repeat("x", MaxMessage))
	raw := message(e, strings.Repeat("h", 1000), "")
	if m, err := syslogtest.Parse(raw); err != nil || len(raw) > MaxMessage || m.Params["omitted_bytes"] != "65536" || m.Text != "" {
		t.Errorf("too large: %d bytes, %+v, %v", len(raw), m, err)
	}
}

// FuzzMessage: whatever is in an event, its message is in the grammar, within
// the size, and says what it was given.
func FuzzMessage(f *testing.F) {
	f.Add("vault1", "42", "secret.read", "agent", `a"b\c]d`, "success", `{"a":1}`)
	f.Add("", "", "", "", "\xff\n", "", "")
	f.Add("ho st\x00é", "-", strings.Repeat("a", 40), "]", strings.Repeat("é", 200), "failed", "é")
	f.Fuzz(func(t *testing.T, host, process, action, actorType, actor, outcome, text string) {
		text = strings.ToValidUTF8(text, "?") // as JSON is
		e := Event{JSON: []byte(text), Record: audit.Record{
			Action: audit.Action(action), ActorType: actorType, ActorID: actor, Outcome: audit.Outcome(outcome),
			CreatedAt: time.Unix(int64(len(text)), 999999999),
		}}
		raw := message(e, host, process)
		m, err := syslogtest.Parse(raw)
		if err != nil || len(raw) > MaxMessage || !utf8.Valid(raw) {
			t.Fatalf("%q: %v", raw, err)
		}
		if m.App != "oneclawd" || m.Element != "oneclawd@32473" || m.Params["index"] != "0" || len(text) < 60<<10 && m.Text != text {
			t.Errorf("%+v", m)
		}
		if utf8.ValidString(actor) && len(actor) <= maxParam && m.Params["actor_id"] != actor {
			t.Errorf("the actor %q became %q", actor, m.Params["actor_id"])
		}
	})
}
