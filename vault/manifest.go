package vault

import (
	"context"
	"fmt"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// ManifestKey names one version of a secret.
type ManifestKey struct {
	Secret  id.ID
	Version uint32
}

// ManifestEntry is a value that a principal may read.
type ManifestEntry struct {
	ManifestKey
	Vault id.ID
	Path  SecretPath
	// Value is not there for a version that the caller has already.
	Value plain.Bytes
}

// Manifest returns the values that p may read or use, of all vaults, for whoever
// watches that they do not get out. Values of the versions in have are not opened
// again. It is no read: nobody is shown a value, so nothing is counted, and one
// event says how many were opened. Values that the customer encrypted cannot be
// among them.
//
// One value that cannot be opened fails it all: what is watched with half a
// manifest is not watched.
func (s *Service) Manifest(ctx context.Context, p identity.Principal, have map[ManifestKey]bool) ([]ManifestEntry, error) {
	found, err := s.inManifest(ctx, p, have)
	if err != nil {
		return nil, err
	}
	if err := s.auditManifest(ctx, p, found); err != nil {
		return nil, err
	}
	out := make([]ManifestEntry, len(found))
	for i, f := range found {
		out[i] = f.ManifestEntry
		if f.sealed == nil {
			continue
		}
		if out[i].Value, err = s.open(ctx, f.vault, binding(f.vault, f.Secret, f.Version), f.sealed); err != nil {
			for _, e := range out[:i] {
				e.Value.Wipe()
			}
			return nil, fmt.Errorf("vault: the manifest of %s: %w", p.ID, err)
		}
	}
	return out, nil
}

// listed is an entry that is not opened yet.
type listed struct {
	ManifestEntry
	vault  Vault
	sealed []byte // nil for what the caller has
}

func (s *Service) inManifest(ctx context.Context, p identity.Principal, have map[ManifestKey]bool) (out []listed, err error) {
	now := s.now()
	err = s.DB.View(ctx, func(tx Tx) error {
		vaults, err := tx.Vaults(p.Org)
		if err != nil {
			return err
		}
		for _, v := range vaults {
			_, refusal, err := visible(tx, p, v.ID, now)
			if err != nil {
				return err
			}
			if refusal != nil {
				continue
			}
			secrets, err := permitted(tx, p, v, "", toUse, now)
			if err != nil {
				return err
			}
			if out, err = list(tx, out, v, secrets, have); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func list(tx Tx, out []listed, v Vault, secrets []Secret, have map[ManifestKey]bool) ([]listed, error) {
	for _, sec := range secrets {
		if sec.Latest.CMEKFingerprint != "" {
			continue
		}
		l := listed{ManifestEntry{ManifestKey: ManifestKey{sec.ID, sec.Latest.Number}, Vault: v.ID, Path: sec.Path}, v, nil}
		if !have[l.ManifestKey] {
			sealed, ok, err := tx.Envelope(sec.ID, sec.Latest.Number)
			if err != nil || !ok {
				return nil, orDamaged(err)
			}
			l.sealed = sealed
		}
		out = append(out, l)
	}
	return out, nil
}

func (s *Service) auditManifest(ctx context.Context, p identity.Principal, found []listed) error {
	opened := 0
	for _, f := range found {
		if f.sealed != nil {
			opened++
		}
	}
	if opened == 0 {
		return nil
	}
	e := p.Event(audit.ShroudManifest, "agent", p.ID.String())
	e.Time = s.now()
	e.Details = audit.Details{"values": len(found), "opened": opened}
	return txn.Decide(ctx, s.DB, func(tx Tx) (error, error) { return nil, audit.Write(ctx, tx, e) })
}
