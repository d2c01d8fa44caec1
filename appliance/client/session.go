package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// renewBefore is how long before its end a token is no longer used, so that it
// does not end on the way; of one that lives for less than five times that, a fifth
// of its life.
const renewBefore = time.Minute

// The prefixes of keys that can be exchanged for a token.
const (
	agentKey  = "ocv_"
	personKey = "1ck_"
)

func isKey(s string) bool { return strings.HasPrefix(s, agentKey) || strings.HasPrefix(s, personKey) }

// Session is what a token is good for.
type Session struct {
	// AgentID is the agent that the token is of; "" for a person, and for a token
	// that was given and not exchanged.
	AgentID string
	// VaultIDs are the vaults the token is bound to. Empty: whatever the
	// principal's policies reach.
	VaultIDs []string
	// ExpiresAt is zero for a token that was given.
	ExpiresAt time.Time
}

// session holds the token of one principal and renews it.
type session struct {
	key, agentID string
	given        bool // the token was given: nothing can renew it

	turn chan struct{} // whoever exchanges the key

	mu    sync.Mutex
	token string
	renew time.Time // the token is not used from then on
	Session
}

func newSession(o Options) (*session, error) {
	if o.Token != "" {
		return &session{token: o.Token, given: true}, nil
	}
	if o.Key != "" && !isKey(o.Key) {
		return nil, errors.New("client: a key begins with ocv_ (an agent's) or 1ck_ (a person's)")
	}
	return &session{key: o.Key, agentID: o.AgentID, turn: make(chan struct{}, 1)}, nil
}

// Session exchanges the key, if there is no token yet, and says what it got.
func (c *Client) Session(ctx context.Context) (Session, error) {
	if _, err := c.session.bearer(ctx, c); err != nil {
		return Session{}, err
	}
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	return c.session.Session, nil
}

// bearer returns a token that is good for a while, or "" where there is none.
// Callers that need it at the same time wait for one exchange, each for as long as
// its own context lets it.
func (s *session) bearer(ctx context.Context, c *Client) (string, error) {
	if token, good := s.current(); good {
		return token, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("client: waiting for a token: %w", ctx.Err())
	}
	if token, good := s.current(); good { // of who was first
		return token, nil
	}
	got, err := s.exchange(ctx, c)
	if err != nil {
		return "", err
	}
	now, life := time.Now(), time.Duration(got.ExpiresIn)*time.Second
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.renew = got.AccessToken, now.Add(life-min(renewBefore, life/5))
	s.Session = Session{AgentID: got.AgentID, VaultIDs: got.VaultIDs, ExpiresAt: now.Add(life)}
	return s.token, nil
}

// current is the token there is, and whether it can be used.
func (s *session) current() (token string, good bool) {
	if s.given || s.key == "" {
		return s.token, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, time.Now().Before(s.renew)
}

func (s *session) exchange(ctx context.Context, c *Client) (api.TokenResponse, error) {
	if strings.HasPrefix(s.key, personKey) {
		return c.APIKeyToken(ctx, api.UserApiKeyTokenRequest{APIKey: s.key})
	}
	return c.AgentToken(ctx, api.AgentTokenRequest{AgentID: s.agentID, APIKey: &s.key})
}

// refused forgets a token that the appliance did not take, and reports whether
// another can be had: it may have been revoked, or the daemon's key replaced.
func (s *session) refused(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.given || s.key == "" {
		return false
	}
	if s.token == token {
		s.token, s.renew, s.ExpiresAt = "", time.Time{}, time.Time{}
	}
	return true
}
