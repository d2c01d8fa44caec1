package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// rekeying makes a restored data file one of a new module.
type rekeying struct {
	b      *opened
	escrow *escrowReader
	module hsm.Module
	out    Recovered

	db   *store.DB
	meta store.Meta // as it becomes
	key  audit.Key  // the new one
}

// run does all of it. The file is nobody's yet: what is half done is thrown away.
func (k *rekeying) run(ctx context.Context, path string) (err error) {
	if k.db, err = store.Open(store.Config{Path: path}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.db.Close(), os.Remove(path+".lock")) }()
	if err := k.db.Unseal(k.b.storeKey); err != nil {
		return err
	}
	if err := k.db.Migrate(ctx, nil); err != nil { // of an older oneclawd
		return fmt.Errorf("backup: bringing the data to this schema: %w", err)
	}
	for _, step := range []func(context.Context) error{k.appliance, k.vaults, k.values, k.record} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// appliance makes the keys of the appliance itself anew. The store key stays: all
// records are under it.
func (k *rekeying) appliance(ctx context.Context) (err error) {
	if k.meta, err = k.db.Meta(); err != nil {
		return err
	}
	old, err := auditKey(k.meta)
	if err != nil {
		return err
	}
	if k.out.Before, err = audit.VerifierKey(k.meta.Instance, old.Public); err != nil {
		return err
	}
	if k.meta.KEK, err = k.module.NewKEK(ctx); err != nil {
		return fmt.Errorf("backup: making a KEK for the store key: %w", err)
	}
	if k.meta.StoreKey, err = k.module.Wrap(ctx, k.meta.KEK, k.b.storeKey.Reveal(), k.meta.KeyAAD()); err != nil {
		return fmt.Errorf("backup: wrapping the store key: %w", err)
	}
	for _, name := range []string{store.BlobTokenKey, store.BlobAuditKey} {
		if k.meta.Blobs[name] == nil {
			continue
		}
		signing, err := k.module.NewSigningKey(ctx)
		if err != nil {
			return fmt.Errorf("backup: making a signing key: %w", err)
		}
		if k.meta.Blobs[name], err = json.Marshal(signing); err != nil {
			return err
		}
	}
	if k.key, err = moduleKey(k.meta, k.module); err != nil {
		return err
	}
	if k.out.VerifierKey, err = audit.VerifierKey(k.meta.Instance, k.key.Public); err != nil {
		return err
	}
	return k.db.UpdateMeta(func(m *store.Meta) error {
		m.KEK, m.StoreKey, m.Blobs = k.meta.KEK, k.meta.StoreKey, k.meta.Blobs
		return nil
	})
}

// vaultsPage is how many vaults are changed at once.
const vaultsPage = 100

// vaults gives each vault new KEKs for those that are gone, in the places of these:
// what is under a generation stays under it, and a rotation that was under way goes
// on.
func (k *rekeying) vaults(ctx context.Context) error {
	db := store.Runner[vault.Tx](k.db)
	for after := (vault.Vault{}); ; {
		var page []vault.Vault
		err := db.View(ctx, func(tx vault.Tx) (err error) {
			page, err = tx.AllVaults(after, vaultsPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		var changed []vault.Vault
		for _, v := range page {
			v, anew, err := k.renewed(ctx, v)
			if err != nil {
				return fmt.Errorf("backup: making a KEK: %w", err)
			}
			if anew {
				changed = append(changed, v)
			}
		}
		if err := db.Update(ctx, func(tx vault.Tx) error { return k.putVaults(ctx, tx, changed) }); err != nil {
			return err
		}
		k.out.Vaults += len(changed)
		after = page[len(page)-1]
	}
}

// renewed is v with new KEKs for those that are gone, if there are any.
func (k *rekeying) renewed(ctx context.Context, v vault.Vault) (_ vault.Vault, anew bool, err error) {
	now := time.Now().UTC()
	if k.b.manifest.Escrow.covers(v.Module) {
		if v.KEK, err = k.module.NewKEK(ctx); err != nil {
			return v, false, err
		}
		v.Module, v.KEKMadeAt, anew = "", &now, true
	}
	older := make([]vault.KEK, len(v.Older))
	for i, kek := range v.Older {
		if k.b.manifest.Escrow.covers(kek.Module) {
			if kek.Key, err = k.module.NewKEK(ctx); err != nil {
				return v, false, err
			}
			kek.Module, kek.MadeAt, anew = "", now, true
		}
		older[i] = kek
	}
	if len(older) > 0 {
		v.Older = older
	}
	return v, anew, nil
}

// putVaults stores vaults, and tells their organisations.
func (k *rekeying) putVaults(ctx context.Context, tx vault.Tx, changed []vault.Vault) error {
	for _, v := range changed {
		if err := tx.PutVault(v); err != nil {
			return err
		}
		e := event(audit.KEKRecover, k.meta.Instance)
		e.Org, e.Resource = v.Org, audit.Resource{Type: "vault", ID: v.ID.String()}
		e.Details = audit.Details{
			"vault_id": v.ID.String(), "generation": v.Current().Generation, "module": v.Module,
			"backup": k.b.manifest.Sum().String(),
		}
		if err := audit.Write(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// record puts into the audit log what was done, and signs it with the new key. The
// HSM remembers the log from the first start on.
func (k *rekeying) record(ctx context.Context) error {
	m, about := k.b.manifest, k.module.Describe()
	e := event(audit.ApplianceRecover, k.meta.Instance)
	e.Details = audit.Details{
		"backup": m.Sum().String(), "of": m.CreatedAt.Format(time.RFC3339), "recovery_key": RecoveryName(m.Escrow.Recipient),
		"verifier_key_before": k.out.Before, "verifier_key": k.out.VerifierKey, "audit_size": m.Audit.Size, "audit_root": m.Audit.Root.String(),
		"vaults": k.out.Vaults, "values": k.out.Values, "elsewhere": m.Escrow.Elsewhere, "damaged": m.Escrow.Damaged,
		"module": about.Kind, "token": about.Token,
	}
	db := store.Runner[audit.Tx](k.db)
	if err := db.Update(ctx, func(tx audit.Tx) error { return audit.Write(ctx, tx, e) }); err != nil {
		return err
	}
	points := &audit.Checkpointer{DB: db, Anchor: laterAnchor{}, Instance: k.meta.Instance, Key: k.key}
	_, err := points.Checkpoint(ctx)
	return err
}

// laterAnchor leaves the anchoring to the appliance: an anchor of a recovery that did
// not finish would keep the HSM from the next one.
type laterAnchor struct{ noAnchor }

// SetAnchor implements audit.Anchor.
func (laterAnchor) SetAnchor(context.Context, []byte) error { return nil }

// wrongEscrow says which envelope is not right.
func wrongEscrow(v store.SealedValue, text string) error {
	return ErrEscrow.Detail("version %d of secret %s: %s", v.Number, v.Secret, text)
}

// sealedValues lists the envelopes, outside of any transaction: the data file cannot
// grow while one is open.
func (k *rekeying) sealedValues(ctx context.Context) (all []store.SealedValue, err error) {
	snap, err := k.db.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	err = snap.SealedValues(ctx, func(v store.SealedValue) error {
		all = append(all, v)
		return nil
	})
	return all, err
}

// next is the entry of an envelope; the caller wipes it.
func (k *rekeying) next(v store.SealedValue) (escrowEntry, error) {
	e, err := k.escrow.next()
	switch {
	case errors.Is(err, io.EOF):
		return e, wrongEscrow(v, "the backup has no recovery key for it")
	case err != nil:
		return e, k.b.inside(err)
	case e.of != v:
		e.wipe()
		if order(e.of, v) < 0 {
			return e, wrongEscrow(e.of, "there is a recovery key for it, and no value")
		}
		return e, wrongEscrow(v, "the backup has no recovery key for it")
	}
	return e, nil
}

// key is the entry's DEK, in bytes that the caller wipes.
func (e *escrowEntry) key() plain.Bytes { return plain.New(append([]byte(nil), e.dek[:]...)) }
