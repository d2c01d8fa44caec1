// Package manifest keeps the values that agents may read, ready to be looked for in
// what they send and get. It decides when they are opened anew, and lets go of those
// of agents that do not call any more.
//
// It must not know what is done with what is found.
package manifest

import (
	"context"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/shroud/redact"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Keeper has, for each agent that calls, what of the vaults must not get out through
// it: every value that it may read. A value that is written counts with the next
// call, or a second later where much is written.
type Keeper struct {
	// Load returns the values; those of the versions in have need not be opened.
	Load func(ctx context.Context, p identity.Principal, have map[vault.ManifestKey]bool) ([]vault.ManifestEntry, error)
	// Rights is another number after each change of who may do what.
	Rights func() uint64
	Now    func() time.Time

	mu     sync.Mutex
	agents map[identity.Reach]*manifest
}

// How long a manifest is used.
const (
	settles = time.Second      // even if rights change meanwhile
	ages    = time.Minute      // even if they do not: conditions of policies look at the time
	idles   = 15 * time.Minute // until an agent that does not call is forgotten
)

// manifest is that of one agent, by all that decides what it may read.
type manifest struct {
	mu      sync.Mutex
	entries map[vault.ManifestKey]vault.ManifestEntry
	matcher *redact.Matcher
	version uint64 // counts the matchers
	rights  uint64
	loaded  time.Time
	used    time.Time
}

// For is what must not get out through p, and a number that changes with it. An
// error means that it is not known, and that nothing may get out.
func (k *Keeper) For(ctx context.Context, p identity.Principal) (*redact.Matcher, uint64, error) {
	a := k.agent(p.Reach())
	a.mu.Lock()
	defer a.mu.Unlock()
	now, rights := k.Now(), k.Rights()
	a.used = now
	age := now.Sub(a.loaded)
	if a.matcher != nil && age >= 0 && age < ages && (a.rights == rights || age < settles) {
		return a.matcher, a.version, nil
	}
	if err := a.load(ctx, k, p); err != nil {
		return nil, 0, err
	}
	a.rights, a.loaded = rights, now
	return a.matcher, a.version, nil
}

func (k *Keeper) agent(agent identity.Reach) *manifest {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.agents == nil {
		k.agents = map[identity.Reach]*manifest{}
	}
	a, ok := k.agents[agent]
	if !ok {
		k.forget()
		a = &manifest{used: k.Now()}
		k.agents[agent] = a
	}
	return a
}

// forget lets go of the values of agents that do not call any more.
func (k *Keeper) forget() {
	before := k.Now().Add(-idles)
	for name, a := range k.agents {
		if !a.mu.TryLock() {
			continue // it calls
		}
		if a.used.Before(before) {
			a.wipe()
			delete(k.agents, name)
		}
		a.mu.Unlock()
	}
}

// Forget lets go of all values.
func (k *Keeper) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.agents {
		a.mu.Lock()
		a.wipe()
		a.mu.Unlock()
	}
	k.agents = nil
}

func (a *manifest) wipe() {
	for _, e := range a.entries {
		e.Value.Wipe()
	}
	a.entries, a.matcher = nil, nil
}

// load makes a new matcher, if anything has changed.
func (a *manifest) load(ctx context.Context, k *Keeper, p identity.Principal) error {
	have := make(map[vault.ManifestKey]bool, len(a.entries))
	for key := range a.entries {
		have[key] = true
	}
	found, err := k.Load(ctx, p, have)
	if err != nil {
		return err
	}
	entries := make(map[vault.ManifestKey]vault.ManifestEntry, len(found))
	same := len(found) == len(a.entries)
	for _, e := range found {
		old, ok := a.entries[e.ManifestKey]
		if ok {
			e.Value = old.Value
		}
		same = same && ok && old.Path == e.Path
		entries[e.ManifestKey] = e
	}
	for key, old := range a.entries {
		if _, kept := entries[key]; !kept {
			old.Value.Wipe()
		}
	}
	a.entries = entries
	if same && a.matcher != nil {
		return nil
	}
	list := make([]redact.Entry, 0, len(found))
	for _, e := range found {
		list = append(list, redact.Entry{Path: e.Path.String(), Value: entries[e.ManifestKey].Value})
	}
	a.matcher = redact.New(list)
	a.version++
	return nil
}
