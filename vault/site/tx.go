package site

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Tx is what this package reads and writes. A read of something absent reports
// nothing, not an error.
type Tx interface {
	identity.Tx

	// IPRules are an organisation's, oldest first.
	IPRules(org id.ID) ([]Rule, error)
	// PutIPRules replaces them; an empty list removes the record.
	PutIPRules(org id.ID, rules []Rule) error

	// Settings are those that were set, in the order of their keys.
	Settings() ([]Setting, error)
	// PutSettings replaces them; an empty list removes the record.
	PutSettings([]Setting) error
}
