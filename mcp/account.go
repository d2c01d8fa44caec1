package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/internal/fault"
)

var (
	errNoCredential = fault.New(fault.Unauthenticated, "missing_authorization", "Missing Authorization header (Bearer <agent-token>)")
	errNotAgent     = fault.New(fault.Unauthenticated, "not_an_agent", "This is not an agent's credential: send an agent's token, or its key (ocv_…)")
	errNoVault      = fault.New(fault.NotFound, "no_vault", "No vault is within reach of this agent. Create one with create_vault, or have somebody grant access to one.")
)

// account is an agent whose credential the API has taken.
type account struct {
	api *client.Client // as the agent
	// user is the agent's id where it was known from the beginning: a session is
	// bound to it, and what was fetched is watched by it.
	user string

	rights uint64    // when it was taken
	until  time.Time // when it is to be shown again

	mu    sync.Mutex
	agent string   // the agent's id, once it was asked for
	bound []string // the vaults that its token is bound to
	first string   // vault of the list, once it was asked for
}

// learn finds out whose key it is, if that is not known yet.
func (k *account) learn(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.agent != "" {
		return nil
	}
	s, err := k.api.Session(ctx)
	if err == nil {
		k.agent, k.bound = s.AgentID, s.VaultIDs
	}
	return err
}

// caller is an account in one request.
type caller struct {
	*account
	peer  peer
	named string // the vault that the request names, "" for none
}

// vault is the one that the tools use: what the request names, else what the
// token is bound to if that is one, else the first that the agent reaches.
func (c *caller) vault(ctx context.Context) (string, error) {
	if c.named != "" {
		return c.named, nil
	}
	if err := c.learn(ctx); err != nil {
		return "", err
	}
	if len(c.bound) == 1 {
		return c.bound[0], nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == "" {
		all, err := c.api.ListVaults(ctx)
		if err != nil {
			return "", err
		}
		if len(all.Vaults) == 0 {
			return "", errNoVault
		}
		c.first = all.Vaults[0].ID
	}
	return c.first, nil
}

// accounts remembers the credentials that were taken a short while ago, so that
// a call of a tool is one call of the API. What is remembered gives nobody any
// rights: the API decides each call by itself.
type accounts struct {
	api    *client.Client // as nobody
	oauth  OAuth
	rights func() uint64

	mu    sync.Mutex
	known map[[sha256.Size]byte]*account
}

const (
	maxAccounts = 4096
	// rememberFor is how long a credential is not asked about again.
	rememberFor = time.Minute
)

// enter is the account of a credential.
func (a *accounts) enter(ctx context.Context, credential string) (*account, error) {
	name := sha256.Sum256([]byte(credential))
	rights := a.rights() // before it is asked about: what changes meanwhile counts as changed after
	if found := a.find(name, rights); found != nil {
		return found, nil
	}
	taken, err := a.identify(ctx, credential)
	if err != nil {
		return nil, err
	}
	soon := time.Now().Add(rememberFor)
	if taken.until.IsZero() || taken.until.After(soon) {
		taken.until = soon
	}
	taken.rights = rights
	a.keep(name, taken)
	return taken, nil
}

func (a *accounts) find(name [sha256.Size]byte, rights uint64) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.known[name]
	if k == nil || k.rights != rights || time.Now().After(k.until) {
		delete(a.known, name)
		return nil
	}
	return k
}

func (a *accounts) keep(name [sha256.Size]byte, k *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for old := range a.known { // any: the map's order is random
		if len(a.known) < maxAccounts {
			break
		}
		delete(a.known, old)
	}
	a.known[name] = k
}

// identify asks the API whose credential this is: a key is exchanged for a token,
// a token is tried, and one of the authorization server's exchanged too.
func (a *accounts) identify(ctx context.Context, credential string) (*account, error) {
	if strings.HasPrefix(credential, "ocv_") {
		k := &account{api: a.api.As(credential)}
		s, err := k.api.Session(ctx)
		k.user, k.agent, k.bound = s.AgentID, s.AgentID, s.VaultIDs
		return k, err
	}
	if said, ok := a.oauth.issuedBy(credential); ok {
		return a.exchange(ctx, credential, said)
	}
	said, err := readClaims(credential)
	if err != nil {
		return nil, errNotAgent.Because(err)
	}
	k := &account{api: a.api.As(credential), user: said.agent(), agent: said.agent(), bound: said.VaultIDs}
	all, err := k.api.ListVaults(ctx) // which fails unless the token's signature is ours
	if err == nil && len(all.Vaults) > 0 {
		k.first = all.Vaults[0].ID
	}
	return k, err
}

// claims are what a token says. They are believed after the API has taken it.
type claims struct {
	Subject  string   `json:"sub"`
	VaultIDs []string `json:"vault_ids"`
}

func (c claims) agent() string { return strings.TrimPrefix(c.Subject, "agent:") }

var errNoToken = errors.New("not an agent's token")

// readClaims reads the payload of a token of an agent, and checks nothing else.
func readClaims(token string) (claims, error) {
	var out claims
	if err := readPayload(token, &out); err != nil {
		return claims{}, err
	}
	if !strings.HasPrefix(out.Subject, "agent:") || out.agent() == "" {
		return claims{}, errNoToken
	}
	return out, nil
}

// readPayload reads what a token says, whoever signed it.
func readPayload(token string, into any) error {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, ok := strings.Cut(rest, ".")
	if !ok {
		return errNoToken
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
