package vault_test

import (
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// stage is a world with something for every operation to work on.
type stage struct {
	*world
	bob policy.Policy // a policy to change
}

func newStage(t testing.TB) *stage {
	w := newWorld(t)
	w.put("a/b", "one")
	w.putAs(w.alice, "a/b", limited("two", 3))
	return &stage{w, w.grant(w.user(w.org, "member"), "**", policy.Read)}
}

// op is one method of Service.
type op struct {
	name    string
	success string // events where it goes through
	refused string // events where policies refuse
	foreign string // events where the vault is another organisation's
	run     func(s *stage, p identity.Principal) error
}

const insufficient, notFound = " refused insufficient_permissions", " refused vault_not_found"

var ops = []op{
	{"Read", "secret.read success", "secret.read" + insufficient, "secret.read" + notFound, func(s *stage, p identity.Principal) error {
		_, _, err := s.Read(s.Ctx, p, s.v.ID, s.path("a/b"))
		return err
	}},
	{"ReadVersion", "secret.read success", "secret.read" + insufficient, "secret.read" + notFound, func(s *stage, p identity.Principal) error {
		_, _, _, err := s.ReadVersion(s.Ctx, p, s.v.ID, s.path("a/b"), 1)
		return err
	}},
	{"List", "secret.list success", "secret.list refused access_denied", "secret.list" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.List(s.Ctx, p, s.v.ID, "")
		return err
	}},
	{"Versions", "secret.list success", "secret.list" + insufficient, "secret.list" + notFound, func(s *stage, p identity.Principal) error {
		_, _, err := s.Versions(s.Ctx, p, s.v.ID, s.path("a/b"))
		return err
	}},
	{"Put, a new path", "secret.write success", "secret.write" + insufficient, "secret.write" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Put(s.Ctx, p, s.v.ID, s.path("new"), value("x"))
		return err
	}},
	{"Put, a new version", "secret.write success", "secret.write" + insufficient, "secret.write" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Put(s.Ctx, p, s.v.ID, s.path("a/b"), value("x"))
		return err
	}},
	{"Rotate", "secret.rotate success", "secret.rotate" + insufficient, "secret.rotate" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Rotate(s.Ctx, p, s.v.ID, s.path("a/b"), vault.Rotation{})
		return err
	}},
	{"DisableVersion, the latest", "secret.disable_version success", "secret.disable_version" + insufficient, "secret.disable_version" + notFound, func(s *stage, p identity.Principal) error {
		_, _, err := s.DisableVersion(s.Ctx, p, s.v.ID, s.path("a/b"), 2)
		return err
	}},
	{"DisableVersion, an old one", "secret.disable_version success", "secret.disable_version" + insufficient, "secret.disable_version" + notFound, func(s *stage, p identity.Principal) error {
		_, _, err := s.DisableVersion(s.Ctx, p, s.v.ID, s.path("a/b"), 1)
		return err
	}},
	{"Delete", "secret.delete success", "secret.delete" + insufficient, "secret.delete" + notFound, func(s *stage, p identity.Principal) error {
		return s.Delete(s.Ctx, p, s.v.ID, s.path("a/b"))
	}},
	{"CreatePolicy", "policy.create success", "policy.create refused access_denied", "policy.create" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.CreatePolicy(s.Ctx, p, s.v.ID, s.readGrant(s.owner))
		return err
	}},
	{"UpdatePolicy", "policy.update success", "policy.update refused access_denied", "policy.update" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.UpdatePolicy(s.Ctx, p, s.v.ID, s.bob.ID, vault.GrantChange{Permissions: []policy.Permission{policy.Write}})
		return err
	}},
	{"DeletePolicy", "policy.delete success", "policy.delete refused access_denied", "policy.delete" + notFound, func(s *stage, p identity.Principal) error {
		return s.DeletePolicy(s.Ctx, p, s.v.ID, s.bob.ID)
	}},
	{"Policies", "", "policy.list refused access_denied", "policy.list" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Policies(s.Ctx, p, s.v.ID)
		return err
	}},
	{"Vault", "", "vault.read refused access_denied", "vault.read" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Vault(s.Ctx, p, s.v.ID)
		return err
	}},
	{"DeleteVault", "vault.delete success", "vault.delete refused access_denied", "vault.delete" + notFound, func(s *stage, p identity.Principal) error {
		return s.DeleteVault(s.Ctx, p, s.v.ID)
	}},
	{"Create", "vault.create success", "", "", func(s *stage, p identity.Principal) error {
		_, err := s.Create(s.Ctx, p, "another", "")
		return err
	}},
}

// wantSource wants an event to say who, from where, when and in which request.
func (s *stage) wantSource(e storetest.Event, p identity.Principal) {
	s.Helper()
	if e.Org != p.Org || e.Actor.ID != p.ID || e.Actor.Type != string(p.Kind) ||
		e.IP != peer.String() || e.Request != p.RequestID || !e.Time.Equal(s.Clock.Now()) {
		s.Errorf("%s: %+v", e, e)
	}
}

func TestU5_OneEventPerOperation(t *testing.T) {
	for _, o := range ops {
		t.Run(o.name, func(t *testing.T) {
			s := newStage(t)
			for _, e := range s.Logs(o.success, func() { s.OK(o.run(s, s.alice)) }) {
				s.wantSource(e, s.alice)
				storetest.Equal(t, "vault", len(e.Details["vault_id"].(string)), 36)
			}
		})
	}
}

func TestU5_RefusalsAreRecorded(t *testing.T) {
	for _, o := range ops {
		if o.refused == "" {
			continue
		}
		t.Run(o.name, func(t *testing.T) {
			s := newStage(t)
			eve, mallory := s.user(s.org, "member"), s.user(id.New(), identity.RoleOwner)
			s.unchanged(func() {
				for p, want := range map[*identity.Principal]string{&eve: o.refused, &mallory: o.foreign} {
					for _, e := range s.Logs(want, func() {
						if o.run(s, *p) == nil {
							t.Error("it went through")
						}
					}) {
						s.wantSource(e, *p) // in the organisation of who tried
					}
				}
			})
		})
	}
}

// Neither an operation nor its refusal happens unless it can be recorded.
func TestAudit_FailureStopsEverything(t *testing.T) {
	for _, o := range ops {
		if o.success == "" {
			continue
		}
		t.Run(o.name, func(t *testing.T) {
			s := newStage(t)
			disk := errors.New("no space left on device")
			eve := s.user(s.org, "member")
			s.unchanged(func() {
				s.faults.set("PutAuditLeaf", disk)
				s.Logs("", func() {
					s.Is(o.run(s, s.alice), disk)
					if o.refused != "" {
						s.Is(o.run(s, eve), disk)
					}
				})
			})
			s.faults.clear()
			s.Logs(o.success, func() { s.OK(o.run(s, s.alice)) })
		})
	}
}

// Without a record no value leaves.
func TestAudit_FailureHidesTheValue(t *testing.T) {
	s := newStage(t)
	s.faults.set("PutAuditLeaf", errors.New("no space left on device"))
	sec, got, err := s.Read(s.Ctx, s.alice, s.v.ID, s.path("a/b"))
	if err == nil || got.Len() != 0 || !sec.ID.IsZero() {
		t.Errorf("got %+v, %d bytes, %v", sec, got.Len(), err)
	}
	list, err := s.List(s.Ctx, s.alice, s.v.ID, "")
	if err == nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
	sec, versions, err := s.Versions(s.Ctx, s.alice, s.v.ID, s.path("a/b"))
	if err == nil || len(versions) != 0 || !sec.ID.IsZero() {
		t.Errorf("got %+v, %+v, %v", sec, versions, err)
	}
}

// A fault of the store rolls everything back, the event too.
func TestAudit_NoEventOfWhatRolledBack(t *testing.T) {
	for _, o := range ops[4:10] { // what writes a secret
		t.Run(o.name, func(t *testing.T) {
			if o.name == "DisableVersion, an old one" {
				t.Skip("it writes no secret record")
			}
			s := newStage(t)
			disk := errors.New("input/output error")
			s.unchanged(func() {
				s.faults.set("PutSecret", disk)
				s.Logs("", func() { s.Is(o.run(s, s.alice), disk) })
			})
		})
	}
}

func TestAudit_WhatAnEventSays(t *testing.T) {
	s := newStage(t)
	bot := s.agent("a/**", "z")
	pols := []id.ID{s.grant(bot, "a/*", policy.Read).ID, s.grant(bot, "**", policy.Read).ID}
	s.grant(bot, "a/b", policy.Write) // has no part in reading
	events := s.Logs("secret.read success", func() { s.wantValue(bot, "a/b", "two") })
	e := events[0]
	storetest.Equal(t, "policies", e.Policies, pols)
	storetest.Equal(t, "resource", e.Resource.Type+" "+e.Resource.ID, "secret a/b")
	storetest.Equal(t, "path", e.Details["path"], "a/b")
	storetest.Equal(t, "vault", e.Details["vault_id"], s.v.ID.String())
	storetest.Equal(t, "version", e.Details["version"], 2)
	storetest.Equal(t, "inputs", len(e.Inputs), 64)
	if _, owner := e.Details["owner"]; owner {
		t.Error("the agent is not the owner")
	}

	// Other scopes are other inputs, the same ones the same.
	wider := bot
	wider.Scopes = append(wider.Scopes, s.pattern("**"))
	again := s.During(func() { s.wantValue(bot, "a/b", "two"); s.wantValue(wider, "a/b", "two") })
	if again[0].Inputs != e.Inputs || again[1].Inputs == e.Inputs {
		t.Error("the inputs do not follow the decision")
	}

	owner := s.During(func() { _, err := s.Put(s.Ctx, s.alice, s.v.ID, s.path("a/b"), value("x")); s.OK(err) })[0]
	storetest.Equal(t, "owner", owner.Details["owner"], true)
	storetest.Equal(t, "written version", owner.Details["version"], 3)
	storetest.Equal(t, "policies of the owner", len(owner.Policies), 0)

	list := s.During(func() { s.paths(bot, "") })[0]
	storetest.Equal(t, "count", list.Details["count"], 1)

	pol := s.During(func() { s.grant(bot, "p/**", policy.Read, policy.Delete) })[0]
	storetest.Equal(t, "pattern", pol.Details["pattern"], "p/**")
	storetest.Equal(t, "permissions", pol.Details["permissions"], []string{"read", "delete"})
	storetest.Equal(t, "holder", pol.Details["principal_id"], bot.ID.String())
}

// The record of a disabled version says which one.
func TestAudit_DisabledVersionIsNamed(t *testing.T) {
	s := newStage(t)
	e := s.During(func() {
		_, _, err := s.DisableVersion(s.Ctx, s.alice, s.v.ID, s.path("a/b"), 1)
		s.OK(err)
	})[0]
	storetest.Equal(t, "version", e.Details["version"], 1)
}

// What is gone or missing is a refusal too, and told apart in the log only.
func TestU5_GoneIsRecorded(t *testing.T) {
	s := newStage(t)
	s.Logs("secret.read refused secret_not_found", func() { _, err := s.read(s.alice, "never"); s.Is(err, vault.ErrSecretNotFound) })
	s.Logs("secret.delete refused secret_not_found", func() { s.Is(s.DeleteSecret("never"), vault.ErrSecretNotFound) })
	for range 3 {
		s.wantValue(s.alice, "a/b", "two")
	}
	s.Logs("secret.read refused secret_exhausted", func() { _, err := s.read(s.alice, "a/b"); s.Is(err, vault.ErrSecretExhausted) })
	s.OK(s.DeleteSecret("a/b"))
	s.Logs("secret.read refused secret_deleted", func() { _, err := s.read(s.alice, "a/b"); s.Is(err, vault.ErrSecretDeleted) })
	s.Logs("secret.rotate refused secret_deleted", func() {
		_, err := s.Rotate(s.Ctx, s.alice, s.v.ID, s.path("a/b"), vault.Rotation{})
		s.Is(err, vault.ErrSecretDeleted)
	})
	s.Logs("policy.delete refused policy_not_found", func() { s.Is(s.DeletePolicy(s.Ctx, s.alice, s.v.ID, id.New()), vault.ErrPolicyNotFound) })
	s.Logs("policy.create refused unknown_principal", func() {
		_, err := s.CreatePolicy(s.Ctx, s.alice, s.v.ID, s.readGrant(identity.Principal{Kind: "user", ID: id.New()}))
		s.Is(err, vault.ErrPrincipal)
	})
}

// Version 0 is asked like any other: permission first, and on record.
func TestJ9_VersionZero(t *testing.T) {
	s := newStage(t)
	eve := s.user(s.org, "member")
	s.Logs("secret.read"+insufficient, func() {
		_, _, _, err := s.ReadVersion(s.Ctx, eve, s.v.ID, s.path("a/b"), 0)
		storetest.Equal(t, "kind", fault.KindOf(err), fault.Denied)
	})
}
