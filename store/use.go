package store

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/use"
)

// The table of vault/use. An agent has few bindings, so they are one record.
var bindings = table[[]use.Binding]{name: "binding", version: 1}

var _ use.Tx = (*Tx)(nil)

// Bindings implements use.Tx.
func (t *Tx) Bindings(agent id.ID) ([]use.Binding, error) {
	all, _, err := bindings.get(t, agent[:])
	return all, err
}

// PutBindings implements use.Tx.
func (t *Tx) PutBindings(agent id.ID, all []use.Binding) error {
	if len(all) == 0 {
		return bindings.delete(t, agent[:])
	}
	return bindings.put(t, agent[:], all)
}
