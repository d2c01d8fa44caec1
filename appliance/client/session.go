package client

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// renewBefore is how long before its end a token is no longer used, so that it
// does not end on the way.
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

	mu    sync.Mutex
	token string
	Session
}

func newSession(o Options) (*session, error) {
	if o.Token != "" {
		return &session{token: o.Token, given: true}, nil
	}
	if o.Key != "" && !isKey(o.Key) {
		return nil, errors.New("client: a key begins with ocv_ (an agent's) or 1ck_ (a person's)")
	}
	return &session{key: o.Key, agentID: o.AgentID}, nil
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
// Callers that need it at the same time wait for one exchange.
func (s *session) bearer(ctx context.Context, c *Client) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.given || s.key == "" || time.Until(s.ExpiresAt) > renewBefore {
		return s.token, nil
	}
	got, err := s.exchange(ctx, c)
	if err != nil {
		return "", err
	}
	s.token = got.AccessToken
	s.Session = Session{
		AgentID: got.AgentID, VaultIDs: got.VaultIDs,
		ExpiresAt: time.Now().Add(time.Duration(got.ExpiresIn) * time.Second),
	}
	return s.token, nil
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
		s.token, s.ExpiresAt = "", time.Time{}
	}
	return true
}
