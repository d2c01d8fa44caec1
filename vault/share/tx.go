package share

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/site"
)

// Tx is what this package reads and writes. A read of something absent
// reports false, not an error. Methods marked (scan) work in a View only.
type Tx interface {
	vault.Tx
	outbox.Tx
	site.Tx

	Share(share id.ID) (Share, bool, error)
	// PutShare adds or replaces; Outbound and Inbound follow its creator and its
	// recipient, who never change once set.
	PutShare(Share) error
	DeleteShare(Share) error
	// Shares are up to limit shares that come after one, or from the first on
	// after the zero ID, in the order of their identifiers. (scan)
	Shares(after id.ID, limit int) ([]Share, error)

	Outbound(creator policy.Principal) ([]Share, error)  // (scan) in no order
	Inbound(recipient policy.Principal) ([]Share, error) // (scan) in no order

	// PendingShares are offers to an address that nobody has claimed.
	PendingShares(folded string) ([]id.ID, error)
	// PutPendingShares replaces them; an empty list removes the record.
	PutPendingShares(folded string, shares []id.ID) error
}
