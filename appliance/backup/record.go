package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Tx is what this package writes into the store that it copies.
type Tx interface {
	audit.Tx

	// LastBackup and ProvenRestore are JSON; nil if there is none.
	LastBackup() ([]byte, error)
	PutLastBackup(record []byte) error
	ProvenRestore() ([]byte, error)
	PutProvenRestore(record []byte) error
}

// Made is what is remembered of the last backup.
type Made struct {
	Backup    Digest    `json:"backup"` // SHA-256 of its manifest
	CreatedAt time.Time `json:"created_at"`
	Bytes     int64     `json:"bytes"`
	Records   uint64    `json:"records"`
	Audit     LogHead   `json:"audit"`
	// Recovery is of the last backup that a recovery key opens: of this one, or of one
	// before.
	Recovery *MadeRecovery `json:"recovery,omitempty"`
}

// MadeRecovery is what is remembered of a backup's escrow.
type MadeRecovery struct {
	Key       string    `json:"key"` // see RecoveryName
	CreatedAt time.Time `json:"created_at"`
	Values    uint64    `json:"values"`    // that the recovery key opens
	Elsewhere uint64    `json:"elsewhere"` // that also take another module
	Damaged   uint64    `json:"damaged"`
}

// recoveryOf is nil for a backup without an escrow.
func recoveryOf(m Manifest) *MadeRecovery {
	e := m.Escrow
	if e == nil {
		return nil
	}
	return &MadeRecovery{
		Key: RecoveryName(e.Recipient), CreatedAt: m.CreatedAt, Values: e.Keys, Elsewhere: e.Elsewhere, Damaged: e.Damaged,
	}
}

// Standing is what there is to know about backups; nil where there is none.
type Standing struct {
	Last   *Made    // the last backup that was made
	Proven *Receipt // the last restore that was proven
}

// RecordBackup puts a backup that was made, where it was meant to go, into the
// audit log and into Standing.
func RecordBackup(ctx context.Context, db txn.Runner[Tx], m Manifest) error {
	made := Made{
		Backup: m.Sum(), CreatedAt: m.CreatedAt, Bytes: m.Bytes, Records: m.State.Records,
		Audit: m.Audit, Recovery: recoveryOf(m),
	}
	e := event(audit.ApplianceBackup, m.Instance)
	e.Details = audit.Details{
		"backup": made.Backup.String(), "bytes": made.Bytes, "records": made.Records,
		"audit_size": m.Audit.Size,
	}
	if r := made.Recovery; r != nil {
		e.Details["recovery_key"], e.Details["escrowed"] = r.Key, r.Values
	}
	return db.Update(ctx, func(tx Tx) error {
		raw, err := made.after(tx)
		if err != nil {
			return err
		}
		if err := tx.PutLastBackup(raw); err != nil {
			return err
		}
		return audit.Write(ctx, tx, e)
	})
}

// after is m as it is remembered, with the last escrow if it has none.
func (m Made) after(tx Tx) ([]byte, error) {
	if m.Recovery == nil {
		raw, err := tx.LastBackup()
		if err != nil {
			return nil, err
		}
		var before Made
		if raw != nil {
			if err := json.Unmarshal(raw, &before); err != nil {
				return nil, fmt.Errorf("backup: the record of the last backup: %w", err)
			}
		}
		m.Recovery = before.Recovery
	}
	return json.Marshal(m)
}

// RecordDrill puts the outcome of a drill into the audit log and, if it
// succeeded, into Standing. drilled is the error of Drill; a failure leaves the
// last proven restore what it was.
func RecordDrill(ctx context.Context, db txn.Runner[Tx], instance id.ID, r Receipt, drilled error) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	e := event(audit.ApplianceDrill, instance)
	e.Details = audit.Details{
		"backup": r.Backup.String(), "records": r.Records, "sampled": r.Sampled, "opened": r.Opened,
		"audit_size": r.Audit.Size, "events_verified": r.EventsVerified,
	}
	if drilled != nil {
		e.Outcome, e.Reason = audit.Failed, "internal"
		if f := fault.As(drilled); f != nil {
			e.Reason = f.Code
		}
	}
	return db.Update(ctx, func(tx Tx) error {
		if drilled == nil {
			if err := tx.PutProvenRestore(raw); err != nil {
				return err
			}
		}
		return audit.Write(ctx, tx, e)
	})
}

func event(action audit.Action, instance id.ID) audit.Event {
	return audit.Event{
		Actor: audit.Actor{Type: "system"}, Action: action,
		Resource: audit.Resource{Type: "appliance", ID: instance.String()}, Time: time.Now().UTC(),
	}
}

// Look returns what is remembered.
func Look(ctx context.Context, db txn.Runner[Tx]) (s Standing, err error) {
	err = db.View(ctx, func(tx Tx) error {
		last, err := tx.LastBackup()
		if err != nil {
			return err
		}
		proven, err := tx.ProvenRestore()
		if err != nil {
			return err
		}
		if last != nil {
			s.Last = new(Made)
			if err := json.Unmarshal(last, s.Last); err != nil {
				return fmt.Errorf("backup: the record of the last backup: %w", err)
			}
		}
		if proven != nil {
			s.Proven = new(Receipt)
			if err := json.Unmarshal(proven, s.Proven); err != nil {
				return fmt.Errorf("backup: the record of the last drill: %w", err)
			}
		}
		return nil
	})
	return s, err
}
