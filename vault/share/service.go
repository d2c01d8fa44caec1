package share

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Hasher keeps passphrases so that nobody can read them back. An
// identity.Service is one.
type Hasher interface {
	HashPassphrase(ctx context.Context, passphrase plain.Bytes) (string, error)
	CheckPassphrase(ctx context.Context, hash string, passphrase plain.Bytes) (bool, error)
}

// Notifier tells people what happened to a share. It is called in the
// transaction of what happened, after it was decided, and its error undoes
// both: it puts a message into an outbox, and sends nothing itself.
type Notifier interface {
	// ShareOffered: s was made; anyone with the link is nobody to tell.
	ShareOffered(tx Tx, s Share, at time.Time) error
	// ShareAnswered: s was accepted, or declined if s.DeclinedAt is set.
	ShareAnswered(tx Tx, s Share, at time.Time) error
	// ShareRevoked: s, which could still be accepted or opened, was taken back.
	ShareRevoked(tx Tx, s Share, at time.Time) error
	// ShareAccessed: s was opened; s.Accesses counts it. ip is "" if not known.
	ShareAccessed(tx Tx, s Share, at time.Time, ip string) error
}

// Config is what a Service is made of.
type Config struct {
	DB     txn.Runner[Tx]
	Vaults *vault.Service // opens what is lent
	Hasher Hasher

	Notifier Notifier         // nil: nobody is told; see Mails
	Now      func() time.Time // time.Now if nil
}

// Service is the one way to shares. All methods may be called at once.
type Service struct {
	db       txn.Runner[Tx]
	vaults   *vault.Service
	hasher   Hasher
	notifier Notifier
	clock    func() time.Time

	created limiter
	turns   turns
}

// New returns a Service.
func New(c Config) *Service {
	s := &Service{
		db: c.DB, vaults: c.Vaults, hasher: c.Hasher, notifier: c.Notifier, clock: c.Now, turns: newTurns(),
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.notifier == nil {
		s.notifier = silent{}
	}
	return s
}

// silent tells nobody.
type silent struct{}

func (silent) ShareOffered(Tx, Share, time.Time) error          { return nil }
func (silent) ShareAnswered(Tx, Share, time.Time) error         { return nil }
func (silent) ShareRevoked(Tx, Share, time.Time) error          { return nil }
func (silent) ShareAccessed(Tx, Share, time.Time, string) error { return nil }

// Now is the time by which the service decides.
func (s *Service) Now() time.Time { return s.clock().UTC() }

// refuse appends the event of a refusal and passes the refusal on.
func refuse(ctx context.Context, tx Tx, e audit.Event, why error) (refusal, err error) {
	e.Outcome = audit.Refused
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	return why, audit.Write(ctx, tx, e)
}
