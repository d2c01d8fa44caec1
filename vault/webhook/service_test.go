package webhook_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// poster is the way out of an appliance that reaches the Internet only.
func poster(t testing.TB) *egress.Poster {
	t.Helper()
	d, err := egress.New(egress.Policy{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d.Poster(egress.ClientOptions{})
}

func TestManage(t *testing.T) {
	w := newWorld(t)
	admin := w.person(w.org, identity.RoleAdmin)
	sub, secret, err := w.service.Create(t.Context(), admin, webhook.Spec{
		URL: "https://hooks.example.com/canary-path?canary=query", Events: []string{"share.*", "secret.read", "share.*"}, Description: "ops",
	})
	w.ok(err)
	if !strings.HasPrefix(secret, "whsec_") || len(secret) < 40 || !sub.Active || sub.CreatedBy != admin.ID || !slices.Equal(sub.Events, []string{"secret.read", "share.*"}) {
		t.Errorf("%+v", sub)
	}
	w.restart()
	list, err := w.service.List(t.Context(), w.owner)
	if err != nil || len(list) != 1 || fmt.Sprint(list[0]) != fmt.Sprint(sub) {
		t.Errorf("%+v, %v", list, err)
	}
	url, text, off := "https://other.example.com/", "new", false
	got, err := w.service.Update(t.Context(), w.owner, sub.ID, webhook.Change{URL: &url, Description: &text, Active: &off, Events: []string{"*"}})
	if err != nil || got.URL != url || got.Description != text || got.Active || got.ID != sub.ID || fmt.Sprint(w.read(sub.ID)) != fmt.Sprint(got) {
		t.Errorf("%+v, %v", got, err)
	}
	second, err := w.service.RotateSecret(t.Context(), w.owner, sub.ID)
	if err != nil || second == secret {
		t.Error(second == secret, err)
	}
	w.ok(w.service.Delete(t.Context(), w.owner, sub.ID))
	if _, err := w.service.Read(t.Context(), w.owner, sub.ID); !errors.Is(err, webhook.ErrNotFound) {
		t.Error(err)
	}
	w.ok(w.service.DB.View(t.Context(), func(tx webhook.Tx) error {
		if _, found, _ := tx.WebhookSecret(sub.ID); found {
			t.Error("the secret is still there")
		}
		return nil
	}))
	var actions []audit.Action
	for _, r := range w.records() {
		actions = append(actions, r.Action)
		if s := fmt.Sprintf("%+v", r); strings.Contains(s, "canary") || strings.Contains(s, secret) || strings.Contains(s, second) {
			t.Errorf("the log tells: %s", s)
		}
	}
	if want := []audit.Action{webhook.ActionCreate, webhook.ActionUpdate, webhook.ActionUpdate, webhook.ActionDelete}; !slices.Equal(actions, want) {
		t.Errorf("%v", actions)
	}
}

func TestWhoManages(t *testing.T) {
	w := newWorld(t)
	sub, _ := w.subscribe("*")
	agent := identity.Principal{Kind: identity.KindAgent, ID: id.New(), Org: w.org}
	for _, c := range []struct {
		name string
		p    identity.Principal
		want *fault.Error // of what concerns sub
		list *fault.Error
	}{
		{"a member", w.person(w.org, identity.RoleMember), identity.ErrDenied, identity.ErrDenied},
		{"an agent", agent, identity.ErrUsersOnly, identity.ErrUsersOnly},
		{"an owner elsewhere", w.person(id.New(), identity.RoleOwner), webhook.ErrNotFound, nil},
	} {
		before := len(w.records())
		_, e1 := w.service.Read(t.Context(), c.p, sub.ID)
		_, e2 := w.service.Update(t.Context(), c.p, sub.ID, webhook.Change{})
		_, e3 := w.service.RotateSecret(t.Context(), c.p, sub.ID)
		e4 := w.service.Delete(t.Context(), c.p, sub.ID)
		for i, err := range []error{e1, e2, e3, e4} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s, operation %d: %v", c.name, i, err)
			}
		}
		list, err := w.service.List(t.Context(), c.p)
		_, _, e5 := w.service.Create(t.Context(), c.p, webhook.Spec{URL: w.hook.url, Events: []string{"*"}})
		if c.list == nil {
			if err != nil || e5 != nil || len(list) != 0 {
				t.Errorf("%s: %v, %v, %v", c.name, list, err, e5)
			}
			continue
		}
		if !errors.Is(err, c.list) || !errors.Is(e5, c.list) {
			t.Errorf("%s: %v, %v", c.name, err, e5)
		}
		refused := w.records()[before:]
		if len(refused) != 6 {
			t.Errorf("%s: %d events", c.name, len(refused))
		}
		for _, r := range refused {
			if r.Outcome != audit.Refused || r.Reason != c.list.Code || r.ActorID != c.p.ID.String() {
				t.Errorf("%+v", r)
			}
		}
	}
	if s := w.read(sub.ID); !s.Active {
		t.Error("it was changed")
	}
}

func TestChecks(t *testing.T) {
	w := newWorld(t)
	far := *w.service
	far.CheckURL = check(poster(t))
	for _, c := range []struct {
		url       string
		near, far bool // allowed where loopback is, where it is not
	}{
		{"https://hooks.example.com/x?y=z", true, true},
		{"https://hooks.example.com:8443", true, true},
		{"http://hooks.example.com", true, false},
		{"https://127.0.0.1/", true, false},
		{"http://localhost:8080/", true, false},
		{"https://169.254.169.254/latest", false, false},
		{"https://[fd00:ec2::254]/", false, false},
		{"https://2130706433/", false, false},
		{"https://user:pass@example.com/", false, false},
		{"https://example.com/#x", false, false},
		{"ftp://example.com/", false, false},
		{"javascript:alert(1)", false, false},
		{"/relative", false, false},
		{"https://", false, false},
		{"https://example.com/a b", false, false},
		{"https://example.com/\r\nX: y", false, false},
		{"https://example.com/" + strings.Repeat("x", 2100), false, false},
		{"", false, false},
	} {
		for i, s := range []*webhook.Service{w.service, &far} {
			sub, _, err := s.Create(t.Context(), w.owner, webhook.Spec{URL: c.url, Events: []string{"*"}})
			if ok := []bool{c.near, c.far}[i]; (err == nil) != ok || err != nil && !errors.Is(err, webhook.ErrURL) {
				t.Errorf("%q, policy %d: %v", c.url, i, err)
			}
			if err == nil {
				w.ok(s.Delete(t.Context(), w.owner, sub.ID))
			}
		}
	}
	for _, events := range [][]string{nil, {}, {"secret.peek"}, {"*", "x"}, {""}} {
		if _, _, err := w.service.Create(t.Context(), w.owner, webhook.Spec{URL: w.hook.url, Events: events}); !errors.Is(err, webhook.ErrEvents) {
			t.Errorf("%q: %v", events, err)
		}
	}
	_, _, err := w.service.Create(t.Context(), w.owner, webhook.Spec{URL: w.hook.url, Events: []string{"*"}, Description: strings.Repeat("é", 501)})
	if !errors.Is(err, webhook.ErrDescription) {
		t.Error(err)
	}
	for range 20 {
		w.subscribe("*")
	}
	if _, _, err := w.service.Create(t.Context(), w.owner, webhook.Spec{URL: w.hook.url, Events: []string{"*"}}); !errors.Is(err, webhook.ErrTooMany) {
		t.Error(err)
	}
}

func TestSealedOnDisk(t *testing.T) {
	w := newWorld(t)
	_, secret := w.subscribe("*")
	w.happen(w.org, audit.SecretRead, "canary-path")
	w.follow()
	raw, err := os.ReadFile(w.db.Config().Path)
	w.ok(err)
	if bytes.Contains(raw, []byte("canary")) || bytes.Contains(raw, []byte(secret)) {
		t.Error("the file tells")
	}
}
