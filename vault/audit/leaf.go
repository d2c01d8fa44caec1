package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// What a leaf may hold. The bounds keep a request with a huge name from
// filling the log; they are far above anything legitimate.
const (
	leafVersion = 1
	maxText     = 1024        // bytes of each text
	maxDetails  = 8 * 1024    // bytes of the details as JSON
	maxPolicies = 64          // policies that matched
	maxLeaf     = 64*1024 - 1 // bytes of a leaf, were every byte of every text escaped
)

// leaf is an event as it is kept forever. Its JSON, with the fields in this
// order and map keys sorted, is the record of the Merkle log: not one byte of
// it can change without changing the root. A field is never removed, renamed
// or moved; a new version number announces new ones.
type leaf struct {
	V         int             `json:"v"`
	Seq       uint64          `json:"seq"`
	ID        id.ID           `json:"id"`
	Time      time.Time       `json:"time"` // RFC 3339 with microseconds, UTC; nanoseconds in the oldest
	Org       id.ID           `json:"org"`
	Actor     Actor           `json:"actor"`
	Action    Action          `json:"action"`
	Resource  Resource        `json:"resource"`
	Outcome   Outcome         `json:"outcome"`
	Reason    string          `json:"reason,omitempty"`
	Details   json.RawMessage `json:"details,omitempty"` // keys sorted
	Inputs    hexBytes        `json:"inputs,omitempty"`
	Policies  []id.ID         `json:"policies,omitempty"`
	IP        string          `json:"ip,omitempty"`
	Request   string          `json:"request,omitempty"`
	PrevEvent *id.ID          `json:"prev_event_id"` // null for the first of a chain
	PrevHash  string          `json:"prev_hash"`     // "" for the first of a chain
	// IntegrityHash links this event to the one before it in its chain.
	IntegrityHash string `json:"integrity_hash"`
}

// decodeLeaf reads what encode wrote. It trusts nothing: the bytes may come
// from a file somebody sent.
func decodeLeaf(raw []byte) (*leaf, error) {
	if len(raw) > maxLeaf {
		return nil, fmt.Errorf("audit: a record of %d bytes", len(raw))
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	l := new(leaf)
	if err := dec.Decode(l); err != nil {
		return nil, fmt.Errorf("audit: not a record: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("audit: bytes after the record")
	}
	if l.V != leafVersion {
		return nil, fmt.Errorf("audit: record version %d", l.V)
	}
	return l, nil
}

// integrity computes the hash that links l to its chain: lower-case hex
// SHA-256 of prev_hash|event_id|actor_id|action|resource_type|resource_id|
// timestamp. This scheme is kept because verifiers outside know it; a "|" in a
// name could shift its fields, which is harmless, since the Merkle log covers
// the whole leaf.
func (l *leaf) integrity() string {
	b := make([]byte, 0, 512)
	b = append(b, l.PrevHash...)
	b = append(b, '|')
	b = append(b, l.ID.String()...)
	b = append(b, '|')
	if !l.Actor.ID.IsZero() {
		b = append(b, l.Actor.ID.String()...)
	}
	b = append(b, '|')
	b = append(b, l.Action...)
	b = append(b, '|')
	b = append(b, l.Resource.Type...)
	b = append(b, '|')
	b = append(b, l.Resource.ID...)
	b = append(b, '|')
	b = l.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// hexBytes is a hash that JSON shows as lower-case hex.
type hexBytes []byte

// MarshalText implements encoding.TextMarshaler.
func (h hexBytes) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, h), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.AppendDecode(nil, b)
	return err
}
