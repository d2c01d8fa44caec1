package agents_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// mutations are the methods that change something.
func (w *world) mutations(agent id.ID) map[string]func() error {
	return map[string]func() error{
		"Register":           func() error { _, _, err := w.Register(w.Ctx, w.alice, agents.Spec{Name: "x"}); return err },
		"Update":             func() error { _, err := w.Update(w.Ctx, w.alice, agent, agents.Change{Name: ptr("y")}); return err },
		"Deactivate":         func() error { return w.Deactivate(w.Ctx, w.alice, agent) },
		"RotateKey":          func() error { _, err := w.RotateKey(w.Ctx, w.alice, agent); return err },
		"RotateIdentityKeys": func() error { _, err := w.RotateIdentityKeys(w.Ctx, w.alice, agent); return err },
	}
}

// What cannot be recorded, or not be stored, does not happen at all: in a new
// organisation and in one that has a keys vault already.
func TestAudit_FailureStopsEverything(t *testing.T) {
	disk := errors.New("no space left on device")
	w := newWorld(t)
	a, key := w.register(agents.Spec{})
	fresh := newWorld(t)
	for name, call := range w.mutations(a.ID) {
		w.unchanged(func() {
			w.faults.set(disk, nil)
			w.Logs("", func() { w.Is(call(), disk) })
			w.faults.set(nil, disk)
			w.Logs("", func() { w.Is(call(), disk) })
			w.faults.set(nil, nil)
		})
		_ = name
	}
	w.login(key)
	fresh.faults.set(disk, nil)
	fresh.unchanged(func() {
		fresh.Logs("", func() { fresh.Is(fresh.mutations(id.New())["Register"](), disk) })
	})
	// Nor is a refusal given that cannot be recorded.
	w.faults.set(disk, nil)
	stranger := w.user(w.org, identity.RoleMember)
	_, err := w.Update(w.Ctx, stranger, a.ID, agents.Change{})
	w.Is(err, disk)
	_, err = w.RotateIdentityKeys(w.Ctx, stranger, a.ID)
	w.Is(err, disk)
	_, err = w.Self(w.Ctx, stranger)
	w.Is(err, disk)
}

func TestHSM_OutageRegistersNobody(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		for _, first := range []bool{false, true} {
			w := newWorld(t)
			agent := id.New()
			if !first {
				a, _ := w.register(agents.Spec{})
				agent = a.ID
			}
			want := error(hsm.ErrUnavailable)
			w.module.down.Store(true)
			if sealed {
				want = hsm.ErrSealed
				w.OK(w.gate.Close())
			}
			w.unchanged(func() {
				w.Logs("", func() {
					w.Is(w.mutations(agent)["Register"](), want)
					if !first {
						w.Is(w.mutations(agent)["RotateIdentityKeys"](), want)
					}
				})
			})
			if !first { // what needs no key goes on
				w.OK(w.mutations(agent)["Update"]())
				w.OK(w.mutations(agent)["RotateKey"]())
				w.OK(w.mutations(agent)["Deactivate"]())
			}
		}
	}
}

func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			fn(i)
		})
	}
	close(begin)
	wg.Wait()
}

// Sixteen first agents at once: one vault, and everybody's keys in it.
func TestA3_FirstAgentsAtOnce(t *testing.T) {
	w := newWorld(t)
	made := make([]identity.Agent, 16)
	keys := make([]string, 16)
	together(16, func(i int) {
		var err error
		if made[i], keys[i], err = w.Register(w.Ctx, w.alice, agents.Spec{Name: fmt.Sprint("bot ", i)}); err != nil {
			t.Error(err)
		}
	})
	vs := w.keysVaults()
	storetest.Equal(t, "vaults", len(vs), 1)
	list, err := w.vaults.List(w.Ctx, w.alice, vs[0].ID, "")
	w.OK(err)
	storetest.Equal(t, "private keys", len(list), 32)
	for i, a := range made {
		storetest.Equal(t, "login", w.login(keys[i]).ID, a.ID)
		path, err := vault.ParseSecretPath("agents/" + a.ID.String() + "/ssh/private_key")
		w.OK(err)
		_, got, err := w.vaults.Read(w.Ctx, w.alice, vs[0].ID, path)
		w.OK(err)
		storetest.Equal(t, "length", got.Len(), 44)
	}
}

// The public half that is stored is always that of the newest private one.
func TestA5_RotatedAtOnce(t *testing.T) {
	w := newWorld(t)
	a, _ := w.register(agents.Spec{})
	together(8, func(int) {
		if _, err := w.RotateIdentityKeys(w.Ctx, w.alice, a.ID); err != nil && !errors.Is(err, agents.ErrContended) {
			t.Error(err)
		}
	})
	path, err := vault.ParseSecretPath("agents/" + a.ID.String() + "/ssh/private_key")
	w.OK(err)
	_, got, err := w.vaults.Read(w.Ctx, w.alice, w.keysVaults()[0].ID, path)
	w.OK(err)
	storetest.Equal(t, "pair", w.stored(a.ID).SSHPublicKey, publicOf(w, got.Reveal()))
}

// Of keys rotated at once only one works in the end.
func TestA6_RotatedAtOnce(t *testing.T) {
	w := newWorld(t)
	a, first := w.register(agents.Spec{})
	keys := make([]string, 9)
	keys[8] = first
	together(8, func(i int) {
		var err error
		if keys[i], err = w.RotateKey(w.Ctx, w.alice, a.ID); err != nil {
			t.Error(err)
		}
	})
	good := 0
	for _, k := range keys {
		if _, err := w.ident.ExchangeAgentKey(w.Ctx, a.ID, k, peer); err == nil {
			good++
		}
	}
	storetest.Equal(t, "keys that work", good, 1)
}

// Changes to different parts at once are all kept.
func TestA7_ChangedAtOnce(t *testing.T) {
	w := newWorld(t)
	a, _ := w.register(agents.Spec{})
	changes := []agents.Change{
		{Name: ptr("x")}, {Description: ptr("x")}, {TokenTTL: ptr(900)}, {Intents: ptr(true)}, {Scopes: &[]string{"x"}}, {ShroudEnabled: ptr(true)},
	}
	together(len(changes), func(i int) {
		if _, err := w.Update(w.Ctx, w.alice, a.ID, changes[i]); err != nil {
			t.Error(err)
		}
	})
	got := w.stored(a.ID)
	if got.Name != "x" || got.Description != "x" || got.TokenTTL != 900 || !got.Intents || len(got.Scopes) != 1 || !got.ShroudEnabled {
		t.Errorf("got %+v", got)
	}
}

// The keys vault that appears in between is used, not made again.
func TestA3_VaultMadeMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.faults.slip(func() { w.register(agents.Spec{Name: "faster"}) })
	w.register(agents.Spec{Name: "slower"})
	storetest.Equal(t, "vaults", len(w.keysVaults()), 1)
	list, err := w.List(w.Ctx, w.alice)
	w.OK(err)
	storetest.Equal(t, "agents", len(list), 2)
}

func TestU5_Canary(t *testing.T) {
	var logged bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.Level(-100)})))
	t.Cleanup(func() { slog.SetDefault(was) })
	w := newWorld(t)
	const canary = "CANARY-5d0a77"
	a, key := w.register(agents.Spec{Name: "x", Description: canary, ShroudConfig: []byte(`{"k":"` + canary + `"}`)})
	path, err := vault.ParseSecretPath("agents/" + a.ID.String() + "/ssh/private_key")
	w.OK(err)
	_, seed, err := w.vaults.Read(w.Ctx, w.alice, w.keysVaults()[0].ID, path)
	w.OK(err)
	_, err = w.RotateIdentityKeys(w.Ctx, w.alice, a.ID)
	w.OK(err)
	next, err := w.RotateKey(w.Ctx, w.alice, a.ID)
	w.OK(err)
	bad := []byte(`["` + canary + `"]`)
	_, refused := w.Update(w.Ctx, w.alice, a.ID, agents.Change{ShroudConfig: ptr(json.RawMessage(bad))})
	list, err := w.List(w.Ctx, w.alice)
	w.OK(err)
	file, err := os.ReadFile(w.Store.Config().Path)
	w.OK(err)
	secrets := []string{key[4:], next[4:], string(seed.Reveal())}
	places := append(w.Leaves(0), logged.Bytes(), file, fmt.Appendf(nil, "%+v %+v", refused, errors.Unwrap(refused)))
	for _, text := range places {
		for _, s := range append(secrets, canary) {
			if bytes.Contains(text, []byte(s)) {
				t.Errorf("%q is in %.200q", s, text)
			}
		}
	}
	for _, s := range secrets { // an agent's own record may show its description
		if text := fmt.Sprintf("%+v %#v", list, list); bytes.Contains([]byte(text), []byte(s)) {
			t.Errorf("%q is in %s", s, text)
		}
	}
}
