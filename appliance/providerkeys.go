package appliance

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// providerKeys finds the keys that agents call providers with. It implements
// shroud.Keys. A key that was read is kept for a short while, so that a
// conversation is not a read for each of its turns; rights that change end that.
type providerKeys struct {
	vaults *vault.Service
	rights func() uint64
	now    func() time.Time

	mu   sync.Mutex
	kept map[keyName]keptKey
}

// keyName is a key as one agent asks for it.
type keyName struct {
	by  identity.Reach
	ref string
}

type keptKey struct {
	value  plain.Bytes
	rights uint64
	until  time.Time
}

const (
	keyKept     = time.Minute
	maxKeptKeys = 4096
)

var errKeyRef = fault.New(fault.Invalid, "invalid_key_reference", "X-Shroud-Api-Key is not vault://{vault_id}/{path}")

const keyScheme = "vault://"

// ForProvider implements shroud.Keys: the first key of the provider that the agent
// may use.
func (k *providerKeys) ForProvider(ctx context.Context, p identity.Principal, names ...string) (plain.Bytes, error) {
	for _, name := range names {
		path, err := vault.ParseSecretPath("providers/" + name + "/api-key")
		if err != nil {
			return plain.Bytes{}, err
		}
		key, err := k.get(keyName{p.Reach(), path.String()}, func() (plain.Bytes, error) {
			found, err := k.vaults.FindUsable(ctx, p, path)
			if err != nil {
				return plain.Bytes{}, err
			}
			_, value, err := k.vaults.ReadForUse(ctx, p, found, path)
			return value, err
		})
		if !errors.Is(err, vault.ErrSecretNotFound) {
			return key, err
		}
	}
	return plain.Bytes{}, vault.ErrSecretNotFound
}

// Named implements shroud.Keys: what X-Shroud-Api-Key says, a key or where one is.
func (k *providerKeys) Named(ctx context.Context, p identity.Principal, header string) (plain.Bytes, error) {
	ref, isRef := strings.CutPrefix(header, keyScheme)
	if !isRef {
		return plain.FromString(header), nil
	}
	name, at, _ := strings.Cut(ref, "/")
	in, err := id.Parse(name)
	if err != nil {
		return plain.Bytes{}, errKeyRef
	}
	path, err := vault.ParseSecretPath(at)
	if err != nil {
		return plain.Bytes{}, errKeyRef
	}
	return k.get(keyName{p.Reach(), ref}, func() (plain.Bytes, error) {
		_, value, err := k.vaults.Read(ctx, p, in, path)
		return value, err
	})
}

// get returns a copy of a key, which is the caller's to wipe.
func (k *providerKeys) get(name keyName, read func() (plain.Bytes, error)) (plain.Bytes, error) {
	rights := k.rights() // before reading: what changes during it counts as changed after
	k.mu.Lock()
	if have, ok := k.kept[name]; ok && have.rights == rights && k.now().Before(have.until) {
		defer k.mu.Unlock()
		return have.value.Clone(), nil
	}
	k.mu.Unlock()
	value, err := read()
	if err != nil {
		return plain.Bytes{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.makeRoom()
	k.kept[name] = keptKey{value.Clone(), rights, k.now().Add(keyKept)}
	return value, nil
}

func (k *providerKeys) makeRoom() {
	if k.kept == nil {
		k.kept = map[keyName]keptKey{}
	}
	for name, have := range k.kept {
		if !k.now().Before(have.until) || len(k.kept) >= maxKeptKeys {
			have.value.Wipe()
			delete(k.kept, name)
		}
	}
}

// forget wipes all keys.
func (k *providerKeys) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, have := range k.kept {
		have.value.Wipe()
	}
	k.kept = nil
}
