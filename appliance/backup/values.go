package backup

import (
	"bytes"
	"context"
	"errors"

	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// errDoomed: the vault of a sealed value is being deleted.
var errDoomed = errors.New("backup: a value of a vault that is being deleted")

// sealedValue is an envelope with what opens it.
type sealedValue struct {
	binding envelope.Binding
	owner   vault.Vault
	bytes   []byte
}

// loadSealed finds out what v is of.
func loadSealed(ctx context.Context, db txn.Runner[vault.Tx], v store.SealedValue) (s sealedValue, err error) {
	err = db.View(ctx, func(tx vault.Tx) error {
		s, err = readSealed(tx, v)
		return err
	})
	return s, err
}

func readSealed(tx vault.Tx, v store.SealedValue) (s sealedValue, err error) {
	ref, ok, err := tx.SecretRef(v.Secret)
	if err != nil {
		return s, err
	}
	if !ok {
		return s, errDoomed
	}
	owner, ok, err := tx.Vault(ref.Org, ref.Vault)
	if err != nil {
		return s, err
	}
	if !ok {
		return s, errDoomed
	}
	sealed, ok, err := tx.Envelope(v.Secret, v.Number)
	if err == nil && !ok {
		err = envelope.ErrDamaged
	}
	return sealedValue{
		binding: envelope.Binding{Org: ref.Org, Vault: ref.Vault, Secret: v.Secret, Version: v.Number},
		owner:   owner, bytes: bytes.Clone(sealed),
	}, err
}
