package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// RecoverOptions of InspectRecovery and Recover.
type RecoverOptions struct {
	Identity *RecoveryIdentity
	Module   hsm.Module // the new HSM; it gets keys
	// VerifierKey is pinned. "" takes the backup's own: then nothing shows who made it,
	// since whoever has the public half of the recovery key can seal to it.
	VerifierKey string
	Retention   time.Duration // of archived events, counted anew from now; 0: forever
	Progress    func(Progress)
	Log         *slog.Logger // nil means the default
}

// Recovered is what Recover did.
type Recovered struct {
	Manifest    Manifest
	VerifierKey string // of the audit log from here on
	Before      string // verifier key of what was signed until then
	Vaults      int    // that have new KEKs
	Values      uint64 // that were sealed anew
}

// RecoveryOf says which recovery key a backup is sealed to, having verified all of
// it, so that the right shares can be asked for.
func RecoveryOf(ctx context.Context, r io.ReadSeeker, verifierKey string) (Manifest, error) {
	s, err := verified(ctx, r, verifierKey)
	if err != nil {
		return Manifest{}, err
	}
	if s.manifest.Escrow == nil {
		return s.manifest, ErrNoEscrow
	}
	return s.manifest, nil
}

// InspectRecovery is a dry run of Recover: it reads all of the backup and of the
// keys in it, looks at the new HSM and at the folder, and changes nothing. Plan.Keys
// is what is wrong with the HSM.
func InspectRecovery(ctx context.Context, r io.ReadSeeker, dir string, o RecoverOptions) (Plan, error) {
	s, storeKey, err := o.examine(ctx, r)
	if err != nil {
		return Plan{}, err
	}
	storeKey.Wipe()
	p := s.plan(dir, o.VerifierKey)
	p.Keys = o.checkModule(ctx)
	return p, nil
}

// Recover puts a backup into dir, which must be empty but for keys/ and tls/, for a
// new HSM: the one that the backup was made with is gone. What hangs below the old
// one's root key is made anew below the new one's: the wrapping of the store key, the
// keys that sign, the KEKs of the escrowed modules, and under these each value, opened
// with its escrowed key. KEKs in other modules stay, and so do their values. The audit
// log goes on: an event says what happened and names the verifier key before, and a
// checkpoint by the new key covers it.
//
// All of the backup is read and checked before anything is written, or any key made.
// On an error nothing is left but, perhaps, keys in the HSM that nothing uses.
func Recover(ctx context.Context, r io.ReadSeeker, dir string, o RecoverOptions) (out Recovered, err error) {
	s, storeKey, err := o.examine(ctx, r)
	if err != nil {
		return out, err
	}
	defer storeKey.Wipe()
	if err := CheckTarget(dir, s.manifest); err != nil {
		return out, err
	}
	if err := o.checkModule(ctx); err != nil {
		return out, err
	}
	if err := o.Module.Init(ctx); err != nil {
		return out, fmt.Errorf("backup: making the root key: %w", err)
	}
	b, err := s.openWith(ctx, r, o.Identity, storeKey, o.Progress)
	if err != nil {
		return out, err
	}
	need := 2*s.manifest.State.Bytes + s.manifest.Events.Bytes // each value is written twice
	err = intoFolder(dir, need, func(partial string) (err error) {
		out, err = b.recover(ctx, partial, o)
		return err
	})
	return out, err
}

// examine verifies the backup, opens it, and reads the escrow to its end. The caller
// wipes the store key.
func (o RecoverOptions) examine(ctx context.Context, r io.ReadSeeker) (*scanned, plain.Bytes, error) {
	s, err := verified(ctx, r, o.VerifierKey)
	if err != nil {
		return nil, plain.Bytes{}, err
	}
	want := s.manifest.Escrow
	switch {
	case want == nil:
		return nil, plain.Bytes{}, ErrNoEscrow
	case want.Recipient != o.Identity.key.sum:
		return nil, plain.Bytes{}, ErrOtherRecovery
	}
	b, err := s.openWith(ctx, r, o.Identity, plain.Bytes{}, nil)
	if errors.Is(err, ErrWrongKeys) {
		return nil, plain.Bytes{}, ErrOtherRecovery.Because(err)
	}
	if err != nil {
		return nil, plain.Bytes{}, err
	}
	for _, kind := range []byte{sectionState, sectionEvents} {
		err := b.sections.expect(kind)
		if err == nil {
			_, err = io.Copy(io.Discard, b.sections)
		}
		if err != nil {
			return nil, plain.Bytes{}, s.inside(err)
		}
	}
	keys, err := b.escrow(o.Identity)
	if err == nil {
		err = keys.readAll(want)
	}
	if err == nil {
		err = b.sections.expect(sectionEnd)
	}
	if err != nil {
		if keys != nil {
			keys.storeKey.Wipe()
		}
		return nil, plain.Bytes{}, s.inside(err)
	}
	return s, keys.storeKey, nil
}

// checkModule says why the new HSM cannot be used.
func (o RecoverOptions) checkModule(ctx context.Context) error {
	anchor, err := o.Module.Anchor(ctx)
	switch {
	case errors.Is(err, hsm.ErrNoRootKey):
		return nil
	case err != nil:
		return fmt.Errorf("backup: looking at the new HSM: %w", err)
	case len(anchor) > 0:
		return ErrHSMInUse
	}
	return nil
}

// recover writes the content to dir, and makes it an appliance of the new HSM.
func (b *opened) recover(ctx context.Context, dir string, o RecoverOptions) (out Recovered, err error) {
	path := filepath.Join(dir, stateFile)
	if err := b.unpackState(path); err != nil {
		return out, err
	}
	if err := b.unpackEvents(dir, Options{Retention: o.Retention, Log: o.Log}); err != nil {
		return out, err
	}
	keys, err := b.escrow(o.Identity)
	if err != nil {
		return out, b.inside(err)
	}
	defer keys.storeKey.Wipe()
	if err := b.checkState(ctx, path); errors.Is(err, store.ErrWrongKey) {
		return out, ErrEscrow.Detail("the store key among the recovery keys does not open the data file").Because(err)
	} else if err != nil {
		return out, err
	}
	k := &rekeying{b: b, escrow: keys, module: o.Module, out: Recovered{Manifest: b.manifest}}
	if err := k.run(ctx, path); err != nil {
		return out, err
	}
	if err := b.sections.expect(sectionEnd); err != nil {
		return out, b.inside(err)
	}
	return k.out, nil
}

// escrow begins to read section 4.
func (b *opened) escrow(who *RecoveryIdentity) (*escrowReader, error) {
	if err := b.sections.expect(sectionEscrow); err != nil {
		return nil, err
	}
	return openEscrow(b.sections, who, b.headerSum)
}
