package manifest_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/manifest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// shelf is what an agent may read.
type shelf struct {
	t      *testing.T
	values map[vault.ManifestKey]string
	opened int
	loads  int
	rights uint64
	now    time.Time
	fails  error
}

func (s *shelf) keeper() *manifest.Keeper {
	return &manifest.Keeper{Load: s.load, Rights: func() uint64 { return s.rights }, Now: func() time.Time { return s.now }}
}

func (s *shelf) load(_ context.Context, _ identity.Principal, have map[vault.ManifestKey]bool) (out []vault.ManifestEntry, err error) {
	s.loads++
	if s.fails != nil {
		return nil, s.fails
	}
	for key, value := range s.values {
		path, err := vault.ParseSecretPath("a/" + key.Secret.String())
		if err != nil {
			s.t.Fatal(err)
		}
		e := vault.ManifestEntry{ManifestKey: key, Path: path}
		if !have[key] {
			s.opened++
			e.Value = plain.FromString(value)
		}
		out = append(out, e)
	}
	return out, nil
}

func (s *shelf) put(secret id.ID, version uint32, value string) {
	delete(s.values, vault.ManifestKey{Secret: secret, Version: version - 1})
	s.values[vault.ManifestKey{Secret: secret, Version: version}] = value
	s.rights++
}

func TestKeeper(t *testing.T) {
	s := &shelf{t: t, values: map[vault.ManifestKey]string{}, now: time.Unix(1_800_000_000, 0)}
	one, two := id.New(), id.New()
	s.put(one, 1, "first-value-of-one")
	s.put(two, 1, "first-value-of-two")
	k, agent := s.keeper(), identity.Principal{ID: id.New()}
	version := uint64(0)
	hides := func(text string, want bool) {
		t.Helper()
		m, v, err := k.For(t.Context(), agent)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := m.Redact(text); (got != text) != want {
			t.Errorf("%q becomes %q", text, got)
		}
		version = v
	}
	hides("first-value-of-one", true)
	hides("first-value-of-two", true)
	hides("second-value-of-one", false)
	if s.opened != 2 || s.loads != 1 {
		t.Errorf("%d opened in %d loads", s.opened, s.loads)
	}

	// A new value counts at once, and only it is opened.
	before := version
	s.now = s.now.Add(2 * time.Second)
	s.put(one, 2, "second-value-of-one")
	hides("second-value-of-one", true)
	hides("first-value-of-one", false)
	hides("first-value-of-two", true)
	if s.opened != 3 || version == before {
		t.Errorf("%d opened, version %d", s.opened, version)
	}

	// What changes for others changes nothing here.
	before = version
	s.now = s.now.Add(2 * time.Second)
	s.rights++
	hides("first-value-of-two", true)
	if version != before || s.opened != 3 {
		t.Error("another matcher for the same values")
	}

	// Where the time decides who may read, a minute does.
	s.now = s.now.Add(59 * time.Second)
	delete(s.values, vault.ManifestKey{Secret: two, Version: 1})
	hides("first-value-of-two", true)
	s.now = s.now.Add(2 * time.Second)
	hides("first-value-of-two", false)

	// If it is not known what may not get out, nobody says that nothing is.
	s.fails = errors.New("the HSM is gone")
	s.now = s.now.Add(2 * time.Minute)
	if m, _, err := k.For(t.Context(), agent); err == nil || m != nil {
		t.Error("a manifest without values")
	}
}

func TestKeeperForgets(t *testing.T) {
	s := &shelf{t: t, values: map[vault.ManifestKey]string{}, now: time.Unix(1_800_000_000, 0)}
	s.put(id.New(), 1, "a-value-that-is-kept")
	k, agent := s.keeper(), identity.Principal{ID: id.New()}
	for _, idle := range []time.Duration{0, time.Second, time.Hour} {
		s.now = s.now.Add(idle)
		if _, _, err := k.For(t.Context(), identity.Principal{ID: id.New()}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := k.For(t.Context(), agent); err != nil {
			t.Fatal(err)
		}
	}
	// Three others, and the agent itself twice: once more after the hour.
	if s.opened != 5 {
		t.Errorf("%d opened", s.opened)
	}
	k.Forget()
	if _, _, err := k.For(t.Context(), agent); err != nil || s.opened != 6 {
		t.Errorf("%d opened, %v", s.opened, err)
	}
}

// Another token of the agent, or another place it calls from, has a manifest of its
// own: it may be allowed more.
func TestKeeperTellsReachesApart(t *testing.T) {
	s := &shelf{t: t, values: map[vault.ManifestKey]string{}, now: time.Unix(1_800_000_000, 0)}
	s.put(id.New(), 1, "a-value-that-is-kept")
	k, agent := s.keeper(), identity.Principal{ID: id.New()}
	wide, there := agent, agent
	wide.VaultIDs = []id.ID{id.New()}
	there.IP = netip.MustParseAddr("192.0.2.1")
	for i, p := range []identity.Principal{agent, wide, there, agent, wide, there} {
		if _, _, err := k.For(t.Context(), p); err != nil || s.loads != min(i+1, 3) {
			t.Fatalf("call %d: %d loads, %v", i, s.loads, err)
		}
	}
}
