package vault

import (
	"context"
	"errors"
	"sync"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// KEKReport says what is under a vault's KEKs.
type KEKReport struct {
	Vault Vault
	Under map[uint32]int // how many DEKs, by generation; 0 is for envelopes that do not say
}

// KEKs calls fn for every vault, outside of transactions.
func (s *Service) KEKs(ctx context.Context, fn func(KEKReport) error) error {
	return s.eachVault(ctx, func(v Vault) error {
		rep := KEKReport{Vault: v, Under: map[uint32]int{}}
		err := s.walkVault(ctx, v, func(sealed []byte) bool {
			g, _ := envelope.Generation(sealed) // 0 then
			rep.Under[g]++
			return false
		}, nil)
		if err != nil {
			return err
		}
		return fn(rep)
	})
}

// walkVault looks at all envelopes of a vault and calls fn with those that are
// taken.
func (s *Service) walkVault(ctx context.Context, v Vault, take func(sealed []byte) bool, fn func([]stored) error) error {
	w := &walk{take: take}
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		w.secrets, err = tx.Secrets(v.ID)
		return err
	})
	for more := true; more && err == nil; {
		var batch []stored
		if batch, more, err = w.next(ctx, s); err == nil && len(batch) > 0 {
			err = fn(batch)
		}
	}
	return err
}

// BrokenDEK is a version whose DEK does not unwrap, or could not be tried.
type BrokenDEK struct {
	Vault   id.ID  `json:"vault"`
	Secret  id.ID  `json:"secret"`
	Version uint32 `json:"version"`
	Error   string `json:"error"`
}

// maxBroken bounds how many are named; the others are counted.
const maxBroken = 1000

// Verified is what VerifyKEKs found.
type Verified struct {
	Vaults      int         `json:"vaults"`
	DEKs        int         `json:"deks"`        // that unwrap
	Damaged     int         `json:"damaged"`     // that do not
	Unavailable int         `json:"unavailable"` // that could not be tried: their module is not there
	Broken      []BrokenDEK `json:"broken,omitempty"`
}

// VerifyKEKs has the modules unwrap the DEK of every version. Values are not
// opened.
func (s *Service) VerifyKEKs(ctx context.Context) (Verified, error) {
	c := &checking{}
	err := s.eachVault(ctx, func(v Vault) error {
		c.out.Vaults++
		everything := func([]byte) bool { return true }
		return s.walkVault(ctx, v, everything, func(batch []stored) error {
			return parallel(len(batch), func(i int) error {
				err := s.checkStored(ctx, v, batch[i])
				return c.add(v, batch[i], err)
			})
		})
	})
	return c.out, err
}

// checking is the result of VerifyKEKs as it is made.
type checking struct {
	mu  sync.Mutex
	out Verified
}

func (c *checking) add(v Vault, b stored, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.out.DEKs++
		return nil
	case errors.Is(err, envelope.ErrDamaged):
		c.out.Damaged++
	case fault.KindOf(err) == fault.Unavailable:
		c.out.Unavailable++
	default:
		return err
	}
	if len(c.out.Broken) < maxBroken {
		c.out.Broken = append(c.out.Broken, BrokenDEK{v.ID, b.secret, b.number, fault.As(err).Msg})
	}
	return nil
}

// checkStored tries one. What does not unwrap may have been rewrapped or deleted
// since it was read, and its KEK gone with that: then it is looked at once more.
func (s *Service) checkStored(ctx context.Context, v Vault, b stored) error {
	err := s.checkDEK(ctx, v, b)
	if !errors.Is(err, envelope.ErrDamaged) {
		return err
	}
	gone := false
	rerr := s.DB.View(ctx, func(tx Tx) error {
		now, ok, err := tx.Vault(v.Org, v.ID)
		if err != nil || !ok {
			gone = !ok
			return err
		}
		sealed, ok, err := tx.Envelope(b.secret, b.number)
		if gone = !ok; ok {
			v, b.sealed = now, append([]byte(nil), sealed...)
		}
		return err
	})
	if rerr != nil || gone {
		return rerr
	}
	return s.checkDEK(ctx, v, b)
}

func (s *Service) checkDEK(ctx context.Context, v Vault, b stored) error {
	k, err := v.KEKOf(b.sealed)
	if err != nil {
		return err
	}
	m, err := s.Keys.Module(k.Module)
	if err != nil {
		return err
	}
	return envelope.Check(ctx, m, k.Envelope(), binding(v, b.secret, b.number), b.sealed)
}
