package identity

import (
	"context"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// What vault/people, which looks after accounts, needs beyond what requests do.

// MFATokenTTL is how long somebody who gave a right password has for the second
// factor.
const MFATokenTTL = 5 * time.Minute

// mfaSubject marks the token between the two factors, in its subject and its
// audience. No kind of principal is called so: verify refuses it.
const mfaSubject = "mfa"

// Event starts an audit event about somebody who is not authenticated.
func (p Peer) Event(action audit.Action, resource, resourceID string) audit.Event {
	return p.event(action, resource, resourceID)
}

// IssueUser makes a token for a user who has proved who they are; nothing is
// recorded.
func (s *Service) IssueUser(ctx context.Context, u User, ttl time.Duration) (Token, error) {
	now, err := s.issueTime(ctx, u)
	if err != nil {
		return Token{}, err
	}
	return s.issueUser(ctx, u, now, ttl)
}

// issueTime is now. A token names its second only, so that right after u's
// tokens were ended it waits for the next one: a new token must not look like an
// old one.
func (s *Service) issueTime(ctx context.Context, u User) (time.Time, error) {
	now := s.Now().UTC()
	wait := u.TokensFrom.Sub(now)
	if wait <= 0 || wait > time.Second {
		return now, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return u.TokensFrom, nil
	case <-ctx.Done():
		return now, ctx.Err()
	}
}

// TokensFrom is what to set a User's TokensFrom to so that every token issued
// until now, in this very second too, is refused.
func TokensFrom(now time.Time) time.Time {
	return now.UTC().Truncate(time.Second).Add(time.Second)
}

// IssueMFA makes the token that stands for u's right password until the second
// factor is there. It is good for ProvenMFA and nothing else.
func (s *Service) IssueMFA(ctx context.Context, u User) (Token, error) {
	now, err := s.issueTime(ctx, u)
	if err != nil {
		return Token{}, err
	}
	c := claims{Org: u.Org.String(), RegisteredClaims: s.registered(mfaSubject+":"+u.ID.String(), now, MFATokenTTL)}
	c.Audience = jwt.ClaimStrings{mfaSubject}
	return s.sign(ctx, c, MFATokenTTL)
}

// FirstFactor is what a token of IssueMFA says.
type FirstFactor struct {
	UserRef
	Token           string // its id, to be used once
	Issued, Expires time.Time
}

// ProvenMFA reads a token of IssueMFA; anything else is ErrToken. Whether it was
// used already is the caller's to know.
func (s *Service) ProvenMFA(token string) (f FirstFactor, err error) {
	if strings.ContainsAny(token, "\r\n") { // base64 would skip them
		return f, ErrToken
	}
	var c claims
	_, err = jwt.ParseWithClaims(token, &c, s.verificationKey,
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithAudience(mfaSubject),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding(), jwt.WithTimeFunc(s.Now))
	if err != nil {
		return f, ErrToken.Because(err)
	}
	kind, sub, _ := strings.Cut(c.Subject, ":")
	if kind != mfaSubject || c.ID == "" || c.IssuedAt == nil {
		return f, ErrToken
	}
	f.Token, f.Issued, f.Expires = c.ID, c.IssuedAt.Time, c.ExpiresAt.Time
	if f.User, err = id.Parse(sub); err != nil {
		return f, ErrToken.Because(err)
	}
	if f.Org, err = id.Parse(c.Org); err != nil {
		return f, ErrToken.Because(err)
	}
	return f, nil
}
