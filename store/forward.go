package store

import "github.com/oneclaw/oneclawd/shroud/forwardproxy/authority"

// The table of the forward proxy's CAs: one record.
var forwardCAs = table[[]authority.Record]{name: "forward-ca", version: 1}

var casKey = []byte("cas")

var _ authority.Tx = (*Tx)(nil)

// ForwardCAs implements authority.Tx.
func (t *Tx) ForwardCAs() ([]authority.Record, error) {
	all, _, err := forwardCAs.get(t, casKey)
	return all, err
}

// PutForwardCAs implements authority.Tx.
func (t *Tx) PutForwardCAs(all []authority.Record) error { return forwardCAs.put(t, casKey, all) }
