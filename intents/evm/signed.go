package evm

// Signed is a transaction as it goes to a node.
type Signed struct {
	Raw  []byte
	Hash Hash
}

// Sign puts a signature of t.Digest on it. Whose signature it is, is not looked
// at: recovering that costs more than signing.
func (t Tx) Sign(sig Signature) (Signed, error) {
	if err := t.Check(); err != nil {
		return Signed{}, err
	}
	raw := t.encoded(sig)
	return Signed{Raw: raw, Hash: RawHash(raw)}, nil
}

// RawHash is the hash by which a chain knows the bytes of a signed transaction.
func RawHash(raw []byte) Hash { return keccak256(raw) }
