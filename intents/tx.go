package intents

import (
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// Tx is what this package reads and writes. A read of something absent
// reports false or nothing, not an error. Methods marked (scan) work in a View
// only.
type Tx interface {
	vault.Tx
	outbox.Tx

	// Chains are the registry, in the order of chain ids; none before it was made.
	Chains() ([]Chain, error)
	PutChains([]Chain) error

	Intent(agent, intent id.ID) (Intent, bool, error)
	// PutIntent adds or replaces; OpenIntents and Unseen follow its state.
	PutIntent(Intent) error
	// Intents are up to limit intents of an agent before one, or from the newest on
	// before the zero ID, newest first. (scan)
	Intents(agent, before id.ID, limit int) ([]Intent, error)
	// OpenIntents are up to limit intents on a chain that are neither final nor
	// Unseen, of all agents, after one, or from the first on after the zero ID, oldest
	// first. (scan)
	OpenIntents(chain uint64, after id.ID, limit int) ([]Intent, error)
	// UnseenAccounts are the accounts on a chain that have Unseen intents. (scan)
	UnseenAccounts(chain uint64) ([]evm.Address, error)
	// Unseen are up to limit of an account's, with nonces of a range, lowest first;
	// the range ends before its second number. (scan)
	Unseen(chain uint64, a evm.Address, nonces [2]uint64, limit int) ([]Intent, error)

	Account(chain uint64, a evm.Address) (Account, error)
	PutAccount(Account) error

	// Spent is what an agent spent of an asset; TxCount of nothing, but how often.
	Spent(agent id.ID, a Asset) (Window, error)
	PutSpent(agent id.ID, a Asset, w Window) error
	TxCount(agent id.ID) (Window, error)
	PutTxCount(agent id.ID, w Window) error

	// Repeat is what an Idempotency-Key of an agent was used for.
	Repeat(agent id.ID, key string) (Repeat, bool, error)
	PutRepeat(agent id.ID, key string, r Repeat) error
	DeleteRepeat(agent id.ID, key string) error
	// OldRepeats are up to limit of those from before a time, for ForgetRepeat. (scan)
	OldRepeats(before time.Time, limit int) ([]RepeatKey, error)
	ForgetRepeat(RepeatKey) error

	// SignerAddress is the address of the key in a version of a secret, once it was
	// derived.
	SignerAddress(secret id.ID, version uint32) (evm.Address, bool, error)
	PutSignerAddress(secret id.ID, version uint32, a evm.Address) error

	// SigningKeys are an agent's keys in the HSM for a chain, in the order of their
	// versions.
	SigningKeys(agent id.ID, chain string) ([]SigningKey, error)
	PutSigningKeys(agent id.ID, chain string, keys []SigningKey) error
	AllSigningKeys(agent id.ID) ([]SigningKey, error) // (scan) for all chains

	Extra(agent id.ID) (Extra, error)
	PutExtra(agent id.ID, e Extra) error

	Approval(org, approval id.ID) (Approval, bool, error)
	// PutApproval adds or replaces; LastApproval of its agent and hash is then it.
	PutApproval(Approval) error
	LastApproval(org, agent id.ID, hash []byte) (Approval, bool, error)
	// Waiting are the approvals of an agent that were not decided when they were
	// last put, oldest first.
	Waiting(agent id.ID) ([]Waiting, error)
	PutWaiting(agent id.ID, list []Waiting) error
	// Approvals calls fn with those of an organisation, newest first, until it
	// returns false. (scan)
	Approvals(org id.ID, fn func(Approval) bool) error
	// Managers are the owners and admins of an organisation. (scan)
	Managers(org id.ID) ([]identity.User, error)

	// Paid reports whether an agent has paid an address before.
	Paid(agent id.ID, to evm.Address) (bool, error)
	PutPaid(agent id.ID, to evm.Address) error

	// Freeze is why and since when an organisation signs nothing.
	Freeze(org id.ID) (Freeze, bool, error)
	PutFreeze(org id.ID, f Freeze) error
	DeleteFreeze(org id.ID) error
}

// Repeat is the use of an Idempotency-Key.
type Repeat struct {
	Intent      id.ID     `json:"intent"`
	Fingerprint []byte    `json:"fingerprint"` // of the request
	At          time.Time `json:"at"`
}

// RepeatKey names a Repeat whose Idempotency-Key is not known any more.
type RepeatKey []byte

// Freeze stops all signing in an organisation.
type Freeze struct {
	By     id.ID     `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}
