package share

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

const (
	defaultLifetime = 7 * 24 * time.Hour
	maxPassphrase   = 1024 // bytes
	maxPending      = 256  // shares that wait for one address: one record holds them
)

// Offer describes a share to make.
type Offer struct {
	Secret id.ID // zero: that of Path in Vault
	Vault  id.ID
	Path   vault.SecretPath

	Type      Type
	Recipient id.ID  // for user and agent
	Email     string // for external_email

	ExpiresAt  *time.Time        // nil: in 7 days
	MaxAccess  *int64            // nil: any number
	Passphrase *plain.Bytes      // nil: none
	Conditions policy.Conditions // addresses from which it opens
}

// start checks an offer and makes the share it describes, as far as that can
// be told without looking.
func (o Offer) start(p identity.Principal, now time.Time) (Share, error) {
	sh := Share{
		ID: id.Random(), Org: p.Org, Creator: p.Policy(), Type: o.Type, Conditions: o.Conditions,
		CreatedAt: now, ExpiresAt: now.Add(defaultLifetime),
	}
	switch {
	case !o.Type.known():
		return sh, ErrType
	case (o.Type == ToUser || o.Type == ToAgent) && o.Recipient.IsZero():
		return sh, ErrRecipient.Detail("recipient_id is required when sharing with a %s", o.Type)
	case o.ExpiresAt != nil && !now.Before(*o.ExpiresAt):
		return sh, ErrExpiryPast
	case o.MaxAccess != nil && (*o.MaxAccess < 1 || *o.MaxAccess > math.MaxInt32):
		return sh, ErrMaxAccess
	case o.Passphrase != nil && (o.Passphrase.Len() < 1 || o.Passphrase.Len() > maxPassphrase):
		return sh, ErrNoPassphrase
	}
	if o.ExpiresAt != nil {
		sh.ExpiresAt = o.ExpiresAt.UTC()
	}
	if o.MaxAccess != nil {
		sh.MaxAccess = uint32(*o.MaxAccess)
	}
	if o.Type == ToEmail {
		if _, err := identity.FoldEmail(o.Email); err != nil {
			return sh, err
		}
		sh.Email = strings.TrimSpace(o.Email)
	}
	return sh, nil
}

// Create offers a secret that p may read.
func (s *Service) Create(ctx context.Context, p identity.Principal, o Offer) (Share, error) {
	start, err := o.start(p, s.Now())
	if err != nil {
		return Share{}, err
	}
	wait, undo := s.created.take(p.Org, start.CreatedAt)
	if o.Passphrase != nil && wait == 0 {
		if start.Passphrase, err = s.hash(ctx, p, o, start); err != nil {
			undo()
			return Share{}, err
		}
	}
	var sh Share
	err = txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		sh = start
		e := event(p, audit.ShareCreate, sh.ID, nil, start.CreatedAt)
		if refusal, err = s.offer(tx, p, o, &sh, &e); err != nil {
			return nil, err
		}
		switch {
		case refusal != nil:
		case wait > 0:
			refusal = ErrTooMany.After(wait)
		case o.Passphrase != nil && sh.Passphrase == "":
			refusal = ErrUndecided // allowed only since it was not worth hashing
		}
		if refusal == nil {
			refusal, err = s.store(tx, &sh)
		}
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		sh.describe(&e)
		return nil, audit.Write(ctx, tx, e)
	})
	if err != nil {
		undo()
		return Share{}, err
	}
	return sh, nil
}

// hash hashes the passphrase of an offer that p may make; that of another one
// is not worth the time, which those who sign in share.
func (s *Service) hash(ctx context.Context, p identity.Principal, o Offer, sh Share) (string, error) {
	var refusal error
	err := s.db.View(ctx, func(tx Tx) (err error) {
		e := event(p, audit.ShareCreate, sh.ID, nil, sh.CreatedAt)
		refusal, err = s.offer(tx, p, o, &sh, &e)
		return err
	})
	if err != nil || refusal != nil {
		return "", err
	}
	return s.hasher.HashPassphrase(ctx, *o.Passphrase)
}

// offer decides whether p may make the share, and completes it: which secret
// it is of and whom it is for.
func (s *Service) offer(tx Tx, p identity.Principal, o Offer, sh *Share, e *audit.Event) (refusal, err error) {
	e.Details["recipient_type"] = string(o.Type)
	if !o.Secret.IsZero() {
		e.Details["secret_id"] = o.Secret.String()
		ref, ok, err := tx.SecretRef(o.Secret)
		if err != nil {
			return nil, err
		}
		if !ok || ref.Org != p.Org {
			return vault.ErrSecretNotFound, nil
		}
		o.Vault, o.Path = ref.Vault, ref.Path
	}
	loan, refusal, err := vault.Lend(tx, p, o.Vault, o.Path, s.Now())
	if err != nil {
		return nil, err
	}
	loan.Describe(e)
	if refusal != nil {
		return refusal, nil
	}
	sh.Vault, sh.Secret, sh.Path = o.Vault, loan.Secret.ID, o.Path
	return address(tx, p, o, sh)
}

// address finds whom the share is for.
func address(tx Tx, p identity.Principal, o Offer, sh *Share) (refusal, err error) {
	var ok bool
	switch o.Type {
	case ToAnyone:
		return nil, nil
	case ToUser:
		sh.Recipient = policy.Principal{Type: policy.User, ID: o.Recipient}
		_, ok, err = tx.User(p.Org, o.Recipient)
	case ToAgent:
		sh.Recipient = policy.Principal{Type: policy.Agent, ID: o.Recipient}
		_, ok, err = tx.Agent(p.Org, o.Recipient)
	case ToEmail:
		if p.IsAgent() {
			return identity.ErrUsersOnly, nil
		}
		return nil, sh.claimNow(tx)
	case ToCreator:
		if !p.IsAgent() {
			return ErrNoCreator, nil
		}
		a, known, err := tx.Agent(p.Org, p.ID)
		if err != nil || !known || a.CreatedBy.IsZero() {
			return ErrNoCreator, err
		}
		sh.Recipient = policy.Principal{Type: policy.User, ID: a.CreatedBy}
		if _, known, err = tx.User(p.Org, a.CreatedBy); err != nil || !known {
			return ErrNoCreator, err
		}
		return nil, nil
	}
	if err != nil || ok {
		return nil, err
	}
	return ErrRecipient, nil
}

// store writes the share and tells whom it is for.
func (s *Service) store(tx Tx, sh *Share) (refusal, err error) {
	if sh.Type == ToEmail && sh.Recipient.ID.IsZero() {
		err := sh.await(tx)
		if errors.Is(err, ErrPending) {
			return err, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if err := tx.PutShare(*sh); err != nil {
		return nil, err
	}
	if sh.Type == ToAnyone {
		return nil, nil
	}
	return nil, s.notifier.ShareOffered(tx, *sh, sh.CreatedAt)
}

// await has the share wait for whoever proves that its address is theirs. Those
// that wait in vain make room.
func (s Share) await(tx Tx) error {
	folded, err := identity.FoldEmail(s.Email)
	if err != nil {
		return err
	}
	waiting, err := tx.PendingShares(folded)
	if err != nil {
		return err
	}
	live := make([]id.ID, 0, len(waiting)+1)
	for _, w := range waiting {
		other, ok, err := tx.Share(w)
		if err != nil {
			return err
		}
		if ok && !other.expired(s.CreatedAt) {
			live = append(live, w)
		}
	}
	if len(live) >= maxPending {
		return ErrPending
	}
	return tx.PutPendingShares(folded, append(live, s.ID))
}

// unawait takes the share from those that wait.
func (s Share) unawait(tx Tx) error {
	folded, err := identity.FoldEmail(s.Email)
	if err != nil {
		return err
	}
	waiting, err := tx.PendingShares(folded)
	if err != nil {
		return err
	}
	rest := slices.DeleteFunc(slices.Clone(waiting), func(w id.ID) bool { return w == s.ID })
	return tx.PutPendingShares(folded, rest)
}
