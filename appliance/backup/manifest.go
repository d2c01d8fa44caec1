package backup

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

// kindManifest is what the audit key says it signs.
const kindManifest = "backup-manifest/1"

// Digest is a SHA-256, in JSON as lower-case hex.
type Digest [sha256.Size]byte

// String returns it as lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(d) {
		return fmt.Errorf("backup: not a SHA-256")
	}
	*d = Digest(raw)
	return nil
}

// Header is what must be known before the content can be opened. Nothing in it
// is secret: store.Meta shows the same.
type Header struct {
	Instance    id.ID  `json:"instance"`
	VerifierKey string `json:"verifier_key"` // of the key that signs; see audit.VerifierKey
	KEK         []byte `json:"kek"`
	StoreKey    []byte `json:"store_key"` // wrapped under KEK by the HSM
}

// Manifest says what is in a backup. It is signed, and not encrypted: counts of
// records can be read off the data file too.
type Manifest struct {
	Format    int       `json:"format"`
	Instance  id.ID     `json:"instance"`
	CreatedAt time.Time `json:"created_at"` // when the state was this
	Oneclawd  string    `json:"oneclawd"`   // version that made it
	Schema    int       `json:"schema"`     // of the data file
	State     State     `json:"state"`
	Events    Events    `json:"events"`
	Audit     LogHead   `json:"audit"`
	Header    Digest    `json:"header"`
	Bytes     int64     `json:"bytes"`  // of all blocks
	Blocks    []byte    `json:"blocks"` // SHA-256 of each, one after another
}

// State is the data file.
type State struct {
	Bytes   int64             `json:"bytes"`
	SHA256  Digest            `json:"sha256"`
	Records uint64            `json:"records"`
	Tables  map[string]uint64 `json:"tables"` // records of each
}

// Events are the archived audit events, which are those below Through as far
// as they have not expired. The newer ones are in the data file.
type Events struct {
	Count   uint64 `json:"count"`
	Bytes   int64  `json:"bytes"`
	Through uint64 `json:"through"`
}

// LogHead is the audit log at that instant.
type LogHead struct {
	Size uint64 `json:"size"`
	Root Digest `json:"root"` // RFC 6962
}

// Sum identifies a backup: the SHA-256 of its manifest.
func (m Manifest) Sum() Digest {
	raw, err := json.Marshal(m)
	if err != nil {
		panic("backup: " + err.Error()) // all fields have a JSON form
	}
	return sha256.Sum256(raw)
}

// parse reads JSON of one of our own types, strictly: another spelling of the
// same is as suspect as another content.
func parse(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows")
	}
	return nil
}

// block returns the SHA-256 of the i-th block.
func (m Manifest) block(i int) Digest { return Digest(m.Blocks[i*sha256.Size:]) }

func (m Manifest) blocks() int { return len(m.Blocks) / sha256.Size }
