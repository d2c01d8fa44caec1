package store

import (
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// The tables of vault/identity. A person's address and a token's id are in
// keys as Names; a key's hash is an HMAC already.
var (
	platform    = table[id.ID]{name: "platform", version: 1}
	orgs        = table[identity.Org]{name: "org", version: 1}
	users       = table[identity.User]{name: "user", version: 1}
	userEmails  = table[identity.UserRef]{name: "user-email", version: 1}
	credentials = table[identity.Credential]{name: "credential", version: 1}
	apiKeys     = table[identity.APIKey]{name: "api-key", version: 1}
	agentsTable = table[identity.Agent]{name: "agent", version: 1}
	revocations = table[revocation]{name: "revocation", version: 1}
	activities  = table[time.Time]{name: "activity", version: 1}
)

// revocation is a JWT that was ended early, kept until it would have ended.
type revocation struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

var _ identity.Tx = (*Tx)(nil)

// platformKey is the one key of its table.
var platformKey = []byte("platform")

// pair is the key of a record that belongs to a: all of a's are neighbours.
func pair(a, b id.ID) []byte { return slices.Concat(a[:], b[:]) }

// Platform implements identity.Tx.
func (t *Tx) Platform() (id.ID, bool, error) { return platform.get(t, platformKey) }

// PutPlatform implements identity.Tx.
func (t *Tx) PutPlatform(org id.ID) error { return platform.put(t, platformKey, org) }

// Org implements identity.Tx.
func (t *Tx) Org(org id.ID) (identity.Org, bool, error) { return orgs.get(t, org[:]) }

// PutOrg implements identity.Tx.
func (t *Tx) PutOrg(o identity.Org) error { return orgs.put(t, o.ID[:], o) }

// User implements identity.Tx.
func (t *Tx) User(org, user id.ID) (identity.User, bool, error) {
	return users.get(t, pair(org, user))
}

// PutUser implements identity.Tx.
func (t *Tx) PutUser(u identity.User) error { return users.put(t, pair(u.Org, u.ID), u) }

// UserByEmail implements identity.Tx.
func (t *Tx) UserByEmail(folded string) (identity.UserRef, bool, error) {
	n := t.name("e-mail", folded)
	return userEmails.get(t, n[:])
}

// PutUserEmail implements identity.Tx.
func (t *Tx) PutUserEmail(folded string, ref identity.UserRef) error {
	n := t.name("e-mail", folded)
	return userEmails.put(t, n[:], ref)
}

// Credential implements identity.Tx.
func (t *Tx) Credential(hash []byte) (identity.Credential, bool, error) {
	return credentials.get(t, hash)
}

// PutCredential implements identity.Tx.
func (t *Tx) PutCredential(hash []byte, c identity.Credential) error {
	return credentials.put(t, hash, c)
}

// DeleteCredential implements identity.Tx.
func (t *Tx) DeleteCredential(hash []byte) error { return credentials.delete(t, hash) }

// APIKey implements identity.Tx.
func (t *Tx) APIKey(user, key id.ID) (identity.APIKey, bool, error) {
	return apiKeys.get(t, pair(user, key))
}

// PutAPIKey implements identity.Tx.
func (t *Tx) PutAPIKey(k identity.APIKey) error { return apiKeys.put(t, pair(k.User, k.ID), k) }

// APIKeys implements identity.Tx.
func (t *Tx) APIKeys(user id.ID) ([]identity.APIKey, error) {
	return collect(t, apiKeys, user[:])
}

// Agent implements identity.Tx.
func (t *Tx) Agent(org, agent id.ID) (identity.Agent, bool, error) {
	return agentsTable.get(t, pair(org, agent))
}

// PutAgent implements identity.Tx.
func (t *Tx) PutAgent(a identity.Agent) error { return agentsTable.put(t, pair(a.Org, a.ID), a) }

// Agents implements identity.Tx.
func (t *Tx) Agents(org id.ID) ([]identity.Agent, error) { return collect(t, agentsTable, org[:]) }

// Revoked implements identity.Tx.
func (t *Tx) Revoked(token string) (bool, error) {
	n := t.name("token", token)
	_, found, err := revocations.get(t, n[:])
	return found, err
}

// PutRevoked implements identity.Tx.
func (t *Tx) PutRevoked(token string, expires time.Time) error {
	n := t.name("token", token)
	return revocations.put(t, n[:], revocation{token, expires})
}

// DeleteRevoked implements identity.Tx.
func (t *Tx) DeleteRevoked(token string) error {
	n := t.name("token", token)
	return revocations.delete(t, n[:])
}

// RevokedBefore implements identity.Tx.
func (t *Tx) RevokedBefore(now time.Time, limit int) (tokens []string, err error) {
	err = revocations.scan(t, page{}, func(_ []byte, r revocation) error {
		if r.Expires.Before(now) {
			tokens = append(tokens, r.Token)
		}
		if len(tokens) >= limit {
			return errStop
		}
		return nil
	})
	return tokens, err
}

// Activity implements identity.Tx.
func (t *Tx) Activity(who id.ID) (time.Time, error) {
	at, _, err := activities.get(t, who[:])
	return at, err
}

// PutActivity implements identity.Tx.
func (t *Tx) PutActivity(who id.ID, at time.Time) error { return activities.put(t, who[:], at) }

// PrincipalGrants implements identity.Tx.
func (t *Tx) PrincipalGrants(p policy.Principal) (out []policy.Policy, err error) {
	err = grants.scan(t, page{Prefix: holderKey(p)}, func(_ []byte, list []policy.Policy) error {
		out = append(out, list...)
		return nil
	})
	return out, err
}

// collect gathers all records whose key begins with prefix. Identifiers are
// time-ordered, so the oldest comes first.
func collect[V any](t *Tx, tb table[V], prefix []byte) (out []V, err error) {
	err = tb.scan(t, page{Prefix: prefix}, func(_ []byte, v V) error {
		out = append(out, v)
		return nil
	})
	return out, err
}
