package vault_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// manifest lists what p is watched with: "path=value", or "path" for a value that
// it had.
func (w *world) manifest(p identity.Principal, have map[vault.ManifestKey]bool) (out []string, keys map[vault.ManifestKey]bool) {
	w.Helper()
	all, err := w.Manifest(w.Ctx, p, have)
	w.OK(err)
	keys = map[vault.ManifestKey]bool{}
	for _, e := range all {
		keys[e.ManifestKey] = true
		s := e.Path.String()
		if e.Value.Len() > 0 {
			s += "=" + string(e.Value.Reveal())
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out, keys
}

func TestManifest(t *testing.T) {
	w := newWorld(t)
	agent := w.agent("**")
	w.put("a/one", "value-one")
	w.put("a/two", "value-two")
	w.put("b/other", "value-other")
	w.put("c/key", "value-key")
	gone := w.put("a/gone", "value-gone")
	w.OK(w.Delete(w.Ctx, w.alice, w.v.ID, gone.Path))
	if got, _ := w.manifest(agent, nil); len(got) != 0 {
		t.Fatalf("without a policy: %v", got)
	}
	w.grant(agent, "a/**", policy.Read)
	w.grant(agent, "c/**", policy.Use)

	var have map[vault.ManifestKey]bool
	events := w.Logs("shroud.manifest success", func() {
		w.unchanged(func() {
			var got []string
			got, have = w.manifest(agent, nil)
			storetest.Equal(t, "manifest", got, "[a/one=value-one a/two=value-two c/key=value-key]")
		})
	})
	storetest.Equal(t, "details", events[0].Details, fmt.Sprint(map[string]any{"opened": 3, "values": 3}))

	// What is there already is not opened again, nor is it an event.
	w.Logs("", func() {
		got, _ := w.manifest(agent, have)
		storetest.Equal(t, "manifest", got, "[a/one a/two c/key]")
	})
	w.put("a/one", "value-new")
	w.Logs("shroud.manifest success", func() {
		got, _ := w.manifest(agent, have)
		storetest.Equal(t, "manifest", got, "[a/one=value-new a/two c/key]")
	})
}

// A limited secret keeps its reads.
func TestManifestCountsNothing(t *testing.T) {
	w := newWorld(t)
	once := int64(1)
	n := value("only-once")
	n.MaxAccess = &once
	w.putAs(w.alice, "a/once", n)
	agent := w.agent("**")
	w.grant(agent, "a/**", policy.Read)
	for range 3 {
		got, _ := w.manifest(agent, nil)
		storetest.Equal(t, "manifest", got, "[a/once=only-once]")
	}
	if got, err := w.read(agent, "a/once"); err != nil || got != "only-once" {
		t.Errorf("%q %v", got, err)
	}
}

// Half a manifest is none.
func TestManifestFailsClosed(t *testing.T) {
	w := newWorld(t)
	w.put("a/one", "value-one")
	w.put("a/two", "value-two")
	w.OK(w.gate.Close())
	if all, err := w.Manifest(w.Ctx, w.alice, nil); err == nil {
		t.Errorf("%d values without keys", len(all))
	}
}
