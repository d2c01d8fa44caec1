package seal

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// DerivedKeys derives keys that depend on the machine: *attest.Source does. A
// machine that has none fails with attest.ErrNoDerivedKeys.
type DerivedKeys interface {
	// DerivedKey is the same 32 bytes for the same guest on the same chip and the
	// same request, and others for any other.
	DerivedKey(ctx context.Context, r attest.KeyRequest) (plain.Bytes, error)
}

// NewSNPSlot makes a slot for this chip, this image and this launch policy. image
// is the measurement of it (48 bytes, as in attest.Result), recorded so that people
// can tell the slots of images apart: what binds is the key. A tcb that is not zero
// is mixed in: firmware whose committed TCB is below it cannot open the slot.
func NewSNPSlot(ctx context.Context, keys DerivedKeys, image []byte, tcb attest.TCB) (Slot, error) {
	if len(image) != measurement {
		return Slot{}, ErrSlot.Detail("a measurement has %d bytes", measurement)
	}
	d := &snpDoc{Salt: random(saltSize), Measurement: hex.EncodeToString(image), TCB: tcb.Uint64()}
	secret, err := keys.DerivedKey(ctx, d.request())
	if err != nil {
		return Slot{}, err
	}
	return Slot{doc: slotDoc{ID: newID(), Kind: KindSNP, SNP: d}, secret: secret}, nil
}

func (d *snpDoc) request() attest.KeyRequest {
	return attest.KeyRequest{Measurement: true, GuestPolicy: true, TCB: d.TCB}
}

type byKeys struct{ keys DerivedKeys }

// Keys opens snp slots of this machine.
func Keys(keys DerivedKeys) Opener { return byKeys{keys} }

func (byKeys) kind() string { return KindSNP }

func (b byKeys) secret(ctx context.Context, s *slotDoc) (plain.Bytes, error) {
	key, err := b.keys.DerivedKey(ctx, s.SNP.request())
	switch {
	case err == nil, errors.Is(err, attest.ErrNoDerivedKeys), ctx.Err() != nil:
		return key, err
	}
	return plain.Bytes{}, ErrRefused.Because(err) // as firmware that is too old
}
