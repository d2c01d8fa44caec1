package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Agents without a key prove themselves by something that others gave them: a
// certificate, or a token of an identity provider. Neither is a secret of ours,
// and both may be known to anybody, so that a stranger can register an agent of
// theirs with somebody else's. Within an organisation a proof is one agent's;
// across organisations a proof that is several agents' needs the agent's id
// beside it, and without it buys nothing: never a token of the stranger's.

// claim is what an agent's proof is found by, nil where it has a key.
func (s *Service) claim(a Agent) []byte {
	switch a.AuthMethod {
	case AuthMTLS:
		return s.certClaim(a.CertFingerprint)
	case AuthOIDC:
		return s.clientClaim(a.OIDCIssuer, a.OIDCClientID)
	case AuthAPIKey:
	}
	return nil
}

// KeepClaim makes an agent's proof find it while it is active, and nobody once
// it is not. It belongs in the Update that stores the agent. ErrClaimTaken says
// that another active agent of the organisation has the same proof.
func (s *Service) KeepClaim(tx Tx, a Agent) error {
	claim := s.claim(a)
	if claim == nil {
		return nil
	}
	holder, held, err := tx.ClaimHolder(claim, a.Org)
	switch {
	case err != nil:
		return err
	case a.Active && held && holder != a.ID:
		return ErrClaimTaken
	case a.Active && !held:
		return tx.PutClaim(claim, a.Org, a.ID)
	case !a.Active && held && holder == a.ID:
		return tx.DeleteClaim(claim, a.Org)
	}
	return nil
}

// MoveClaim is KeepClaim for an agent that was another before: what found it then
// and does not now finds nobody.
func (s *Service) MoveClaim(tx Tx, before, a Agent) error {
	if err := s.KeepClaim(tx, a); err != nil {
		return err
	}
	old := s.claim(before)
	if old == nil || bytes.Equal(old, s.claim(a)) {
		return nil
	}
	before.Active = false
	return s.KeepClaim(tx, before)
}

// Why a proof bought nothing, for the audit log: whoever presented it is told
// ErrCredentials, whatever it was.
var (
	errUnknownProof = fault.New(fault.Unauthenticated, "unknown_proof", "no active agent has this proof")
	errSharedProof  = fault.New(fault.Unauthenticated, "shared_proof", "agents of several organisations have this proof and none was named")
)

// byClaim finds the agent with a proof; which may be zero or must be its id.
func byClaim(tx Tx, claim []byte, which id.ID) (a Agent, err error) {
	holders, err := tx.ClaimHolders(claim)
	if err != nil {
		return a, err
	}
	found := false
	for _, h := range holders {
		if !which.IsZero() && h.Agent != which {
			continue
		}
		if found {
			return Agent{}, ErrCredentials.Because(errSharedProof)
		}
		var ok bool
		if a, ok, err = tx.Agent(h.Org, h.Agent); err != nil {
			return a, err
		}
		found = ok
	}
	if !found {
		return Agent{}, ErrCredentials.Because(errUnknownProof)
	}
	return a, nil
}

// exchange sells a JWT to the agent that find returns. Whatever is wrong with
// the proof or the agent answers alike; the log says more.
func (s *Service) exchange(ctx context.Context, peer Peer, method AuthMethod, find func(Tx) (Agent, error)) (AgentToken, error) {
	now := s.Now().UTC()
	var (
		a      Agent
		scopes []policy.Pattern
	)
	err := s.db.View(ctx, func(tx Tx) (err error) {
		if a, err = find(tx); err != nil {
			return err
		}
		if err := fit(a, method, now); err != nil {
			return err
		}
		scopes, err = s.scopes(tx, a, now)
		return err
	})
	p := Principal{Kind: KindAgent, ID: a.ID, Org: a.Org, IP: peer.IP, RequestID: peer.Request}
	if err != nil {
		return AgentToken{}, s.refuseProof(ctx, p, peer, method, err)
	}
	tok, err := s.issueAgent(ctx, a, scopes, now)
	if err != nil {
		return AgentToken{}, err
	}
	if err := s.admit(ctx, p); err != nil {
		return AgentToken{}, err
	}
	return AgentToken{Token: tok, Agent: a.ID, VaultIDs: append([]id.ID{}, a.VaultIDs...)}, nil
}

// fit refuses an agent that may not have a token for this kind of proof.
func fit(a Agent, method AuthMethod, now time.Time) error {
	switch {
	case !a.Active:
		return ErrCredentials.Because(ErrInactive)
	case !a.Usable(now):
		return ErrCredentials.Because(ErrExpired)
	case a.AuthMethod != method:
		return ErrCredentials.Because(errUnknownProof)
	}
	return nil
}

// refuseProof records that a proof bought nothing, and returns why.
func (s *Service) refuseProof(ctx context.Context, p Principal, peer Peer, method AuthMethod, err error) error {
	if fault.KindOf(err) != fault.Unauthenticated {
		return err
	}
	if peer.Throttled != nil {
		return peer.Throttled
	}
	e := peer.event(audit.AuthFailure, "auth", "token")
	if !p.ID.IsZero() {
		e = p.Event(audit.AuthFailure, string(p.Kind), p.ID.String())
	}
	e.Details = audit.Details{"method": string(method)}
	if cause := fault.As(errors.Unwrap(fault.As(err))); cause != nil {
		e.Details["cause"] = cause.Code
	}
	return s.record(ctx, e, err)
}

// compound joins parts to one text that no other parts give.
func compound(parts ...string) (out string) {
	for _, p := range parts {
		out += fmt.Sprintf("%d:%s", len(p), p)
	}
	return out
}
