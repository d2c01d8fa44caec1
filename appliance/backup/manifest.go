package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
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
	Format    int       `json:"format"` // 2 if there is an escrow, else 1
	Instance  id.ID     `json:"instance"`
	CreatedAt time.Time `json:"created_at"` // when the state was this
	Oneclawd  string    `json:"oneclawd"`   // version that made it
	Schema    int       `json:"schema"`     // of the data file
	State     State     `json:"state"`
	Events    Events    `json:"events"`
	Audit     LogHead   `json:"audit"`
	Escrow    *Escrow   `json:"escrow,omitempty"` // nil: only the HSM opens it
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

// Escrow is the keys that a backup holds for the day when the HSM is gone. Each
// envelope counts once.
type Escrow struct {
	Recipient Digest   `json:"recipient"` // SHA-256 of the recovery key
	Modules   []string `json:"modules"`   // that KEKs are escrowed of, besides the default one
	Keys      uint64   `json:"keys"`      // values that the recovery key opens
	Elsewhere uint64   `json:"elsewhere"` // of which the KEK is in a module that is not among them
	Damaged   uint64   `json:"damaged"`   // that do not open, with the HSM either
	Leaving   uint64   `json:"leaving"`   // of vaults that are being deleted
	Bytes     int64    `json:"bytes"`
	SHA256    Digest   `json:"sha256"`
}

// Total is how many envelopes the backup has.
func (e Escrow) Total() uint64 { return e.Keys + e.Elsewhere + e.Damaged + e.Leaving }

// covers reports whether the keys of a module are in it.
func (e Escrow) covers(module string) bool {
	return module == "" || slices.Contains(e.Modules, module)
}

// count adds one of a kind, and reports whether there is such a kind.
func (e *Escrow) count(kind escrowKind) bool {
	switch kind {
	case escrowKey:
		e.Keys++
	case escrowElsewhere:
		e.Elsewhere++
	case escrowDamaged:
		e.Damaged++
	case escrowLeaving:
		e.Leaving++
	default:
		return false
	}
	return true
}

// counts are the figures of e alone.
func (e Escrow) counts() [4]uint64 { return [4]uint64{e.Keys, e.Elsewhere, e.Damaged, e.Leaving} }

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

// format is what Format has to be.
func (m Manifest) format() int {
	if m.Escrow != nil {
		return formatEscrow
	}
	return format
}

// block returns the SHA-256 of the i-th block.
func (m Manifest) block(i int) Digest { return Digest(m.Blocks[i*sha256.Size:]) }

func (m Manifest) blocks() int { return len(m.Blocks) / sha256.Size }
