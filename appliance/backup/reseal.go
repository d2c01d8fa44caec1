package backup

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// Bounds of one batch of values: how many, and how many bytes of envelopes. workers is
// how many are at the module at once.
const (
	resealBatch   = 500
	resealBytes   = 16 << 20
	resealWorkers = 4
)

// resealing is one value on its way.
type resealing struct {
	entry escrowEntry
	value sealedValue
	fresh []byte
	err   error
}

// values seals each value anew: under a new data key, which the escrow of the backup
// does not have, and the new KEK of the generation that it was under.
func (k *rekeying) values(ctx context.Context) error {
	all, err := k.sealedValues(ctx)
	if err != nil {
		return err
	}
	for len(all) > 0 {
		batch, taken, err := k.batch(ctx, all)
		if err == nil {
			err = k.reseal(ctx, batch)
		}
		for i := range batch {
			batch[i].entry.wipe()
		}
		if err != nil {
			return err
		}
		all = all[taken:]
	}
	if e, err := k.escrow.next(); err == nil {
		e.wipe()
		return wrongEscrow(e.of, "there is a recovery key for it, and no value")
	} else if !errors.Is(err, io.EOF) {
		return k.b.inside(err)
	}
	return nil
}

// batch takes the next values and their keys, and how many of all that is. Those that
// stay as they are are left out.
func (k *rekeying) batch(ctx context.Context, all []store.SealedValue) (batch []resealing, taken int, err error) {
	for size := 0; taken < len(all) && taken < resealBatch && size < resealBytes; taken++ {
		e, err := k.next(all[taken])
		if err != nil {
			return batch, taken, err
		}
		s, err := loadSealed(ctx, store.Runner[vault.Tx](k.db), all[taken])
		if stays, wrong := stays(e.kind, s, err); wrong != nil || stays {
			e.wipe()
			if wrong != nil {
				return batch, taken, wrong
			}
			continue
		}
		size += len(s.bytes)
		batch = append(batch, resealing{entry: e, value: s})
	}
	return batch, taken, nil
}

// stays reports whether a value is to be left as it is, and what is wrong if its entry
// says something else than the store. loaded is the error of loading it.
func stays(kind escrowKind, s sealedValue, loaded error) (stays bool, wrong error) {
	if errors.Is(loaded, errDoomed) && kind == escrowLeaving {
		return true, nil
	}
	if kind == escrowDamaged { // it was so when the backup was made
		return true, nil
	}
	if loaded != nil {
		return false, loaded
	}
	kek, err := s.owner.KEKOf(s.bytes)
	switch of := s.of(); {
	case err != nil:
		return false, err
	case kind == escrowLeaving:
		return false, wrongEscrow(of, "its vault is there, and its recovery key is not")
	case kind == escrowElsewhere && kek.Module == "":
		return false, wrongEscrow(of, "its key was in the HSM that is gone, and there is no recovery key for it")
	case kind == escrowKey && kek.Module != "":
		return false, wrongEscrow(of, "there is a recovery key for it, and its key is in the HSM module "+kek.Module)
	}
	return kind == escrowElsewhere, nil
}

// reseal does one batch.
func (k *rekeying) reseal(ctx context.Context, batch []resealing) error {
	var all sync.WaitGroup
	for lane := range resealWorkers {
		all.Go(func() {
			for i := lane; i < len(batch); i += resealWorkers {
				r := &batch[i]
				if r.fresh, r.err = k.resealOne(ctx, r); r.err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	for i := range batch {
		if err := batch[i].err; err != nil {
			return err
		}
	}
	k.out.Values += uint64(len(batch))
	return store.Runner[vault.Tx](k.db).Update(ctx, func(tx vault.Tx) error {
		for _, r := range batch {
			if err := tx.PutEnvelope(r.entry.of.Secret, r.entry.of.Number, r.fresh); err != nil {
				return err
			}
		}
		return nil
	})
}

// resealOne opens a value with its escrowed key.
func (k *rekeying) resealOne(ctx context.Context, r *resealing) ([]byte, error) {
	dek := r.entry.key()
	defer dek.Wipe()
	value, err := envelope.OpenWith(dek, r.value.binding, r.value.bytes)
	if errors.Is(err, envelope.ErrDamaged) {
		return nil, wrongEscrow(r.entry.of, "its recovery key does not open it")
	}
	if err != nil {
		return nil, err
	}
	defer value.Wipe()
	kek, err := r.value.owner.KEKOf(r.value.bytes)
	if err != nil {
		return nil, err
	}
	return envelope.Seal(ctx, k.module, kek.Envelope(), r.value.binding, value)
}

// of names the envelope.
func (s sealedValue) of() store.SealedValue {
	return store.SealedValue{Secret: s.binding.Secret, Number: s.binding.Version}
}
