package site

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// The audit actions. Looking is recorded where it is refused.
const (
	ActionRuleCreate    audit.Action = "security.ip_rule_create"
	ActionRuleDelete    audit.Action = "security.ip_rule_delete"
	ActionRuleList      audit.Action = "security.ip_rule_list"
	ActionIPDenied      audit.Action = "security.ip_denied"
	ActionSettingUpdate audit.Action = "setting.update"
	ActionSettingDelete audit.Action = "setting.delete"
	ActionSettingRead   audit.Action = "setting.read"
)

const maxRules = 256

// Service manages rules and settings, and admits requests by them. All methods
// may be called at once.
type Service struct {
	DB txn.Runner[Tx]
	// Defaults are the settings where nobody set any. Signup is
	// SignupInvite if it is empty.
	Defaults Settings
	Now      func() time.Time // time.Now if nil

	denials denials
}

// Rules lists the organisation's IP rules, oldest first.
func (s *Service) Rules(ctx context.Context, p identity.Principal) (rules []Rule, err error) {
	if !p.Manages() {
		return nil, s.refused(ctx, ruleEvent(p, ActionRuleList, p.Org.String()), ErrDenied)
	}
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		rules, err = tx.IPRules(p.Org)
		return err
	})
	return rules, err
}

// AddRule adds an IP rule for p's organisation, from the next request on.
func (s *Service) AddRule(ctx context.Context, p identity.Principal, n NewRule) (Rule, error) {
	r, err := n.parse()
	if err != nil {
		return Rule{}, err
	}
	r.ID, r.CreatedBy, r.CreatedAt = id.New(), p.Policy(), s.now()
	e := ruleEvent(p, ActionRuleCreate, r.ID.String())
	describe(&e, r)
	return r, s.changeRules(ctx, p, e, func(rules []Rule, _ *audit.Event) ([]Rule, error) {
		if len(rules) >= maxRules {
			return nil, ErrTooManyRules
		}
		return append(slices.Clone(rules), r), nil
	})
}

// DeleteRule takes one away, from the next request on.
func (s *Service) DeleteRule(ctx context.Context, p identity.Principal, rule id.ID) error {
	return s.changeRules(ctx, p, ruleEvent(p, ActionRuleDelete, rule.String()), func(rules []Rule, e *audit.Event) ([]Rule, error) {
		i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == rule })
		if i < 0 {
			return nil, ErrRuleNotFound
		}
		describe(e, rules[i])
		return slices.Delete(slices.Clone(rules), i, i+1), nil
	})
}

func (s *Service) changeRules(ctx context.Context, p identity.Principal, e audit.Event, fn func([]Rule, *audit.Event) ([]Rule, error)) error {
	if !p.Manages() {
		return s.refused(ctx, e, ErrDenied)
	}
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := e // fn adds to it
		e.Time = s.now()
		before, err := tx.IPRules(p.Org)
		if err != nil {
			return nil, err
		}
		after, refusal := fn(before, &e)
		if refusal == nil && !Allowed(after, p.Kind, p.IP) {
			refusal = ErrLockOut
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if err := tx.PutIPRules(p.Org, after); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}

func ruleEvent(p identity.Principal, action audit.Action, rule string) audit.Event {
	e := p.Event(action, "ip_rule", rule)
	e.Details = audit.Details{}
	return e
}

func describe(e *audit.Event, r Rule) {
	e.Details["rule_type"], e.Details["cidr"], e.Details["applies_to"] = string(r.Type), r.Network.String(), string(r.AppliesTo)
}

// Current are the settings in force.
func (s *Service) Current(ctx context.Context) (now Settings, err error) {
	err = s.DB.View(ctx, func(tx Tx) error {
		set, err := tx.Settings()
		now = s.Defaults.over(set)
		return err
	})
	if now.Signup == "" {
		now.Signup = SignupInvite
	}
	return now, err
}

// Settings lists what was set, for those who run the appliance.
func (s *Service) Settings(ctx context.Context, p identity.Principal) (set []Setting, err error) {
	var runs bool
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if runs, err = Runs(tx, p); err != nil || !runs {
			return err
		}
		set, err = tx.Settings()
		return err
	})
	if err == nil && !runs {
		err = s.refused(ctx, p.Event(ActionSettingRead, "setting", ""), ErrDenied)
	}
	return set, err
}

// Setting returns one that was set.
func (s *Service) Setting(ctx context.Context, p identity.Principal, key string) (Setting, error) {
	all, err := s.Settings(ctx, p)
	if err == nil {
		err = checkKey(key)
	}
	if err != nil {
		return Setting{}, err
	}
	if i := slices.IndexFunc(all, func(v Setting) bool { return v.Key == key }); i >= 0 {
		return all[i], nil
	}
	return Setting{}, ErrSettingNotFound
}

// Set changes a setting, from the next request on.
func (s *Service) Set(ctx context.Context, p identity.Principal, key, value string) (Setting, error) {
	v := Setting{Key: key, UpdatedBy: p.Policy(), UpdatedAt: s.now()}
	return v, s.changeSettings(ctx, p, ActionSettingUpdate, key, func(set []Setting, e *audit.Event) (_ []Setting, err error) {
		if v.Value, err = parseValue(key, value); err != nil {
			return nil, err
		}
		e.Details["value"] = v.Value
		set = append(without(set, key), v)
		slices.SortFunc(set, func(a, b Setting) int { return strings.Compare(a.Key, b.Key) })
		return set, nil
	})
}

// Unset lets the default be in force again, which it may be already.
func (s *Service) Unset(ctx context.Context, p identity.Principal, key string) error {
	return s.changeSettings(ctx, p, ActionSettingDelete, key, func(set []Setting, _ *audit.Event) ([]Setting, error) {
		return without(set, key), checkKey(key)
	})
}

func without(set []Setting, key string) []Setting {
	return slices.DeleteFunc(slices.Clone(set), func(v Setting) bool { return v.Key == key })
}

func (s *Service) changeSettings(ctx context.Context, p identity.Principal, action audit.Action, key string,
	fn func([]Setting, *audit.Event) ([]Setting, error)) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := p.Event(action, "setting", key)
		e.Time, e.Details = s.now(), audit.Details{}
		runs, err := Runs(tx, p)
		if err != nil {
			return nil, err
		}
		if !runs {
			return refuse(ctx, tx, e, ErrDenied)
		}
		set, err := tx.Settings()
		if err != nil {
			return nil, err
		}
		if set, refusal = fn(set, &e); refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if err := tx.PutSettings(set); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}

// Runs reports whether p runs the appliance: an owner or admin of the
// organisation that it belongs to.
func Runs(tx identity.Tx, p identity.Principal) (bool, error) {
	if !p.Manages() {
		return false, nil
	}
	org, ok, err := tx.Platform()
	return ok && org == p.Org, err
}

// refuse appends the event of a refusal and passes the refusal on.
func refuse(ctx context.Context, tx Tx, e audit.Event, why error) (refusal, err error) {
	e.Outcome = audit.Refused
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	return why, audit.Write(ctx, tx, e)
}

func (s *Service) refused(ctx context.Context, e audit.Event, why error) error {
	e.Time = s.now()
	return txn.Decide(ctx, s.DB, func(tx Tx) (error, error) { return refuse(ctx, tx, e, why) })
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC()
	}
	return s.Now().UTC()
}
