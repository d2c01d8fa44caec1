package people

import (
	"context"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/site"
)

// Config is what a Service is made of. DB and Identity are needed.
type Config struct {
	DB       txn.Runner[Tx]
	Identity *identity.Service

	Signup    site.SignupMode // where nobody set another; site.SignupInvite if empty
	PublicURL string          // that links in mails begin with

	// Claim is called in the transaction in which somebody turns out to have an
	// address: of confirming it and of signing in. It may be nil.
	Claim func(tx identity.Tx, u identity.User) error
	// Removed is called once somebody's account is gone, until it succeeds. It
	// may be nil.
	Removed func(ctx context.Context, org, user id.ID) error

	Now func() time.Time // time.Now if nil
}

// Service looks after accounts. All methods may be called at once.
type Service struct {
	db      txn.Runner[Tx]
	id      *identity.Service
	signup  site.SignupMode // where nobody set another
	mails   letter.Writer
	claim   func(identity.Tx, identity.User) error
	removed func(context.Context, id.ID, id.ID) error
	clock   func() time.Time

	turns   *turns
	mailed  limiter[string]
	invited limiter[id.ID]
}

// New returns a Service.
func New(c Config) *Service {
	s := &Service{
		db: c.DB, id: c.Identity, signup: c.Signup, mails: letter.Writer{Base: c.PublicURL},
		claim: c.Claim, removed: c.Removed, clock: c.Now, turns: newTurns(),
		mailed:  limiter[string]{most: mailsMost, in: mailsIn},
		invited: limiter[id.ID]{most: invitesMost, in: invitesIn},
	}
	if s.claim == nil {
		s.claim = func(identity.Tx, identity.User) error { return nil }
	}
	if s.removed == nil {
		s.removed = func(context.Context, id.ID, id.ID) error { return nil }
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	return s
}

// mode is who may sign up by now.
func (s *Service) mode(tx Tx) (site.SignupMode, error) { return site.SignupIn(tx, s.signup) }

// now is the time by which the service decides.
func (s *Service) now() time.Time { return s.clock().UTC() }

// event starts an event about p's attempt.
func (s *Service) event(p identity.Principal, action audit.Action, resource string, of id.ID) audit.Event {
	e := p.Event(action, resource, of.String())
	e.Time = s.now()
	return e
}

// refuse appends the event of a refusal; a fault of the store comes first.
func refuse(ctx context.Context, tx Tx, e audit.Event, why *fault.Error, err error) (refusal, fault error) {
	if err != nil {
		return nil, err
	}
	e.Outcome, e.Reason = audit.Refused, why.Code
	return why, audit.Write(ctx, tx, e)
}

// refused records a refusal in a transaction of its own.
func (s *Service) refused(ctx context.Context, e audit.Event, why *fault.Error) error {
	return txn.Decide(ctx, s.db, func(tx Tx) (error, error) {
		return refuse(ctx, tx, e, why, nil)
	})
}

// peopleOnly refuses agents.
func (s *Service) peopleOnly(ctx context.Context, p identity.Principal, action audit.Action) error {
	if !p.IsAgent() {
		return nil
	}
	return s.refused(ctx, s.event(p, action, "user", p.ID), identity.ErrUsersOnly)
}

// user loads who asks; somebody whose account is gone has no token either.
func user(tx Tx, p identity.Principal) (identity.User, error) {
	u, ok, err := tx.User(p.Org, p.ID)
	if err == nil && !ok {
		err = identity.ErrToken
	}
	return u, err
}

// byEmail finds the user with an address, the zero User if there is none.
func byEmail(tx Tx, folded string) (u identity.User, err error) {
	ref, ok, err := tx.UserByEmail(folded)
	if err != nil || !ok {
		return u, err
	}
	u, _, err = tx.User(ref.Org, ref.User)
	return u, err
}

// errStale rolls back what was decided by a scan that is out of date.
var errStale = errors.New("people: the organisation changed meanwhile")

// tries is how often something is decided anew that was.
const tries = 5

// retry runs fn again while what it decided by was out of date.
func retry(fn func() error) error {
	for range tries {
		if err := fn(); !errors.Is(err, errStale) {
			return err
		}
	}
	return ErrContended
}

// grown notes that the people of org, or their roles, are others now.
func grown(tx Tx, org id.ID) error {
	n, err := tx.Roster(org)
	if err != nil {
		return err
	}
	return tx.PutRoster(org, n+1)
}

// unchanged is errStale if the people of org are others than at seen.
func unchanged(tx Tx, org id.ID, seen uint64) error {
	n, err := tx.Roster(org)
	if err == nil && n != seen {
		err = errStale
	}
	return err
}

func checkName(name string) error {
	if utf8.RuneCountInString(name) > 255 {
		return ErrName
	}
	for _, r := range name {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ErrName
		}
	}
	return nil
}
