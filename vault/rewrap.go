package vault

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// errDamagedLeft: values that do not unwrap keep an older KEK.
var errDamagedLeft = fault.New(fault.Internal, "envelopes_damaged", "some values are damaged and stay under the KEK before; `oneclawd kek verify` names them")

// errKEKChanged: the vault has got another KEK meanwhile.
var errKEKChanged = errors.New("vault: it has another KEK now")

// rewrapVault works until the vault has no older KEKs.
func (s *Service) rewrapVault(ctx context.Context, r *rewrap) error {
	for {
		v, secrets, err := s.toRewrap(ctx, r)
		switch {
		case errors.Is(err, ErrVaultNotFound) || err == nil && len(v.Older) == 0:
			return nil // it was deleted, or is done
		case err != nil:
			return err
		}
		left, err := s.rewrapAll(ctx, r, v, secrets)
		if err == nil {
			err = s.retire(ctx, r, v, left)
		}
		switch {
		case errors.Is(err, errKEKChanged):
		case errors.Is(err, ErrVaultNotFound):
			return nil
		case err != nil:
			return err
		case len(left) > 0:
			return errDamagedLeft
		}
	}
}

// toRewrap loads a vault and its secrets as they are at one instant. Whatever
// is written after that is under the vault's KEK or a later one.
func (s *Service) toRewrap(ctx context.Context, r *rewrap) (v Vault, secrets []Secret, err error) {
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		var ok bool
		if v, ok, err = tx.Vault(r.vault.Org, r.vault.Vault); err != nil || !ok {
			return orElse(err, ErrVaultNotFound)
		}
		if len(v.Older) > 0 {
			secrets, err = tx.Secrets(v.ID)
		}
		return err
	})
	total := 0
	for _, sec := range secrets {
		total += int(sec.Latest.Number)
	}
	s.rewraps.report(r, func(p *Rewrap) { p.Generation, p.Total, p.Done, p.Damaged = v.Current().Generation, total, 0, 0 })
	return v, secrets, err
}

// rewrapAll takes every envelope of these secrets to v's KEK and returns the
// generations that something damaged is left under.
func (s *Service) rewrapAll(ctx context.Context, r *rewrap, v Vault, secrets []Secret) (left map[uint32]bool, err error) {
	left = map[uint32]bool{}
	current, damaged, fine := v.Current().Generation, 0, 0
	w := &walk{secrets: secrets, take: func(sealed []byte) bool {
		g, err := envelope.Generation(sealed)
		if err == nil && g == current {
			fine++
		}
		return err != nil || g < current
	}}
	for more := true; more; {
		var batch []stored
		fine = 0
		if batch, more, err = w.next(ctx, s); err != nil {
			return left, err
		}
		n, err := s.rewrapBatch(ctx, v, batch, left)
		if err != nil {
			return left, err
		}
		damaged += n
		s.rewraps.report(r, func(p *Rewrap) { p.Done, p.Damaged = p.Done+fine+len(batch)-n, damaged })
	}
	return left, nil
}

// rewrapBatch does one batch: outside of the transaction what takes the
// modules, inside what is still as it was found. It returns how many are
// damaged, and notes their generations.
func (s *Service) rewrapBatch(ctx context.Context, v Vault, batch []stored, left map[uint32]bool) (damaged int, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	fresh := make([][]byte, len(batch))
	var broken atomic.Int64
	err = parallel(len(batch), func(i int) (err error) {
		fresh[i], err = s.rewrapOne(ctx, v, batch[i])
		if errors.Is(err, envelope.ErrDamaged) {
			broken.Add(1)
			slog.ErrorContext(ctx, "a value is damaged and stays under an older KEK", "vault", v.ID.String(), "secret", batch[i].secret.String(), "version", batch[i].number)
			return nil
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for i, b := range batch {
		if fresh[i] != nil {
			continue
		}
		g, err := envelope.Generation(b.sealed)
		if err != nil { // it may be under any
			for _, k := range v.Older {
				left[k.Generation] = true
			}
		}
		left[g] = true
	}
	return int(broken.Load()), s.DB.Update(ctx, func(tx Tx) error {
		if err := still(tx, v); err != nil {
			return err
		}
		for i, b := range batch {
			if fresh[i] == nil {
				continue
			}
			sealed, ok, err := tx.Envelope(b.secret, b.number)
			if err != nil {
				return err
			}
			if !ok || !bytes.Equal(sealed, b.sealed) {
				continue // it was deleted, or sealed anew and so under this KEK
			}
			if err := tx.PutEnvelope(b.secret, b.number, fresh[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// still says whether v is there and has the KEK that it had.
func still(tx Tx, v Vault) error {
	now, ok, err := tx.Vault(v.Org, v.ID)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrVaultNotFound
	case !now.Current().same(v.Current()):
		return errKEKChanged
	}
	return nil
}

func (s *Service) rewrapOne(ctx context.Context, v Vault, b stored) ([]byte, error) {
	old, err := v.KEKOf(b.sealed)
	if err != nil {
		return nil, err
	}
	from, err := s.Keys.Module(old.Module)
	if err != nil {
		return nil, err
	}
	current := v.Current()
	to, err := s.Keys.Module(current.Module)
	if err != nil {
		return nil, err
	}
	move := envelope.Move{From: from, Old: old.Envelope(), To: to, New: current.Envelope()}
	return move.Rewrap(ctx, binding(v, b.secret, b.number), b.sealed)
}

// retire drops the older KEKs that nothing is left under. Nothing has come to
// be under them since they were looked for: each write is under the KEK that
// the vault has in its transaction.
func (s *Service) retire(ctx context.Context, r *rewrap, v Vault, left map[uint32]bool) error {
	return s.DB.Update(ctx, func(tx Tx) error {
		if err := still(tx, v); err != nil {
			return err
		}
		now, _, err := tx.Vault(v.Org, v.ID)
		if err != nil {
			return err
		}
		var kept []KEK
		for _, k := range now.Older {
			if left[k.Generation] {
				kept = append(kept, k)
			}
		}
		p := s.rewraps.of(r)
		e := kekEvent(now, audit.KEKRewrap, audit.Details{
			"values": p.Done, "damaged": p.Damaged, "retired": len(now.Older) - len(kept), "kept": len(kept),
		})
		e.Time = s.now()
		if len(kept) > 0 {
			e.Outcome, e.Reason = audit.Failed, errDamagedLeft.Code
		}
		now.Older = kept
		if err := tx.PutVault(now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, e)
	})
}
