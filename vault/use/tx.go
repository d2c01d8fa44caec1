package use

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
)

// Tx is what this package reads and writes.
type Tx interface {
	vault.Tx

	// Bindings are those of an agent, oldest first: there are few.
	Bindings(agent id.ID) ([]Binding, error)
	// PutBindings replaces them; an empty list removes the record.
	PutBindings(agent id.ID, all []Binding) error
}
