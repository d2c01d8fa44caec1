package identity

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Config is what a Service is made of.
type Config struct {
	DB     txn.Runner[Tx]
	Signer Signer
	Key    hsm.SigningKey // signs JWTs
	Pepper []byte         // 32 bytes, derived from the store key

	// KeyMade is called in the transaction in which p makes a key for themselves.
	// It may be nil.
	KeyMade func(tx Tx, p Principal, k APIKey) error

	Workloads Workloads // no tokens of identity providers for agents if nil
	SignIns   SignIns   // and for people

	Now        func() time.Time // time.Now if nil
	UserKeyTTL time.Duration    // of a token bought with a 1ck_ key; UserTokenTTL if 0
	Passwords  PasswordCost
}

// Service authenticates. All methods may be called at once.
type Service struct {
	db         txn.Runner[Tx]
	signer     Signer
	key        hsm.SigningKey
	pepper     []byte
	userKeyTTL time.Duration
	keyMade    func(Tx, Principal, APIKey) error
	workloads  Workloads
	signIns    SignIns

	Now func() time.Time

	tokens   tokenCache
	activity activity
	hashing  *hashing
}

// New returns a Service.
func New(c Config) *Service {
	s := &Service{
		db: c.DB, signer: c.Signer, key: c.Key, pepper: c.Pepper,
		Now: c.Now, userKeyTTL: c.UserKeyTTL, keyMade: c.KeyMade, workloads: c.Workloads, signIns: c.SignIns,
		hashing: newHashing(c.Passwords),
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.keyMade == nil {
		s.keyMade = func(Tx, Principal, APIKey) error { return nil }
	}
	if s.userKeyTTL == 0 {
		s.userKeyTTL = UserTokenTTL
	}
	return s
}

// Authenticate says who bears a JWT or a 1ck_ key. It refuses a token that is
// forged, expired or revoked, and one whose subject may no longer act; each
// refusal is in the audit log before the caller hears of it.
func (s *Service) Authenticate(ctx context.Context, bearer string, peer Peer) (Principal, error) {
	var (
		p   Principal
		err error
	)
	if strings.HasPrefix(bearer, UserKeyPrefix) {
		p, err = s.authenticateKey(ctx, bearer)
	} else {
		p, err = s.authenticateToken(ctx, bearer)
	}
	p.IP, p.RequestID = peer.IP, peer.Request
	if err == nil {
		s.activity.touch(p, s.Now())
		return p, nil
	}
	if fault.KindOf(err) != fault.Unauthenticated {
		return Principal{}, err
	}
	return Principal{}, s.refuse(ctx, p, peer, err)
}

// authenticateToken returns as much of the principal as is known even when it
// refuses, so that the audit event can name it.
func (s *Service) authenticateToken(ctx context.Context, token string) (Principal, error) {
	v, err := s.verify(token)
	if err != nil {
		return Principal{}, err
	}
	err = s.db.View(ctx, func(tx Tx) error {
		switch revoked, err := tx.Revoked(v.Token); {
		case err != nil:
			return err
		case revoked:
			return ErrTokenRevoked
		case v.Kind == KindUser:
			return s.checkUser(tx, &v)
		default:
			return s.checkAgent(tx, &v)
		}
	})
	return v.Principal, err
}

func (s *Service) checkUser(tx Tx, v *verified) error {
	u, ok, err := tx.User(v.Org, v.ID)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrToken
	case v.issued.Before(u.TokensFrom.Truncate(time.Second)) && v.Token != u.KeptToken:
		return ErrTokenRevoked
	}
	v.Role = u.Role
	return nil
}

func (s *Service) checkAgent(tx Tx, v *verified) error {
	a, ok, err := tx.Agent(v.Org, v.ID)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrToken
	case !a.Active:
		return ErrInactive
	case !a.Usable(s.Now()):
		return ErrExpired
	}
	v.Intents = v.Intents || a.Intents // whichever forbids more
	return nil
}

func (s *Service) authenticateKey(ctx context.Context, key string) (p Principal, err error) {
	if !looksLikeKey(key, UserKeyPrefix) {
		return p, ErrToken
	}
	err = s.db.View(ctx, func(tx Tx) error {
		u, k, err := s.userByKey(tx, key)
		if err != nil {
			return err
		}
		p = Principal{Kind: KindUser, ID: u.ID, Org: u.Org, Role: u.Role}
		if !k.Usable(s.Now()) {
			return ErrToken
		}
		s.activity.touchKey(k.ID, s.Now())
		return nil
	})
	return p, err
}

// userByKey finds the owner of a 1ck_ key; an unknown key is ErrToken.
func (s *Service) userByKey(tx Tx, key string) (User, APIKey, error) {
	c, ok, err := tx.Credential(s.HashKey(key))
	if err != nil || !ok || c.Kind != KindUser {
		return User{}, APIKey{}, orFault(err, ErrToken)
	}
	u, ok, err := tx.User(c.Org, c.ID)
	if err != nil || !ok {
		return User{}, APIKey{}, orFault(err, ErrToken)
	}
	k, ok, err := tx.APIKey(c.ID, c.Key)
	if err != nil || !ok {
		return User{}, APIKey{}, orFault(err, ErrToken)
	}
	return u, k, nil
}

// orFault returns err if there is one, refusal otherwise.
func orFault(err error, refusal *fault.Error) error {
	if err != nil {
		return err
	}
	return refusal
}

// refuse records a failed authentication and returns why.
func (s *Service) refuse(ctx context.Context, p Principal, peer Peer, why error) error {
	e := peer.event(audit.AuthFailure, "auth", "token")
	if !p.ID.IsZero() {
		e = p.Event(audit.AuthFailure, string(p.Kind), p.ID.String())
	}
	return s.record(ctx, e, why)
}

// record appends the event of a refusal, completed by its cause, and returns
// the cause; if the audit cannot be written, that is the answer instead.
func (s *Service) record(ctx context.Context, e audit.Event, why error) error {
	e.Outcome, e.Reason, e.Time = audit.Refused, fault.As(why).Code, s.Now().UTC()
	return txn.Decide(ctx, s.db, func(tx Tx) (error, error) {
		return why, audit.Write(ctx, tx, e)
	})
}

// Revoke ends the token p came with. A 1ck_ key is no token: it is revoked by
// its id, and here nothing happens.
func (s *Service) Revoke(ctx context.Context, p Principal) error {
	if p.Token == "" {
		return nil
	}
	e := p.Event(audit.AuthRevoke, "token", p.Token)
	return s.db.Update(ctx, func(tx Tx) error {
		e.Time = s.Now().UTC()
		if err := tx.PutRevoked(p.Token, p.TokenExpires.UTC()); err != nil {
			return err
		}
		return audit.Write(ctx, tx, e)
	})
}

// ForgetRevoked drops revocations whose tokens have expired anyway.
func (s *Service) ForgetRevoked(ctx context.Context) error {
	const batch = 1000
	for {
		var dead []string
		err := s.db.View(ctx, func(tx Tx) (err error) {
			dead, err = tx.RevokedBefore(s.Now(), batch)
			return err
		})
		if err != nil || len(dead) == 0 {
			return err
		}
		err = s.db.Update(ctx, func(tx Tx) error {
			for _, t := range dead {
				if err := tx.DeleteRevoked(t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(dead) < batch {
			return err
		}
	}
}

// FoldEmail is the form in which addresses are compared: lower case, no
// surrounding space. It refuses what is not a bare address.
func FoldEmail(email string) (string, error) {
	email = strings.TrimSpace(email)
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > 254 || !strings.Contains(email, "@") {
		return "", ErrEmail
	}
	return strings.ToLower(email), nil
}

// scopes derives what a new token of a covers at most.
func (s *Service) scopes(tx Tx, a Agent, now time.Time) ([]policy.Pattern, error) {
	grants, err := tx.PrincipalGrants(policy.Principal{Type: string(KindAgent), ID: a.ID})
	if err != nil {
		return nil, err
	}
	scopes := policy.Scopes(a.Scopes, grants, now)
	size := 0
	for _, p := range scopes {
		size += len(p.String()) + len(`"",`)
	}
	if size > maxScopes {
		return nil, ErrTooManyScopes
	}
	return scopes, nil
}

// maxScopes bounds the scopes of a token, in bytes: it must fit in a header.
const maxScopes = 8 << 10

// agentByKey finds the agent a key belongs to; an unknown key is ErrCredentials.
func (s *Service) agentByKey(tx Tx, key string) (Agent, error) {
	c, ok, err := tx.Credential(s.HashKey(key))
	if err != nil || !ok || c.Kind != KindAgent {
		return Agent{}, orFault(err, ErrCredentials)
	}
	a, ok, err := tx.Agent(c.Org, c.ID)
	if err != nil || !ok {
		return Agent{}, orFault(err, ErrCredentials)
	}
	return a, nil
}

// AgentToken is what an agent gets for its key.
type AgentToken struct {
	Token
	Agent    id.ID
	VaultIDs []id.ID
}

// ExchangeAgentKey sells a JWT for an ocv_ key. The agent's id may be left
// zero; if it is given it must be the key's. Wrong key, unknown agent,
// inactive and expired all answer alike.
func (s *Service) ExchangeAgentKey(ctx context.Context, agent id.ID, key string, peer Peer) (AgentToken, error) {
	return s.exchange(ctx, peer, AuthAPIKey, func(tx Tx) (Agent, error) {
		if !looksLikeKey(key, AgentKeyPrefix) {
			return Agent{}, ErrCredentials
		}
		a, err := s.agentByKey(tx, key)
		if err == nil && !agent.IsZero() && a.ID != agent {
			err = ErrCredentials
		}
		return a, err
	})
}

func (s *Service) refuseExchange(ctx context.Context, p Principal, peer Peer, err error) error {
	if fault.KindOf(err) != fault.Unauthenticated {
		return err
	}
	if peer.Throttled != nil {
		return peer.Throttled
	}
	return s.refuse(ctx, p, peer, err)
}

// admit records a successful authentication: the token leaves only afterwards.
func (s *Service) admit(ctx context.Context, p Principal) error {
	e := p.Event(audit.AuthSuccess, string(p.Kind), p.ID.String())
	e.Time = s.Now().UTC()
	s.activity.touch(p, e.Time)
	return s.db.Update(ctx, func(tx Tx) error {
		return audit.Write(ctx, tx, e)
	})
}
