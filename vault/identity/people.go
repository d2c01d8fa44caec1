package identity

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Login sells a JWT for a password. An unknown address costs the same time
// and gives the same answer as a wrong password.
func (s *Service) Login(ctx context.Context, email, password string, peer Peer) (Token, error) {
	u, err := s.findUser(ctx, email)
	if err != nil {
		return Token{}, err
	}
	ok, err := s.CheckPassword(ctx, u.PasswordHash, password)
	if err != nil {
		return Token{}, err
	}
	p := Principal{Kind: KindUser, ID: u.ID, Org: u.Org, IP: peer.IP, RequestID: peer.Request}
	if !ok {
		return Token{}, s.refuse(ctx, p, peer, ErrCredentials)
	}
	return s.welcome(ctx, u, p, UserTokenTTL)
}

// ExchangeUserKey sells a JWT for a 1ck_ key.
func (s *Service) ExchangeUserKey(ctx context.Context, key string, peer Peer) (Token, error) {
	var u User
	now := s.Now()
	err := s.db.View(ctx, func(tx Tx) error {
		if !looksLikeKey(key, UserKeyPrefix) {
			return ErrCredentials
		}
		owner, k, err := s.userByKey(tx, key)
		if err == nil {
			u = owner
		}
		if fault.KindOf(err) == fault.Unauthenticated || err == nil && !k.Usable(now) {
			return ErrCredentials
		}
		s.activity.touchKey(k.ID, now)
		return err
	})
	p := Principal{Kind: KindUser, ID: u.ID, Org: u.Org, IP: peer.IP, RequestID: peer.Request}
	if err != nil {
		return Token{}, s.refuseExchange(ctx, p, peer, err)
	}
	return s.welcome(ctx, u, p, s.userKeyTTL)
}

func (s *Service) welcome(ctx context.Context, u User, p Principal, ttl time.Duration) (Token, error) {
	tok, err := s.issueUser(ctx, u, s.Now().UTC(), ttl)
	if err != nil {
		return Token{}, err
	}
	if err := s.admit(ctx, p); err != nil {
		return Token{}, err
	}
	return tok, nil
}

// findUser returns the user with this address, or the zero User.
func (s *Service) findUser(ctx context.Context, email string) (u User, err error) {
	folded, err := FoldEmail(email)
	if err != nil {
		return User{}, nil // not an address, so nobody's
	}
	err = s.db.View(ctx, func(tx Tx) error {
		ref, ok, err := tx.UserByEmail(folded)
		if err != nil || !ok {
			return err
		}
		u, _, err = tx.User(ref.Org, ref.User)
		return err
	})
	return u, err
}

// Me returns the user who asks.
func (s *Service) Me(ctx context.Context, p Principal) (u User, err error) {
	if p.IsAgent() {
		return User{}, s.record(ctx, p.Event(audit.UserRead, "user", ""), ErrUsersOnly)
	}
	err = s.db.View(ctx, func(tx Tx) error {
		var ok bool
		if u, ok, err = tx.User(p.Org, p.ID); err != nil || !ok {
			return orFault(err, ErrToken)
		}
		return nil
	})
	return u, err
}

// CreateOwner makes an organisation with its first user, and a 1ck_ key for
// them, which is returned this once. The first organisation is the platform's.
func (s *Service) CreateOwner(ctx context.Context, email, password, org string) (User, string, error) {
	folded, err := FoldEmail(email)
	if err != nil {
		return User{}, "", err
	}
	if err := CheckPasswordRule(password); err != nil {
		return User{}, "", err
	}
	hash, err := s.HashPassword(ctx, password)
	if err != nil {
		return User{}, "", err
	}
	now := s.Now().UTC()
	o := Org{ID: id.New(), Name: org, CreatedAt: now}
	u := User{
		ID: id.New(), Org: o.ID, Email: email, Role: RoleOwner, AuthMethod: "password",
		PasswordHash: hash, EmailVerified: true, CreatedAt: now,
	}
	key := NewKey(UserKeyPrefix)
	k := s.newAPIKey(u.ID, "first key", key, nil, nil, now)
	err = s.db.Update(ctx, func(tx Tx) error {
		if _, taken, err := tx.UserByEmail(folded); err != nil || taken {
			return orFault(err, ErrEmailTaken)
		}
		return putOwner(ctx, tx, o, u, k, folded)
	})
	if err != nil {
		return User{}, "", err
	}
	return u, key, nil
}

func putOwner(ctx context.Context, tx Tx, o Org, u User, k APIKey, folded string) error {
	if _, ok, err := tx.Platform(); err != nil {
		return err
	} else if !ok {
		if err := tx.PutPlatform(o.ID); err != nil {
			return err
		}
	}
	if err := tx.PutOrg(o); err != nil {
		return err
	}
	if err := tx.PutUser(u); err != nil {
		return err
	}
	if err := tx.PutUserEmail(folded, UserRef{Org: o.ID, User: u.ID}); err != nil {
		return err
	}
	if err := putAPIKey(tx, u.Org, k); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Event{
		Org: o.ID, Actor: audit.Actor{Type: "system"}, Action: audit.UserCreate,
		Resource: audit.Resource{Type: "user", ID: u.ID.String()},
		Details:  audit.Details{"role": string(u.Role)}, Time: u.CreatedAt,
	})
}

// HasOwner reports whether the appliance has been given its first owner.
func (s *Service) HasOwner(ctx context.Context) (ok bool, err error) {
	err = s.db.View(ctx, func(tx Tx) (err error) {
		_, ok, err = tx.Platform()
		return err
	})
	return ok, err
}

// NewAPIKeySpec describes a key to make.
type NewAPIKeySpec struct {
	Name      string
	Scopes    []string
	ExpiresAt *time.Time
}

// CreateAPIKey makes a 1ck_ key for the user who asks and returns it this once.
func (s *Service) CreateAPIKey(ctx context.Context, p Principal, spec NewAPIKeySpec) (APIKey, string, error) {
	now := s.Now().UTC()
	key := NewKey(UserKeyPrefix)
	k := s.newAPIKey(p.ID, spec.Name, key, spec.Scopes, spec.ExpiresAt, now)
	e := p.Event(audit.APIKeyCreate, "api_key", k.ID.String())
	e.Time, e.Details = now, audit.Details{"name": spec.Name}
	var refusal error
	switch {
	case p.IsAgent():
		refusal = ErrUsersOnly
	case !IsName(spec.Name):
		return APIKey{}, "", ErrKeyName
	case spec.ExpiresAt != nil && !now.Before(*spec.ExpiresAt):
		return APIKey{}, "", ErrExpiryPast
	}
	if refusal != nil {
		return APIKey{}, "", s.record(ctx, e, refusal)
	}
	err := s.db.Update(ctx, func(tx Tx) error {
		if err := putAPIKey(tx, p.Org, k); err != nil {
			return err
		}
		if err := s.keyMade(tx, p, k); err != nil {
			return err
		}
		return audit.Write(ctx, tx, e)
	})
	if err != nil {
		return APIKey{}, "", err
	}
	return k, key, nil
}

func (s *Service) newAPIKey(user id.ID, name, key string, scopes []string, expires *time.Time, now time.Time) APIKey {
	return APIKey{
		ID: id.New(), User: user, Name: name, Prefix: key[:visiblePrefix], Scopes: scopes,
		Active: true, CreatedAt: now, ExpiresAt: expires, KeyHash: s.HashKey(key),
	}
}

func putAPIKey(tx Tx, org id.ID, k APIKey) error {
	if err := tx.PutAPIKey(k); err != nil {
		return err
	}
	return tx.PutCredential(k.KeyHash, Credential{Kind: KindUser, Org: org, ID: k.User, Key: k.ID})
}

// SeenAPIKey is an API key and when it was last used.
type SeenAPIKey struct {
	APIKey
	LastUsed time.Time // zero if never
}

// APIKeys lists the keys of the user who asks, revoked ones too.
func (s *Service) APIKeys(ctx context.Context, p Principal) (keys []SeenAPIKey, err error) {
	if p.IsAgent() {
		return nil, s.record(ctx, p.Event(audit.APIKeyList, "api_key", ""), ErrUsersOnly)
	}
	err = s.db.View(ctx, func(tx Tx) error {
		all, err := tx.APIKeys(p.ID)
		if err != nil {
			return err
		}
		keys = make([]SeenAPIKey, len(all))
		for i, k := range all {
			keys[i].APIKey = k
			if keys[i].LastUsed, err = s.LastSeen(tx, k.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return keys, err
}

// RevokeAPIKey ends a key of the user who asks, at once.
func (s *Service) RevokeAPIKey(ctx context.Context, p Principal, key id.ID) error {
	if p.IsAgent() {
		return s.record(ctx, p.Event(audit.APIKeyRevoke, "api_key", key.String()), ErrUsersOnly)
	}
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := p.Event(audit.APIKeyRevoke, "api_key", key.String())
		e.Time = s.Now().UTC()
		k, ok, err := tx.APIKey(p.ID, key)
		if err != nil {
			return nil, err
		}
		if !ok || !k.Active {
			e.Outcome, e.Reason = audit.Refused, ErrKeyNotFound.Code
			return ErrKeyNotFound, audit.Write(ctx, tx, e)
		}
		k.Active = false
		if err := tx.PutAPIKey(k); err != nil {
			return nil, err
		}
		if err := tx.DeleteCredential(k.KeyHash); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}
