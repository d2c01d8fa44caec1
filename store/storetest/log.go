package storetest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Event is an audit event as the store has it.
type Event struct {
	Seq      uint64
	Org      id.ID
	Actor    audit.Actor
	Action   audit.Action
	Resource audit.Resource
	Outcome  audit.Outcome
	Reason   string
	Details  map[string]any
	Inputs   string
	Policies []id.ID
	IP       string
	Request  string
	Time     time.Time
}

// String is the short form that tables use: "secret.read refused no_scopes".
func (e Event) String() string {
	return strings.TrimSpace(string(e.Action) + " " + string(e.Outcome) + " " + e.Reason)
}

// Size is how many events there are.
func (w *World) Size() (n uint64) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) (err error) { n, err = tx.AuditSize(); return err })
	return n
}

// Leaves are the bytes of all events from seq on.
func (w *World) Leaves(seq uint64) (out [][]byte) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) error {
		size, err := tx.AuditSize()
		for ; err == nil && seq < size; seq++ {
			var raw []byte
			raw, err = tx.AuditLeaf(seq)
			out = append(out, slices.Clone(raw))
		}
		return err
	})
	return out
}

// Events are all events from seq on.
func (w *World) Events(seq uint64) (out []Event) {
	w.Helper()
	for _, raw := range w.Leaves(seq) {
		var e Event
		w.OK(json.Unmarshal(raw, &e))
		out = append(out, e)
	}
	return out
}

// During are the events that fn leaves.
func (w *World) During(fn func()) []Event {
	w.Helper()
	from := w.Size()
	fn()
	return w.Events(from)
}

// Logs wants fn to leave exactly these events, separated by "; ".
func (w *World) Logs(want string, fn func()) []Event {
	w.Helper()
	got := w.During(fn)
	texts := make([]string, len(got))
	for i, e := range got {
		texts[i] = e.String()
	}
	if s := strings.Join(texts, "; "); s != want {
		w.Fatalf("audit log: got %q, want %q", s, want)
	}
	return got
}
