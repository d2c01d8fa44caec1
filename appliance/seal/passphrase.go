package seal

import (
	"context"

	"golang.org/x/crypto/argon2"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// The second recommended option of RFC 9106, about 0.4 s.
const (
	argonTime    = 3
	argonMemory  = 64 * 1024
	argonThreads = 4
)

// minPassphrase keeps out what is guessed in spite of Argon2id: whoever has the
// file can try offline.
const minPassphrase = 12

// NewPassphraseSlot makes a recovery slot. The passphrase has at least 12 bytes;
// the caller wipes it.
func NewPassphraseSlot(passphrase plain.Bytes) (Slot, error) {
	if passphrase.Len() < minPassphrase {
		return Slot{}, ErrSlot.Detail("a recovery passphrase has at least %d characters", minPassphrase)
	}
	p := &passphraseDoc{Salt: random(saltSize), Time: argonTime, MemoryKiB: argonMemory, Threads: argonThreads}
	return Slot{
		doc:    slotDoc{ID: newID(), Kind: KindPassphrase, Passphrase: p},
		secret: p.stretch(passphrase),
	}, nil
}

func (p *passphraseDoc) stretch(passphrase plain.Bytes) plain.Bytes {
	return plain.New(argon2.IDKey(passphrase.Reveal(), p.Salt, p.Time, p.MemoryKiB, p.Threads, keySize))
}

type byPassphrase struct{ passphrase plain.Bytes }

// Passphrase opens passphrase slots. The caller wipes it afterwards.
func Passphrase(passphrase plain.Bytes) Opener { return byPassphrase{passphrase} }

func (byPassphrase) kind() string { return KindPassphrase }

func (b byPassphrase) secret(_ context.Context, s *slotDoc) (plain.Bytes, error) {
	return s.Passphrase.stretch(b.passphrase), nil
}
