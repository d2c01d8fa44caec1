package vault

import (
	"bytes"
	"context"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// KEK is one of the KEKs that a vault has had.
type KEK struct {
	Generation uint32    `json:"generation"`
	Module     string    `json:"module,omitempty"` // that keeps it; empty for the default one
	Key        hsm.KEK   `json:"kek"`
	MadeAt     time.Time `json:"made_at"`
}

// same reports whether two KEKs are one. What was sealed under a KEK is stored
// only while that is the vault's: so nothing comes to be under an older one,
// and one that nothing is under can go.
func (k KEK) same(b KEK) bool {
	return k.Generation == b.Generation && k.Module == b.Module && bytes.Equal(k.Key, b.Key)
}

// Envelope is what an envelope is sealed and opened with.
func (k KEK) Envelope() envelope.KEK { return envelope.KEK{Key: k.Key, Generation: k.Generation} }

// Current is the vault's KEK.
func (v Vault) Current() KEK {
	k := KEK{Generation: max(1, v.Generation), Module: v.Module, Key: v.KEK, MadeAt: v.CreatedAt}
	if v.KEKMadeAt != nil {
		k.MadeAt = *v.KEKMadeAt
	}
	return k
}

// KEKOf is the KEK that an envelope is under; an envelope under none that the
// vault still has is envelope.ErrDamaged.
func (v Vault) KEKOf(sealed []byte) (KEK, error) {
	generation, err := envelope.Generation(sealed)
	if err != nil {
		return KEK{}, err
	}
	if k := v.Current(); k.Generation == generation {
		return k, nil
	}
	for _, k := range v.Older {
		if k.Generation == generation {
			return k, nil
		}
	}
	return KEK{}, envelope.ErrDamaged
}

// withKEK is the vault with another KEK.
func (v Vault) withKEK(key hsm.KEK, module string, now time.Time) Vault {
	older := make([]KEK, 0, len(v.Older)+1)
	v.Older = append(append(older, v.Older...), v.Current())
	v.Generation = v.Current().Generation + 1
	v.KEK, v.Module, v.KEKMadeAt = key, module, &now
	return v
}

// seal seals a value under the vault's KEK.
func (s *Service) seal(ctx context.Context, v Vault, b envelope.Binding, value plain.Bytes) ([]byte, error) {
	k := v.Current()
	m, err := s.Keys.Module(k.Module)
	if err != nil {
		return nil, err
	}
	return envelope.Seal(ctx, m, k.Envelope(), b, value)
}

// open opens what is under any of the KEKs that v has. The two must be of one
// transaction: the KEK may be gone from a later record.
func (s *Service) open(ctx context.Context, v Vault, b envelope.Binding, sealed []byte) (plain.Bytes, error) {
	k, err := v.KEKOf(sealed)
	if err != nil {
		return plain.Bytes{}, err
	}
	m, err := s.Keys.Module(k.Module)
	if err != nil {
		return plain.Bytes{}, err
	}
	return envelope.Open(ctx, m, k.Envelope(), b, sealed)
}
