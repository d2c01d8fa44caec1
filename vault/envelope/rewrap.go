package envelope

import "context"

// Move is from one KEK of a vault to another, which may be in another module.
type Move struct {
	From, To Keys
	Old, New KEK
}

// Rewrap returns the envelope with its DEK under the new KEK. The value stays
// as it is, encrypted: only an envelope of format 1 is opened and sealed again.
// ErrDamaged if the DEK does not unwrap; errors of keys come back unchanged.
func (m Move) Rewrap(ctx context.Context, b Binding, sealed []byte) ([]byte, error) {
	p, dek, err := openDEK(ctx, m.From, m.Old, b, sealed)
	defer clear(dek)
	if err != nil {
		return nil, err
	}
	if m.New.Generation == 0 {
		return nil, errIncomplete
	}
	if p.format == format1 {
		value, err := p.open(b, dek)
		if err != nil {
			return nil, err
		}
		defer value.Wipe()
		return Seal(ctx, m.To, m.New, b, value)
	}
	wrapped, err := wrap(ctx, m.To, m.New, b, dek)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, headerSize2+len(wrapped)+len(p.body))
	return append(appendHeader(out, m.New.Generation, wrapped), p.body...), nil
}

// Check reports whether an envelope's DEK unwraps, as Open would; the value is
// not opened.
func Check(ctx context.Context, keys Keys, kek KEK, b Binding, sealed []byte) error {
	_, dek, err := openDEK(ctx, keys, kek, b, sealed)
	clear(dek)
	return err
}
