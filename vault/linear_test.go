package vault_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// asked and answered are an operation on one secret, as its caller saw it.
type asked struct {
	op    string // put, read, delete, list
	value string
	max   uint32
}

type answered struct {
	code   string // of the refusal
	number uint32 // 0 in a list: not there
	value  string
}

// secretState is what a secret is, by the rules.
type secretState struct {
	number     uint32
	value      string
	deleted    bool
	max, reads uint32
}

func (s secretState) gone() string {
	switch {
	case s.number == 0:
		return "secret_not_found"
	case s.deleted:
		return "secret_deleted"
	case s.max > 0 && s.reads >= s.max:
		return "secret_exhausted"
	}
	return ""
}

func (s secretState) step(in asked, out answered) (bool, secretState) {
	switch in.op {
	case "put":
		return out.code == "" && out.number == s.number+1, secretState{number: s.number + 1, value: in.value, max: in.max}
	case "delete":
		if s.number == 0 || s.deleted {
			return out.code == s.gone(), s
		}
		s.deleted = true
		return out.code == "", s
	case "list":
		if s.gone() != "" {
			return out.number == 0, s
		}
		return out.number == s.number, s
	}
	if why := s.gone(); why != "" {
		return out.code == why, s
	}
	if s.max > 0 {
		s.reads++
	}
	return out == answered{number: s.number, value: s.value}, s
}

var secretModel = porcupine.Model{
	Init: func() any { return secretState{} },
	Step: func(state, in, out any) (bool, any) {
		ok, next := state.(secretState).step(in.(asked), out.(answered))
		return ok, next
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}

// ask does one operation for real.
func ask(ctx context.Context, s *vault.Service, p identity.Principal, v id.ID, path vault.SecretPath, in asked) (out answered) {
	switch in.op {
	case "put":
		n := vault.NewVersion{Value: plain.FromString(in.value)}
		if in.max > 0 {
			n.MaxAccess = ptr(int64(in.max))
		}
		sec, err := s.Put(ctx, p, v, path, n)
		return answered{code(err), sec.Latest.Number, ""}
	case "delete":
		return answered{code: code(s.Delete(ctx, p, v, path))}
	case "list":
		list, err := s.List(ctx, p, v, path.String())
		out.code = code(err)
		for _, sec := range list {
			out.number = sec.Latest.Number
		}
		return out
	}
	sec, got, err := s.Read(ctx, p, v, path)
	return answered{code(err), sec.Latest.Number, string(got.Reveal())}
}

// history lets clients loose on one secret and records what they saw.
func history(w *world, path vault.SecretPath, clients, each int) []porcupine.Operation {
	var (
		mu    sync.Mutex
		out   []porcupine.Operation
		epoch = time.Now()
	)
	// Two services share the store, so that not only the lock within one
	// keeps writers apart.
	services := []*vault.Service{w.Service, vault.New(w.faults, w.gate, w.Clock.Now)}
	together(clients, func(c int) {
		for i := range each {
			in := asked{op: "read"}
			switch (c*7 + i*5) % 11 {
			case 0, 3:
				in = asked{op: "put", value: fmt.Sprint(c, "/", i), max: uint32((c + i) % 3)}
			case 6:
				in = asked{op: "delete"}
			case 1, 8:
				in = asked{op: "list"}
			}
			call := time.Since(epoch).Nanoseconds()
			got := ask(w.Ctx, services[c%2], w.alice, w.v.ID, path, in)
			back := time.Since(epoch).Nanoseconds()
			if got.code == vault.ErrContended.Code {
				continue // refused before it did anything
			}
			mu.Lock()
			out = append(out, porcupine.Operation{ClientId: c, Input: in, Call: call, Output: got, Return: back})
			mu.Unlock()
		}
	})
	return out
}

func TestS7_Linearizable(t *testing.T) {
	w := newWorld(t)
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for r := range rounds {
		h := history(w, w.path(fmt.Sprint("round", r)), 8, 40)
		if res := porcupine.CheckOperationsTimeout(secretModel, h, time.Minute); res != porcupine.Ok {
			t.Fatalf("round %d: %s; %d operations", r, res, len(h))
		}
		if r == 0 {
			wantTeeth(t, h)
		}
	}
}

// wantTeeth plants one wrong answer of each kind in a good history.
func wantTeeth(t *testing.T, good []porcupine.Operation) {
	t.Helper()
	for name, lie := range map[string]func(in asked, out *answered) bool{
		"an older value": func(in asked, out *answered) bool {
			out.value = "0/-1"
			return in.op == "read" && out.code == ""
		},
		"a version twice": func(in asked, out *answered) bool { out.number--; return in.op == "put" && out.number > 1 },
		"one read too many": func(in asked, out *answered) bool {
			was := out.code
			out.code, out.number, out.value = "", 1, "x"
			return in.op == "read" && was == "secret_exhausted"
		},
		"a deletion of nothing": func(in asked, out *answered) bool {
			was := out.code
			out.code = "secret_not_found"
			return in.op == "delete" && was == ""
		},
	} {
		planted := false
		for i := len(good) - 1; i >= 0; i-- { // late, when the secret surely exists
			in, out := good[i].Input.(asked), good[i].Output.(answered)
			if !lie(in, &out) {
				continue
			}
			planted = true
			bad := append([]porcupine.Operation{}, good...)
			bad[i].Output = out
			if porcupine.CheckOperations(secretModel, bad) {
				t.Errorf("%s went unnoticed", name)
			}
			break
		}
		if !planted {
			t.Logf("%s: nowhere to plant it", name)
		}
	}
}
