package viewer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/outbox/viewer"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func person(org id.ID, role identity.Role) identity.Principal {
	return identity.Principal{Kind: identity.KindUser, ID: id.New(), Org: org, Role: role}
}

// Who may see which message, and which body, in one table.
func TestWhoSeesWhat(t *testing.T) {
	db := storetest.Open(t)
	s := viewer.Service{DB: store.Runner[viewer.Tx](db), Now: func() time.Time { return noon }}
	log := audit.Log{DB: store.Runner[audit.Tx](db), Archive: nothing{}}
	platform, org, elsewhere := id.New(), id.New(), id.New()
	ann := person(org, identity.RoleMember) // for whom an agent enrolled
	w := letter.Writer{Base: "https://vault.example.com"}
	to := letter.To{Address: "ann@example.com", Org: org, User: ann.ID, At: noon}
	messages := map[string]outbox.Message{
		"enrol": w.Enrol(to, "scout", id.New(), "ocv_key"), "reset": w.ResetPassword(to, "token", time.Hour), "welcome": w.Welcome(to),
	}
	err := s.DB.Update(t.Context(), func(tx viewer.Tx) error {
		for name, m := range messages {
			m.ID = id.New()
			if err := outbox.Enqueue(tx, m); err != nil {
				return err
			}
			messages[name] = m
		}
		return tx.PutPlatform(platform)
	})
	if err != nil {
		t.Fatal(err)
	}
	const all = "enrol reset welcome"
	for _, c := range []struct {
		name         string
		p            identity.Principal
		sees, bodies string
	}{
		{"who runs the appliance", person(platform, identity.RoleOwner), all, all},
		{"an admin of the platform", person(platform, identity.RoleAdmin), "", ""},
		{"an owner", person(org, identity.RoleOwner), all, "welcome"},
		{"an admin", person(org, identity.RoleAdmin), "", ""},
		{"whom it is for", ann, "enrol", "enrol"},
		{"another member", person(org, identity.RoleMember), "", ""},
		{"an owner elsewhere", person(elsewhere, identity.RoleOwner), "", ""},
		{"an owner elsewhere with the same id", identity.Principal{Kind: identity.KindUser, ID: ann.ID, Org: elsewhere, Role: identity.RoleOwner}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			has := func(list, name string) bool { return list == all || list == name }
			listed, err := s.List(t.Context(), c.p, viewer.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range listed {
				if m.Body != "" {
					t.Errorf("a list shows the body of %s", m.Kind)
				}
			}
			n := 0
			for name, m := range messages {
				before := size(t, &log)
				got, err := s.Show(t.Context(), c.p, m.ID)
				if !has(c.sees, name) {
					if !errors.Is(err, outbox.ErrNotFound) {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				n++
				if err != nil || (got.Body != "") != has(c.bodies, name) {
					t.Errorf("%s: %v, body %q", name, err, got.Body)
				}
				if logged := size(t, &log) > before; logged != has(c.bodies, name) {
					t.Errorf("%s: logged %v", name, logged)
				}
			}
			if len(listed) != n {
				t.Errorf("%d listed, %d shown", len(listed), n)
			}
		})
	}
}

func TestAgentsAreRefused(t *testing.T) {
	db := storetest.Open(t)
	s := viewer.Service{DB: store.Runner[viewer.Tx](db)}
	log := audit.Log{DB: store.Runner[audit.Tx](db), Archive: nothing{}}
	p := identity.Principal{Kind: identity.KindAgent, ID: id.New(), Org: id.New()}
	_, err := s.List(t.Context(), p, viewer.Filter{})
	_, err2 := s.Show(t.Context(), p, id.New())
	if !errors.Is(err, identity.ErrUsersOnly) || !errors.Is(err2, identity.ErrUsersOnly) {
		t.Error(err, err2)
	}
	records, _, err := log.Since(t.Context(), 0)
	if err != nil || len(records) != 2 || records[0].Action != viewer.Read || records[0].Outcome != audit.Refused || records[0].Reason != "users_only" {
		t.Errorf("%+v, %v", records, err)
	}
}

func TestFilters(t *testing.T) {
	db := storetest.Open(t)
	s := viewer.Service{DB: store.Runner[viewer.Tx](db)}
	p := person(id.New(), identity.RoleOwner)
	err := s.DB.Update(t.Context(), func(tx viewer.Tx) error {
		for i := range 120 {
			m := outbox.Message{Org: p.Org, Channel: outbox.Mail, Kind: "welcome", To: "a@example.com"}
			if i%3 == 0 {
				m.Channel, m.Kind, m.To = outbox.Webhook, "webhook", "x"
			}
			if err := outbox.Enqueue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    viewer.Filter
		want int
	}{
		{viewer.Filter{}, viewer.DefaultLimit}, {viewer.Filter{Limit: 1000}, 120}, {viewer.Filter{Channel: outbox.Webhook, Limit: 100}, 40},
		{viewer.Filter{Kind: "welcome", Limit: 100}, 80}, {viewer.Filter{State: outbox.Failed}, 0}, {viewer.Filter{To: "x", Limit: 3}, 3},
	} {
		got, err := s.List(t.Context(), p, c.f)
		if err != nil || len(got) != c.want {
			t.Errorf("%+v: %d, %v", c.f, len(got), err)
		}
	}
	seen, f := 0, viewer.Filter{Limit: 50}
	for {
		page, err := s.List(t.Context(), p, f)
		if err != nil {
			t.Fatal(err)
		}
		if seen += len(page); len(page) < 50 {
			break
		}
		f.Before = page[49].ID
	}
	if seen != 120 {
		t.Errorf("%d over all pages", seen)
	}
}

func size(t *testing.T, log *audit.Log) uint64 {
	t.Helper()
	_, next, err := log.Since(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// nothing is an archive that nothing was moved to.
type nothing struct{ audit.Archive }
