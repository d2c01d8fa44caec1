package e2e

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// history is what the clients of some secrets saw: when each call began and
// ended, and what came back.
type history struct {
	begin time.Time

	mu  sync.Mutex
	ops []porcupine.Operation
}

func newHistory() *history { return &history{begin: time.Now()} }

// call is one operation on one secret.
type call struct {
	path, kind, value string // kind is put, get or delete
}

// result is the answer to a call. A call without an answer was under way when
// the daemon was killed: it took effect before that, or never.
type result struct {
	lost    bool
	status  int
	version int
	value   string
}

// record makes a call and remembers it.
func (h *history) record(worker int, c *client, vault string, in call) answer {
	from := time.Since(h.begin)
	var a answer
	switch in.kind {
	case "put":
		a = c.put(vault, in.path, in.value)
	case "delete":
		a = c.do("DELETE", secretPath(vault, in.path), nil)
	default:
		a = c.get(vault, in.path)
	}
	out := result{lost: a.err != nil, status: a.status}
	if a.status == 200 || a.status == 201 {
		var s api.SecretResponse
		if json.Unmarshal(a.body, &s) == nil {
			out.version, out.value = s.Version, s.Value
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{
		ClientId: worker, Input: in, Output: out, Call: int64(from), Return: int64(time.Since(h.begin)),
	})
	return a
}

// check fails the test unless there is one order of all calls that explains
// every answer.
func (h *history) check(t testing.TB) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	model := secretModel.ToModel()
	switch porcupine.CheckOperationsTimeout(model, h.ops, patience) {
	case porcupine.Illegal:
		t.Errorf("no order explains these answers:%s", listOps(h.ops))
	case porcupine.Unknown:
		t.Errorf("%d calls are too many to order", len(h.ops))
	}
}

func listOps(ops []porcupine.Operation) (text string) {
	for _, op := range ops {
		text += fmt.Sprintf("\n%9v %9v worker %d %+v → %+v", time.Duration(op.Call), time.Duration(op.Return), op.ClientId, op.Input, op.Output)
	}
	return text
}

// secretState is a secret as the API shows it. Versions go on counting after a
// deletion.
type secretState struct {
	version int
	value   string
	live    bool
}

// secretModel is the promise: each secret is a register with version numbers,
// that acts at one instant between a call and its answer.
var secretModel = porcupine.NondeterministicModel{
	Partition: func(ops []porcupine.Operation) (parts [][]porcupine.Operation) {
		by := map[string]int{}
		for _, op := range ops {
			path := op.Input.(call).path
			i, known := by[path]
			if !known {
				i, by[path] = len(parts), len(parts)
				parts = append(parts, nil)
			}
			parts[i] = append(parts[i], op)
		}
		return parts
	},
	Init:  func() []any { return []any{secretState{}} },
	Equal: func(a, b any) bool { return a == b },
	Step: func(state, input, output any) []any {
		before, in, out := state.(secretState), input.(call), output.(result)
		after, fits := in.on(before, out)
		switch {
		case out.lost:
			return []any{before, after}
		case fits:
			return []any{after}
		}
		return nil
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v → %+v", in, out) },
}

// on returns the secret after the call, and whether the answer is right.
func (c call) on(s secretState, out result) (after secretState, fits bool) {
	switch c.kind {
	case "put":
		after = secretState{version: s.version + 1, value: c.value, live: true}
		return after, out.status == 201 && out.version == after.version
	case "delete":
		if s.live {
			return secretState{version: s.version}, out.status == 204
		}
		return s, out.status == gone(s)
	}
	if s.live {
		return s, out.status == 200 && out.version == s.version && out.value == s.value
	}
	return s, out.status == gone(s)
}

// gone is how a secret that cannot be read is refused.
func gone(s secretState) int {
	if s.version == 0 {
		return 404
	}
	return 410
}

// TestHistoryModel plants what the model is to find.
func TestHistoryModel(t *testing.T) {
	op := func(from, to int64, in call, out result) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: from, Return: to}
	}
	put := op(0, 1, call{"a", "put", "x"}, result{status: 201, version: 1})
	lost := op(0, 1, call{"a", "put", "x"}, result{lost: true})
	sees := func(at int64, value string, version int) porcupine.Operation {
		return op(at, at+1, call{"a", "get", ""}, result{status: 200, value: value, version: version})
	}
	none := func(at int64) porcupine.Operation {
		return op(at, at+1, call{"a", "get", ""}, result{status: 404})
	}
	for name, tt := range map[string]struct {
		ops  []porcupine.Operation
		want bool
	}{
		"seen":                     {[]porcupine.Operation{put, sees(2, "x", 1)}, true},
		"acknowledged and lost":    {[]porcupine.Operation{put, none(2)}, false},
		"another value":            {[]porcupine.Operation{put, sees(2, "y", 1)}, false},
		"a gap in the versions":    {[]porcupine.Operation{put, sees(2, "x", 2)}, false},
		"in flight, applied":       {[]porcupine.Operation{lost, sees(2, "x", 1)}, true},
		"in flight, not applied":   {[]porcupine.Operation{lost, none(2)}, true},
		"in flight, applied later": {[]porcupine.Operation{lost, none(2), sees(4, "x", 1)}, false},
		"applied, then not":        {[]porcupine.Operation{lost, sees(2, "x", 1), none(4)}, false},
	} {
		if got := porcupine.CheckOperations(secretModel.ToModel(), tt.ops); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
