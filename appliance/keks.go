package appliance

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

var _ operator.KeyKeeper = (*daemon)(nil)

// by is an operator in the details of an event.
func by(who operator.Peer) audit.Details { return audit.Details{"uid": who.UID, "pid": who.PID} }

// KEKs implements operator.KeyKeeper.
func (d *daemon) KEKs(ctx context.Context) ([]operator.KEKs, error) {
	c, err := d.unsealedCore()
	if err != nil {
		return nil, err
	}
	out := []operator.KEKs{}
	err = c.vaults.KEKs(ctx, func(r vault.KEKReport) error {
		now := r.Vault.Current()
		k := operator.KEKs{
			Vault: r.Vault.ID.String(), Org: r.Vault.Org.String(), Name: r.Vault.Name,
			Module: now.Module, Generation: now.Generation, MadeAt: now.MadeAt, DEKs: r.Under[now.Generation],
		}
		for _, o := range r.Vault.Older {
			k.Older = append(k.Older, operator.OlderKEK{Module: o.Module, Generation: o.Generation, MadeAt: o.MadeAt, DEKs: r.Under[o.Generation]})
		}
		out = append(out, k)
		return nil
	})
	return out, err
}

// RotateKEKs implements operator.KeyKeeper. A vault that fails holds up no
// other.
func (d *daemon) RotateKEKs(ctx context.Context, who operator.Peer, r operator.KEKRotation) (out operator.KEKRotated, err error) {
	c, err := d.unsealedCore()
	if err != nil {
		return out, err
	}
	var only *id.ID
	if !r.All {
		v, err := id.Parse(r.Vault)
		if err != nil {
			return out, err
		}
		only = &v
	}
	vaults, err := c.vaults.Refs(ctx, only)
	if err != nil {
		return out, err
	}
	d.log.Info("rotating KEKs, as an operator said", "uid", who.UID, "vaults", len(vaults))
	for _, v := range vaults {
		module := v.Module
		if r.Module != nil {
			module = *r.Module
		}
		_, err := c.vaults.RotateKEK(ctx, v.Ref(), module, by(who))
		switch {
		case err == nil:
			out.Vaults++
		case only != nil:
			return out, err
		case ctx.Err() != nil:
			return out, ctx.Err()
		default:
			d.log.Warn("a vault keeps its KEK", "vault", v.ID.String(), "err", err)
			out.Failed = append(out.Failed, operator.KEKFailure{Vault: v.ID.String(), Error: words(err)})
		}
	}
	return out, nil
}

// RewrapKEKs implements operator.KeyKeeper.
func (d *daemon) RewrapKEKs(ctx context.Context, who operator.Peer) (vaults int, err error) {
	c, err := d.unsealedCore()
	if err != nil {
		return 0, err
	}
	if err := c.recordBy(ctx, audit.KEKRewrap, who); err != nil {
		return 0, err
	}
	return c.vaults.ResumeRewraps(ctx)
}

// Rewraps implements operator.KeyKeeper.
func (d *daemon) Rewraps() ([]operator.Rewrap, error) {
	c, err := d.unsealedCore()
	if err != nil {
		return nil, err
	}
	out := []operator.Rewrap{}
	for _, r := range c.vaults.Rewraps() {
		out = append(out, operator.Rewrap{
			Vault: r.Vault.String(), Generation: r.Generation, Total: r.Total, Done: r.Done, Damaged: r.Damaged,
			Pending: r.Pending, Error: r.Error,
		})
	}
	return out, nil
}

// VerifyKEKs implements operator.KeyKeeper.
func (d *daemon) VerifyKEKs(ctx context.Context, who operator.Peer) (out operator.KEKsVerified, err error) {
	c, err := d.unsealedCore()
	if err != nil {
		return out, err
	}
	if err := c.recordBy(ctx, audit.KEKVerify, who); err != nil {
		return out, err
	}
	found, err := c.vaults.VerifyKEKs(ctx)
	out = operator.KEKsVerified{Vaults: found.Vaults, DEKs: found.DEKs, Damaged: found.Damaged, Unavailable: found.Unavailable}
	for _, b := range found.Broken {
		out.Broken = append(out.Broken, operator.BrokenDEK{Vault: b.Vault.String(), Secret: b.Secret.String(), Version: b.Version, Error: b.Error})
	}
	return out, err
}

// errOrg: what was given is no organisation.
var errOrg = fault.New(fault.Invalid, "invalid_organisation", "an organisation is named by its ID, as oneclawd kek list shows it")

// AssignModule implements operator.KeyKeeper.
func (d *daemon) AssignModule(ctx context.Context, who operator.Peer, org, module string) error {
	c, err := d.unsealedCore()
	if err != nil {
		return err
	}
	o, err := id.Parse(org)
	if err != nil {
		return errOrg
	}
	return c.vaults.AssignModule(ctx, o, module, by(who))
}
