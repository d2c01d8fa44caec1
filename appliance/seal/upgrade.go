package seal

import (
	"bytes"
	"context"
	"encoding/hex"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// codeSize is the entropy of a code: 160 bits.
const codeSize = 20

// NewUpgradeSlot makes a slot for the step to the image that measures as next (48
// bytes), and its code: OCU1 and groups of five letters. Whoever has the code and
// the file can open it, so that it goes to who starts the next image, by another
// way than the file, and is used soon. File.Upgrade uses it up.
func NewUpgradeSlot(next []byte) (Slot, plain.Bytes, error) {
	if len(next) != measurement {
		return Slot{}, plain.Bytes{}, ErrSlot.Detail("a measurement has %d bytes", measurement)
	}
	code := random(codeSize)
	d := &upgradeDoc{Salt: random(saltSize), Measurement: hex.EncodeToString(next)}
	return Slot{doc: slotDoc{ID: newID(), Kind: KindUpgrade, Upgrade: d}, secret: plain.New(code)}, encode(prefixCode, code), nil
}

// Upgrade opens with a code and in the same step gives the file the snp slot of
// this image, and takes the upgrade slot away. image is what is running, as
// attestation found it: it must be what the upgrade slot and own are for. If the
// file cannot be written there is no secret, and the code stays good.
func (f *File) Upgrade(ctx context.Context, code plain.Bytes, image []byte, own Slot) (plain.Bytes, error) {
	defer own.secret.Wipe()
	running := hex.EncodeToString(image)
	if own.doc.Kind != KindSNP || own.doc.SNP.Measurement != running {
		return plain.Bytes{}, ErrSlot.Detail("an upgrade ends with an snp slot of the running image")
	}
	raw, err := decode(prefixCode, codeSize, code)
	if err != nil {
		return plain.Bytes{}, err
	}
	by := byCode{plain.New(raw), running}
	defer by.code.Wipe()
	f.mu.Lock()
	defer f.mu.Unlock()
	key, used, err := f.open(ctx, by)
	if err != nil {
		return plain.Bytes{}, err
	}
	defer clear(key)
	next := f.without(used)
	if err := next.add(f.subject, own, key); err != nil {
		return plain.Bytes{}, err
	}
	secret, err := f.doc.unsealed(key)
	if err != nil {
		return plain.Bytes{}, err
	}
	if err := f.write(next); err != nil {
		secret.Wipe()
		return plain.Bytes{}, err
	}
	return secret, nil
}

// byCode opens upgrade slots, if they are for the image that runs.
type byCode struct {
	code    plain.Bytes
	running string
}

func (byCode) kind() string { return KindUpgrade }

func (b byCode) secret(_ context.Context, s *slotDoc) (plain.Bytes, error) {
	if s.Upgrade.Measurement != b.running {
		return plain.Bytes{}, ErrRefused
	}
	return plain.New(bytes.Clone(b.code.Reveal())), nil
}
