package webhook

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// The audit actions.
const (
	ActionCreate  audit.Action = "webhook.create"
	ActionRead    audit.Action = "webhook.read"
	ActionUpdate  audit.Action = "webhook.update"
	ActionDelete  audit.Action = "webhook.delete"
	ActionDisable audit.Action = "webhook.disable" // by the appliance, after too many failures
)

// maxPerOrg bounds what one event costs.
const maxPerOrg = 20

// Service manages subscriptions. All methods may be called at once.
type Service struct {
	DB txn.Runner[Tx]
	// CheckURL refuses URLs that would never be sent to: of hosts that the
	// appliance may not reach, and without TLS where it matters. It is asked
	// outside of transactions.
	CheckURL func(ctx context.Context, url string) error
	Now      func() time.Time // time.Now if nil
}

// Spec is a subscription to make.
type Spec struct {
	URL         string
	Events      []string
	Description string
	Secret      string // the key that signs deliveries, if its owner chose one
}

// Change is a change of a subscription; nil leaves a part as it is.
type Change struct {
	URL         *string
	Events      []string
	Description *string
	Active      *bool // true also forgets past failures
}

// Create subscribes. The secret that signs deliveries is returned this once, and
// is "" if spec has one.
func (s *Service) Create(ctx context.Context, p identity.Principal, spec Spec) (sub Subscription, secret string, err error) {
	now := s.now()
	sub = Subscription{
		ID: id.New(), Org: p.Org, URL: spec.URL, Events: spec.Events, Description: spec.Description,
		Active: true, CreatedBy: p.ID, CreatedAt: now, UpdatedAt: now,
	}
	if sub.Events, err = check(sub); err == nil {
		err = s.reaches(ctx, sub.URL)
	}
	if err != nil {
		return Subscription{}, "", err
	}
	signs := spec.Secret
	if signs == "" {
		secret = newSecret()
		signs = secret
	} else if !goodSecret(signs) {
		return Subscription{}, "", ErrSecret
	}
	err = s.manage(ctx, p, ActionCreate, sub.ID, func(tx Tx, e *audit.Event, subs []Subscription) (refusal, err error) {
		if len(subs) >= maxPerOrg {
			return ErrTooMany, nil
		}
		if sub.From, err = tx.AuditSize(); err != nil {
			return nil, err
		}
		describe(e, sub)
		if err := tx.PutWebhookSecret(sub.ID, []byte(signs)); err != nil {
			return nil, err
		}
		return nil, tx.PutWebhooks(p.Org, append(slices.Clone(subs), sub))
	})
	if err != nil {
		return Subscription{}, "", err
	}
	return sub, secret, nil
}

// List returns the organisation's subscriptions, oldest first.
func (s *Service) List(ctx context.Context, p identity.Principal) ([]Subscription, error) {
	if !p.Manages() {
		return nil, s.refused(ctx, p, id.ID{})
	}
	out := []Subscription{}
	err := s.DB.View(ctx, func(tx Tx) error {
		subs, err := tx.Webhooks(p.Org)
		out = append([]Subscription{}, subs...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Read returns one subscription.
func (s *Service) Read(ctx context.Context, p identity.Principal, sub id.ID) (out Subscription, err error) {
	if !p.Manages() {
		return out, s.refused(ctx, p, sub)
	}
	err = s.DB.View(ctx, func(tx Tx) error {
		subs, i, err := find(tx, p.Org, sub)
		switch {
		case err != nil:
			return err
		case i < 0:
			return ErrNotFound
		}
		out = subs[i]
		return nil
	})
	return out, err
}

// Update changes a subscription. What is waiting already goes to the new URL.
func (s *Service) Update(ctx context.Context, p identity.Principal, sub id.ID, c Change) (out Subscription, err error) {
	now := s.now()
	var unreachable error
	if c.URL != nil {
		unreachable = s.reaches(ctx, *c.URL)
	}
	err = s.manage(ctx, p, ActionUpdate, sub, func(tx Tx, e *audit.Event, subs []Subscription) (refusal, err error) {
		i := slices.IndexFunc(subs, func(w Subscription) bool { return w.ID == sub })
		if i < 0 {
			return ErrNotFound, nil
		}
		w, bad := apply(subs[i], c)
		if bad == nil {
			bad = unreachable
		}
		if bad != nil {
			return bad, nil
		}
		if w.Active && !subs[i].Active {
			if w.From, err = tx.AuditSize(); err != nil {
				return nil, err
			}
		}
		w.UpdatedAt = now
		subs = slices.Clone(subs)
		subs[i], out = w, w
		describe(e, w)
		return nil, tx.PutWebhooks(p.Org, subs)
	})
	if err != nil {
		return Subscription{}, err
	}
	return out, nil
}

// RotateSecret replaces the secret, which is returned this once. Deliveries are
// signed with the new one from then on, those that wait too.
func (s *Service) RotateSecret(ctx context.Context, p identity.Principal, sub id.ID) (secret string, err error) {
	secret = newSecret()
	err = s.manage(ctx, p, ActionUpdate, sub, func(tx Tx, e *audit.Event, subs []Subscription) (refusal, err error) {
		i := slices.IndexFunc(subs, func(w Subscription) bool { return w.ID == sub })
		if i < 0 {
			return ErrNotFound, nil
		}
		describe(e, subs[i])
		e.Details["secret"] = "rotated"
		return nil, tx.PutWebhookSecret(sub, []byte(secret))
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Delete unsubscribes. What is waiting is not sent.
func (s *Service) Delete(ctx context.Context, p identity.Principal, sub id.ID) error {
	return s.manage(ctx, p, ActionDelete, sub, func(tx Tx, e *audit.Event, subs []Subscription) (refusal, err error) {
		i := slices.IndexFunc(subs, func(w Subscription) bool { return w.ID == sub })
		if i < 0 {
			return ErrNotFound, nil
		}
		describe(e, subs[i])
		if err := tx.DeleteWebhookSecret(sub); err != nil {
			return nil, err
		}
		return nil, tx.PutWebhooks(p.Org, slices.Delete(slices.Clone(subs), i, i+1))
	})
}

// apply is the subscription with a change, or why not.
func apply(w Subscription, c Change) (Subscription, error) {
	if c.URL != nil {
		w.URL = *c.URL
	}
	if c.Events != nil {
		w.Events = c.Events
	}
	if c.Description != nil {
		w.Description = *c.Description
	}
	if c.Active != nil {
		if w.Active = *c.Active; w.Active {
			w.Failures, w.FailingSince, w.DisabledAt = 0, time.Time{}, time.Time{}
		}
	}
	var err error
	w.Events, err = check(w)
	return w, err
}

// check refuses a subscription that cannot work, and returns its events sorted.
func check(w Subscription) ([]string, error) {
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || len(w.URL) > 2048 || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, ErrURL
	case strings.ContainsFunc(w.URL, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }):
		return nil, ErrURL
	case utf8.RuneCountInString(w.Description) > 500:
		return nil, ErrDescription
	}
	events := slices.Compact(slices.Sorted(slices.Values(w.Events)))
	if len(events) == 0 || len(events) > 50 || slices.ContainsFunc(events, func(e string) bool { return !known(e) }) {
		return nil, ErrEvents
	}
	return events, nil
}

// reaches refuses a URL that nothing would be sent to.
func (s *Service) reaches(ctx context.Context, url string) error {
	if s.CheckURL == nil {
		return nil
	}
	err := s.CheckURL(ctx, url)
	switch f := fault.As(err); {
	case err == nil:
		return nil
	case f != nil:
		return ErrURL.Detail("A webhook cannot go there: %s", f.Msg).Because(err)
	}
	return ErrURL.Because(err)
}

// manage runs fn if p manages its organisation, and audits either way.
func (s *Service) manage(ctx context.Context, p identity.Principal, action audit.Action, sub id.ID,
	fn func(tx Tx, e *audit.Event, subs []Subscription) (refusal, err error)) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := p.Event(action, "webhook", sub.String())
		e.Time, e.Details = s.now(), audit.Details{}
		if refusal = mayManage(p); refusal == nil {
			subs, err := tx.Webhooks(p.Org)
			if err != nil {
				return nil, err
			}
			if refusal, err = fn(tx, &e, subs); err != nil {
				return nil, err
			}
		}
		if refusal != nil {
			e.Outcome, e.Reason = audit.Refused, fault.As(refusal).Code
		}
		return refusal, audit.Write(ctx, tx, e)
	})
}

// refused records that p wanted to look and may not, and returns why.
func (s *Service) refused(ctx context.Context, p identity.Principal, sub id.ID) error {
	why := mayManage(p)
	e := p.Event(ActionRead, "webhook", "")
	if !sub.IsZero() {
		e.Resource.ID = sub.String()
	}
	e.Time, e.Outcome, e.Reason = s.now(), audit.Refused, fault.As(why).Code
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) { return why, audit.Write(ctx, tx, e) })
}

func mayManage(p identity.Principal) error {
	switch {
	case p.IsAgent():
		return identity.ErrUsersOnly
	case !p.Manages():
		return identity.ErrDenied
	}
	return nil
}

// describe puts what a subscription says into its event, but for the rest of the
// URL, which is often a credential.
func describe(e *audit.Event, w Subscription) {
	e.Details["host"], e.Details["events"], e.Details["active"] = w.host(), w.Events, w.Active
}

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC()
	}
	return time.Now().UTC()
}
