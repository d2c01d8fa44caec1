package vault

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Customer-managed encryption (CMEK): clients encrypt values with a key of
// their own before they send them. The appliance knows the key's fingerprint,
// marks each version with the one it was written under, and otherwise stores
// the ciphertext like any value: it is no reason to skip the envelope.
//
// Turning it on, off and changing the key is for the vault's creator, be that
// an agent, and for the people who manage the organisation. Having the right
// to write secrets is not enough: who turns CMEK off lets others write in
// clear.

// The audit actions.
const (
	cmekEnable  audit.Action = "cmek.enable"
	cmekDisable audit.Action = "cmek.disable"
	cmekRotate  audit.Action = "cmek.rotate" // when it starts and when it ends; see "status" in the details
	cmekRead    audit.Action = "cmek.read"   // refusals only
)

// What the methods for CMEK refuse with.
var (
	ErrFingerprint   = fault.New(fault.Invalid, "invalid_cmek_fingerprint", "A fingerprint is the SHA-256 of the key in 64 hexadecimal digits")
	ErrCMEKOff       = fault.New(fault.Invalid, "cmek_not_enabled", "Customer-managed encryption is not enabled on this vault")
	ErrCMEKOn        = fault.New(fault.Conflict, "cmek_already_enabled", "Customer-managed encryption is enabled with another key; rotate the key instead")
	ErrCMEKKey       = fault.New(fault.Invalid, "invalid_cmek_key", "A customer-managed key has 32 bytes")
	ErrCMEKOldKey    = fault.New(fault.Invalid, "cmek_old_key_mismatch", "The old key is not the one whose fingerprint the vault has")
	ErrCMEKNewKey    = fault.New(fault.Invalid, "cmek_new_key_mismatch", "The new key does not have the fingerprint new_fingerprint")
	ErrCMEKSameKey   = fault.New(fault.Invalid, "cmek_same_key", "The new key is the old one")
	ErrCMEKRotating  = fault.New(fault.Conflict, "cmek_rotation_running", "The vault's customer-managed key is being rotated; wait until that has ended")
	ErrCMEKGenerated = fault.New(fault.Conflict, "cmek_value_generated", "This vault's values are encrypted by whoever writes them, and a generated one would not be; generate it, encrypt it and write it instead")
	ErrCMEKNoJob     = fault.New(fault.NotFound, "cmek_job_not_found", "No such rotation")
	errCMEKStopping  = fault.New(fault.Unavailable, "shutting_down", "The appliance is shutting down")
	errUndecryptable = fault.New(fault.Unprocessable, "cmek_undecryptable", "a secret could not be decrypted with the old key")
)

// CMEKStatus is how far a rotation is. The values are those of the API.
type CMEKStatus string

// The statuses of a rotation.
const (
	CMEKRunning   CMEKStatus = "running"
	CMEKCompleted CMEKStatus = "completed"
	CMEKFailed    CMEKStatus = "failed"
)

// CMEKJob is the rotation of a vault's customer-managed key, without the keys.
type CMEKJob struct {
	ID             id.ID      `json:"id"`
	Vault          id.ID      `json:"vault"`
	OldFingerprint string     `json:"old_fingerprint"`
	NewFingerprint string     `json:"new_fingerprint"`
	Status         CMEKStatus `json:"status"`
	Total          int        `json:"total"`     // secrets under either key
	Processed      int        `json:"processed"` // of those, what needs nothing more
	Error          string     `json:"error,omitempty"`
	CreatedAt      time.Time  `json:"created_at"`
	EndedAt        *time.Time `json:"ended_at,omitempty"`
}

// interrupted is the error of a job whose keys were lost with the process that
// had them.
const interrupted = "interrupted; start it again with the same keys"

// parseFingerprint returns the form in which fingerprints are compared.
func parseFingerprint(s string) (string, error) {
	s = strings.ToLower(s)
	if raw, err := hex.DecodeString(s); err != nil || len(raw) != 32 {
		return "", ErrFingerprint
	}
	return s, nil
}

// EnableCMEK says that values of the vault are encrypted with a key of this
// fingerprint from now on. What is there stays as it is.
func (s *Service) EnableCMEK(ctx context.Context, p identity.Principal, vault id.ID, fingerprint string) (Vault, error) {
	fingerprint, err := parseFingerprint(fingerprint)
	if err != nil {
		return Vault{}, err
	}
	return s.changeCMEK(ctx, p, vault, cmekEnable, func(v *Vault, e *audit.Event) (refusal error) {
		if v.CMEKFingerprint != "" && v.CMEKFingerprint != fingerprint {
			return ErrCMEKOn // what was written under the other key could never be rotated
		}
		v.CMEKFingerprint = fingerprint
		e.Details["fingerprint"] = fingerprint
		return nil
	})
}

// DisableCMEK ends it for values written from now on. Those there stay
// encrypted, and marked as such.
func (s *Service) DisableCMEK(ctx context.Context, p identity.Principal, vault id.ID) (Vault, error) {
	return s.changeCMEK(ctx, p, vault, cmekDisable, func(v *Vault, e *audit.Event) (refusal error) {
		switch {
		case v.CMEKFingerprint == "":
			return ErrCMEKOff
		case s.rotations.running(vault):
			return ErrCMEKRotating
		}
		e.Details["fingerprint"] = v.CMEKFingerprint
		v.CMEKFingerprint = ""
		return nil
	})
}

func (s *Service) changeCMEK(ctx context.Context, p identity.Principal, vault id.ID, action audit.Action,
	fn func(v *Vault, e *audit.Event) (refusal error)) (out Vault, err error) {
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now := s.now()
		e := cmekEvent(p, vault, action, now)
		v, refusal, err := cmekVault(tx, p, vault, now)
		if err != nil {
			return nil, err
		}
		if refusal == nil {
			refusal = fn(&v, &e)
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if err := tx.PutVault(v); err != nil {
			return nil, err
		}
		out = v
		return nil, audit.Write(ctx, tx, e)
	})
	if err != nil {
		return Vault{}, err
	}
	return out, nil
}

// cmekVault loads a vault for those who may decide about its CMEK. That of
// identity keys has none: the appliance itself writes there.
func cmekVault(tx Tx, p identity.Principal, vault id.ID, now time.Time) (v Vault, refusal, err error) {
	v, refusal, err = visible(tx, p, vault, now)
	if err == nil && refusal == nil && (!manages(p, v) || v.Name == AgentKeysName) {
		refusal = ErrDenied
	}
	return v, refusal, err
}

func cmekEvent(p identity.Principal, vault id.ID, action audit.Action, now time.Time) audit.Event {
	e := p.Event(action, "vault", vault.String())
	e.Time, e.Details = now, audit.Details{"vault_id": vault.String()}
	return e
}

// CMEKJob looks at a rotation. One that was running when the process ended has
// failed: its keys are gone, and the same keys take it up again.
func (s *Service) CMEKJob(ctx context.Context, p identity.Principal, vault, job id.ID) (out CMEKJob, err error) {
	running := s.rotations.has(job) // asked first: it may end at any time, and must not seem to have failed
	var refusal error
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if _, refusal, err = cmekVault(tx, p, vault, s.now()); err != nil || refusal != nil {
			return err
		}
		var ok bool
		if out, ok, err = tx.CMEKJob(vault, job); err == nil && !ok {
			err = ErrCMEKNoJob
		}
		return err
	})
	if err == nil && refusal != nil {
		err = s.refused(ctx, cmekEvent(p, vault, cmekRead, s.now()), refusal)
	}
	if err != nil {
		return CMEKJob{}, err
	}
	if out.Status == CMEKRunning && !running {
		out.Status, out.Error = CMEKFailed, interrupted
	}
	return out, nil
}
