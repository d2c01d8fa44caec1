package identity

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Tx is what this package reads and writes. A read of something absent
// reports false, not an error. Methods marked (scan) work in a View only.
type Tx interface {
	audit.Tx

	// Platform is the organisation whose owners run this appliance.
	Platform() (id.ID, bool, error)
	PutPlatform(org id.ID) error

	Org(org id.ID) (Org, bool, error)
	PutOrg(Org) error

	User(org, user id.ID) (User, bool, error)
	PutUser(User) error
	UserByEmail(folded string) (UserRef, bool, error)
	PutUserEmail(folded string, ref UserRef) error

	Credential(hash []byte) (Credential, bool, error)
	PutCredential(hash []byte, c Credential) error
	DeleteCredential(hash []byte) error

	// ClaimHolder is the agent of org that a proof other than a key is of.
	ClaimHolder(claim []byte, org id.ID) (agent id.ID, held bool, err error)
	PutClaim(claim []byte, org, agent id.ID) error
	DeleteClaim(claim []byte, org id.ID) error
	ClaimHolders(claim []byte) ([]AgentRef, error) // (scan) of all organisations

	APIKey(user, key id.ID) (APIKey, bool, error)
	PutAPIKey(APIKey) error
	APIKeys(user id.ID) ([]APIKey, error) // (scan) oldest first

	Agent(org, agent id.ID) (Agent, bool, error)
	PutAgent(Agent) error
	Agents(org id.ID) ([]Agent, error) // (scan) oldest first

	// Revoked reports whether the JWT with this jti was revoked.
	Revoked(token string) (bool, error)
	PutRevoked(token string, expires time.Time) error
	DeleteRevoked(token string) error
	RevokedBefore(now time.Time, limit int) ([]string, error) // (scan) tokens that have expired anyway

	// Activity is when a user's key or an agent was last seen.
	Activity(who id.ID) (time.Time, error)
	PutActivity(who id.ID, at time.Time) error

	// PrincipalGrants are all policies that name p, over all vaults. (scan)
	PrincipalGrants(p policy.Principal) ([]policy.Policy, error)
}
