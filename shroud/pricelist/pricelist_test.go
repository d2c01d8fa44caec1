package pricelist_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/shroud/pricelist"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// site is an appliance that an organisation runs.
type site struct {
	*pricelist.Service
	meter *meter.Meter
	runs  id.ID
}

func newSite(t *testing.T) site {
	t.Helper()
	db, runs := storetest.Open(t), id.New()
	err := store.Runner[identity.Tx](db).Update(t.Context(), func(tx identity.Tx) error { return tx.PutPlatform(runs) })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return site{
		&pricelist.Service{DB: store.Runner[pricelist.Tx](db), Now: func() time.Time { return now }},
		meter.New(store.Runner[meter.Tx](db), nil), runs,
	}
}

func (s site) person(role identity.Role) identity.Principal {
	return identity.Principal{Kind: identity.KindUser, ID: id.New(), Org: s.runs, Role: role}
}

// events are what became of the changes so far, in the audit log.
func (s site) events(t *testing.T) (out []string) {
	t.Helper()
	err := s.DB.View(t.Context(), func(tx pricelist.Tx) error {
		log := tx.(interface {
			AuditSize() (uint64, error)
			AuditLeaf(uint64) ([]byte, error)
		})
		n, err := log.AuditSize()
		for i := range n {
			leaf, err := log.AuditLeaf(i)
			if err != nil {
				return err
			}
			var e struct{ Action, Outcome, Reason string }
			if err := json.Unmarshal(leaf, &e); err != nil {
				return err
			}
			out = append(out, e.Action+" "+e.Outcome+" "+e.Reason)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Prices are of those who run the appliance, and each try at them is written down.
func TestWhoMayChangePrices(t *testing.T) {
	s := newSite(t)
	own := []meter.Price{{Provider: "local", Model: "llama*", Input: 1, Output: 2}}
	stranger := s.person(identity.RoleOwner)
	stranger.Org = id.New()
	for _, c := range []struct {
		name string
		who  identity.Principal
		may  bool
	}{
		{"an owner", s.person(identity.RoleOwner), true},
		{"an admin", s.person(identity.RoleAdmin), true},
		{"a member", s.person(identity.RoleMember), false},
		{"an owner of another organisation", stranger, false},
		{"an agent", identity.Principal{Kind: identity.KindAgent, ID: id.New(), Org: s.runs}, false},
	} {
		before := len(s.events(t))
		err := s.Replace(t.Context(), c.who, own)
		if c.may != (err == nil) || !c.may && !errors.Is(err, pricelist.ErrDenied) {
			t.Errorf("%s changes them: %v", c.name, err)
		}
		got, err := s.Own(t.Context(), c.who)
		if c.may != (err == nil) || !c.may && !errors.Is(err, pricelist.ErrDenied) || c.may != slices.Equal(got, own) {
			t.Errorf("%s reads %v, %v", c.name, got, err)
		}
		want := []string{"llm_prices.update success "}
		if !c.may {
			want = []string{"llm_prices.update refused access_denied", "llm_prices.read refused access_denied"}
		}
		if said := s.events(t)[before:]; !slices.Equal(said, want) {
			t.Errorf("%s: the audit log has %q", c.name, said)
		}
	}
}

// A list that cannot be is refused whole, and the one before goes on.
func TestPricesThatCannotBe(t *testing.T) {
	s := newSite(t)
	owner, good := s.person(identity.RoleOwner), meter.Price{Provider: "local", Model: "*", Input: 1, Output: 2}
	if err := s.Replace(t.Context(), owner, []meter.Price{good}); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]meter.Price{
		"no provider": {Model: "*"}, "no model": {Provider: "local"}, "no pattern": {Provider: "local", Model: "["},
		"below nothing": {Provider: "local", Model: "*", Input: -1}, "no number": {Provider: "local", Model: "*", Output: math.NaN()},
		"endless": {Provider: "local", Model: "*", Output: math.Inf(1)}, "dearer than anything": {Provider: "local", Model: "*", Input: 1e9},
	} {
		err := s.Replace(t.Context(), owner, []meter.Price{good, bad})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Replace(t.Context(), owner, slices.Repeat([]meter.Price{good}, meter.MaxPrices+1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too many: %v", err)
	}
	if got, err := s.Own(t.Context(), owner); err != nil || len(got) != 1 {
		t.Errorf("%v %v", got, err)
	}
	said := s.events(t)
	if last := said[len(said)-1]; last != "llm_prices.update refused invalid_llm_prices" {
		t.Errorf("the audit log ends with %q", last)
	}
}

// Calls cost what the list says from the next one on, and what the built-in one says
// where it is gone.
func TestPricesHold(t *testing.T) {
	s := newSite(t)
	owner := s.person(identity.RoleOwner)
	cost := func() meter.MicroUSD {
		table, _, err := s.meter.Prices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p, _ := table.Find("openai", "gpt-4o")
		return p.Cost(1000, 1000)
	}
	builtin := cost()
	if err := s.Replace(t.Context(), owner, []meter.Price{{Provider: "openai", Model: "gpt-*", Input: 1000, Output: 2000}}); err != nil {
		t.Fatal(err)
	}
	if got := cost(); got != meter.USD(3) || got == builtin {
		t.Errorf("%v", got)
	}
	if err := s.Replace(t.Context(), owner, nil); err != nil {
		t.Fatal(err)
	}
	if got := cost(); got != builtin || got == 0 {
		t.Errorf("%v, not %v", got, builtin)
	}
}
