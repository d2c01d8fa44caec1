package backup

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// kindReceipt is what the audit key says it signs.
const kindReceipt = "restore-receipt/1"

// Receipt is the proof of a restore: what Drill did and counted. It is JSON for
// whoever asks when a backup was last put back, and holds nothing secret.
type Receipt struct {
	Format   int       `json:"format"`
	Instance id.ID     `json:"instance"`
	Backup   Digest    `json:"backup"` // SHA-256 of the backup's manifest
	Of       time.Time `json:"of"`     // when the backup was made
	Schema   int       `json:"schema"`
	Bytes    int64     `json:"bytes"`    // of the backup's content
	Oneclawd string    `json:"oneclawd"` // version that restored
	Module   string    `json:"module"`   // kind of HSM that opened it
	Token    string    `json:"token,omitempty"`
	Pinned   bool      `json:"pinned"` // the signature was checked with a pinned key

	Started  time.Time `json:"started"`
	Restored time.Time `json:"restored"` // files were in place
	Finished time.Time `json:"finished"`

	Tables         int     `json:"tables"`  // with as many records as the manifest says
	Records        uint64  `json:"records"` // opened, all there are
	Sampled        int     `json:"sampled"` // values drawn
	Opened         int     `json:"opened"`  // of these, opened with the HSM
	Leaving        int     `json:"leaving"` // of these, of vaults that were being deleted
	Audit          LogHead `json:"audit"`
	EventsVerified uint64  `json:"events_verified"`
	EventsExpired  uint64  `json:"events_expired"`
	RecoveryKey    string  `json:"recovery_key,omitempty"` // that the backup has an escrow for
	Escrowed       uint64  `json:"escrowed,omitempty"`     // values that it opens

	Signature string `json:"signature,omitempty"` // note over the rest
}

// about takes over what the backup says of itself.
func (r *Receipt) about(m Manifest) {
	r.Format, r.Instance, r.Backup, r.Of, r.Schema, r.Bytes = 1, m.Instance, m.Sum(), m.CreatedAt, m.Schema, m.Bytes
}

// digest is what is signed: the receipt without its signature.
func (r Receipt) digest() (d Digest, err error) {
	r.Signature = ""
	raw, err := json.Marshal(r)
	return sha256.Sum256(raw), err
}

func (r *Receipt) sign(ctx context.Context, key audit.Key) error {
	sum, err := r.digest()
	if err != nil {
		return err
	}
	note, err := audit.SignStatement(ctx, r.Instance, key, kindReceipt, sum)
	if err != nil {
		return fmt.Errorf("backup: signing the receipt: %w", err)
	}
	r.Signature = string(note)
	return nil
}

// Verify checks the signature with the appliance's verifier key.
func (r Receipt) Verify(verifierKey string) error {
	sum, err := r.digest()
	if err != nil {
		return err
	}
	return audit.OpenStatement([]byte(r.Signature), verifierKey, kindReceipt, sum)
}
