package appliance

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// AttestConfig says what has to be shown of this machine before a key is opened.
type AttestConfig struct {
	Mode   string `toml:"mode" doc:"required (an SEV-SNP guest that attest.policy accepts, or no key is opened) or none. One of them has to be written down."`
	Policy string `toml:"policy" doc:"required: the appraisal policy, a TOML file; docs/attestation.md explains it."`
	Bundle string `toml:"bundle" doc:"PEM file with the certificates of the chip, if the host gives none."`
	VMPL   int    `toml:"vmpl" doc:"Privilege level that reports are asked for: 0 to 3."`
	TSM    string `toml:"tsm" doc:"Folder of configfs-tsm."`
	Device string `toml:"device" doc:"The guest device."`
}

// Values of attest.mode.
const (
	attestRequired = "required"
	attestNone     = "none"
)

// noteUnattested is said wherever an operator looks.
const noteUnattested = "attest.mode is none: nothing shows what machine and what program this is"

func defaultAttest() AttestConfig {
	return AttestConfig{TSM: attest.DefaultTSM, Device: attest.DefaultDevice}
}

func (c Config) checkAttest() error {
	a := c.Attest
	switch {
	case a.Mode == "":
		return bad("attest.mode", "write required, for an SEV-SNP guest that has to be what attest.policy says, or none, which trusts whatever machine this is")
	case a.Mode == attestNone:
		return nil
	case a.Mode != attestRequired:
		return bad("attest.mode", "%q is neither required nor none", a.Mode)
	case a.Policy == "":
		return bad("attest.policy", "attest.mode is required, so a policy is needed that says what is accepted")
	case !c.encrypted():
		return bad("tls.cert_file", "attest.mode is required, and what is attested is the key of the listener's certificate; set it or tls.local_ca")
	case c.HSM.PINFile != "" || c.HSM.PassphraseFile != "":
		return bad("hsm.pin_file", "attest.mode is required, so the PIN is not left in a file that any image can read; seal it with oneclawd seal pin")
	case a.VMPL < 0 || a.VMPL > 3:
		return bad("attest.vmpl", "%d is not between 0 and 3", a.VMPL)
	}
	return nil
}

// evidenceSource is where reports and derived keys come from.
func (c Config) evidenceSource() (*attest.Source, error) {
	a := c.Attest
	return attest.NewSource(attest.Config{TSM: a.TSM, Device: a.Device, VMPL: uint(max(0, a.VMPL)), Bundle: a.Bundle})
}

// attestation is what was shown of this machine at this start, and what shows it
// again to others.
type attestation struct {
	source  *attest.Source
	found   attest.Result
	jwtKey  [32]byte
	tlsKey  func() ([32]byte, error) // of the certificate in force
	turn    sync.Mutex
	lastAsk time.Time
}

// askPause spaces what others ask the firmware for, which is slow and shared
// with the whole host.
const askPause = 100 * time.Millisecond

var errNotAttested = fault.New(fault.Unprocessable, "not_attested", "This appliance is not attested: it runs with attest.mode none, and can show nothing of its machine")

// attestSelf appraises this machine's own evidence, for keys that are about to
// be opened. It is a check of health, not a proof: that is for others to make.
func (d *daemon) attestSelf(ctx context.Context, db *store.DB) (*attestation, error) {
	b := attest.Binding{Nonce: attest.NewNonce()}
	var err error
	if b.TLSKey, err = d.tlsKey(); err != nil {
		return nil, err
	}
	if b.JWTKey, err = jwtKey(db); err != nil {
		return nil, err
	}
	a := &attestation{tlsKey: d.tlsKey, jwtKey: b.JWTKey}
	if a.source, a.found, err = d.cfg.appraise(ctx, b); err != nil {
		return nil, err
	}
	d.log.Info("attested", "product", a.found.Product, "measurement", hex.EncodeToString(a.found.Measurement), "tcb", a.found.TCB)
	return a, nil
}

// appraise has this machine show what it is, about b, and holds it against the
// policy.
func (c Config) appraise(ctx context.Context, b attest.Binding) (*attest.Source, attest.Result, error) {
	policy, err := attest.LoadPolicy(c.Attest.Policy)
	if err != nil {
		return nil, attest.Result{}, fmt.Errorf("attest.policy: %w", err)
	}
	source, err := c.evidenceSource()
	if err != nil {
		return nil, attest.Result{}, err
	}
	e, err := source.Quote(ctx, b)
	if err != nil {
		return nil, attest.Result{}, fmt.Errorf("attesting this machine: %w", err)
	}
	found, err := policy.Appraise(e, b, time.Now())
	if err != nil {
		return nil, attest.Result{}, fmt.Errorf("this machine is not what %s accepts, so no key is opened: %w", filepath.Base(c.Attest.Policy), err)
	}
	return source, found, nil
}

// admits reports whether keys may be opened on this machine by a command, which
// has no listener that could be bound to it.
func (c Config) admits(ctx context.Context) error {
	if c.Attest.Mode != attestRequired {
		return nil
	}
	_, _, err := c.appraise(ctx, attest.Binding{Nonce: attest.NewNonce()})
	return err
}

// jwtKey is the hash of the key that verifies this appliance's tokens, which is
// known while sealed; zero before there is an appliance.
func jwtKey(db *store.DB) (hash [32]byte, err error) {
	meta, err := db.Meta()
	if errors.Is(err, store.ErrEmpty) {
		return hash, nil
	}
	if err != nil {
		return hash, err
	}
	key, err := signingKey(meta, store.BlobTokenKey)
	if err != nil {
		return hash, err
	}
	return attest.HashKey(key.Public)
}

func (d *daemon) tlsKey() ([32]byte, error) {
	if d.tls == nil {
		return [32]byte{}, errors.New("the listener has no certificate")
	}
	return attest.HashKey(d.tls.PublicKey())
}

// Evidence implements httpapi.Attestor.
func (a *attestation) Evidence(ctx context.Context, nonce [32]byte) ([]byte, error) {
	a.turn.Lock()
	defer a.turn.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Until(a.lastAsk.Add(askPause))):
	}
	defer func() { a.lastAsk = time.Now() }()
	tlsKey, err := a.tlsKey() // of now: certificates are renewed
	if err != nil {
		return nil, err
	}
	e, err := a.source.Quote(ctx, attest.Binding{Nonce: nonce, TLSKey: tlsKey, JWTKey: a.jwtKey})
	if err != nil {
		return nil, err
	}
	return e.MarshalJSON()
}

// recordAttestation says in the log on what machine the keys were opened.
func (c *core) recordAttestation(ctx context.Context) error {
	if c.attested == nil {
		return nil
	}
	e := c.event(audit.ApplianceAttest)
	found := c.attested.found
	e.Details = audit.Details{
		"product": found.Product, "measurement": hex.EncodeToString(found.Measurement), "tcb": found.TCB.String(),
		"chip": hex.EncodeToString(found.ChipID),
	}
	return c.append(ctx, e)
}
