package vault_test

import (
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
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
		_, _, err := s.Read(s.ctx, p, s.v.ID, s.path("a/b"))
		return err
	}},
	{"ReadVersion", "secret.read success", "secret.read" + insufficient, "secret.read" + notFound, func(s *stage, p identity.Principal) error {
		_, _, _, err := s.ReadVersion(s.ctx, p, s.v.ID, s.path("a/b"), 1)
		return err
	}},
	{"List", "secret.list success", "secret.list refused access_denied", "secret.list" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.List(s.ctx, p, s.v.ID, "")
		return err
	}},
	{"Versions", "secret.list success", "secret.list" + insufficient, "secret.list" + notFound, func(s *stage, p identity.Principal) error {
		_, _, err := s.Versions(s.ctx, p, s.v.ID, s.path("a/b"))
		return err
	}},
	{"Put, a new path", "secret.write success", "secret.write" + insufficient, "secret.write" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Put(s.ctx, p, s.v.ID, s.path("new"), value("x"))
		return err
	}},
	{"Put, a new version", "secret.write success", "secret.write" + insufficient, "secret.write" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Put(s.ctx, p, s.v.ID, s.path("a/b"), value("x"))
		return err
	}},
	{"Rotate", "secret.rotate success", "secret.rotate" + insufficient, "secret.rotate" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Rotate(s.ctx, p, s.v.ID, s.path("a/b"), vault.Rotation{})
		return err
	}},
	{"DisableVersion, the latest", "secret.disable_version success", "secret.disable_version" + insufficient, "secret.disable_version" + notFound, func(s *stage, p identity.Principal) error {
		_, _, err := s.DisableVersion(s.ctx, p, s.v.ID, s.path("a/b"), 2)
		return err
	}},
	{"DisableVersion, an old one", "secret.disable_version success", "secret.disable_version" + insufficient, "secret.disable_version" + notFound, func(s *stage, p identity.Principal) error {
		_, _, err := s.DisableVersion(s.ctx, p, s.v.ID, s.path("a/b"), 1)
		return err
	}},
	{"Delete", "secret.delete success", "secret.delete" + insufficient, "secret.delete" + notFound, func(s *stage, p identity.Principal) error {
		return s.Delete(s.ctx, p, s.v.ID, s.path("a/b"))
	}},
	{"CreatePolicy", "policy.create success", "policy.create refused access_denied", "policy.create" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.CreatePolicy(s.ctx, p, s.v.ID, s.readGrant(s.owner))
		return err
	}},
	{"UpdatePolicy", "policy.update success", "policy.update refused access_denied", "policy.update" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.UpdatePolicy(s.ctx, p, s.v.ID, s.bob.ID, vault.GrantChange{Permissions: []policy.Permission{policy.Write}})
		return err
	}},
	{"DeletePolicy", "policy.delete success", "policy.delete refused access_denied", "policy.delete" + notFound, func(s *stage, p identity.Principal) error {
		return s.DeletePolicy(s.ctx, p, s.v.ID, s.bob.ID)
	}},
	{"Policies", "", "policy.list refused access_denied", "policy.list" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Policies(s.ctx, p, s.v.ID)
		return err
	}},
	{"Vault", "", "vault.read refused access_denied", "vault.read" + notFound, func(s *stage, p identity.Principal) error {
		_, err := s.Vault(s.ctx, p, s.v.ID)
		return err
	}},
	{"DeleteVault", "vault.delete success", "vault.delete refused access_denied", "vault.delete" + notFound, func(s *stage, p identity.Principal) error {
		return s.DeleteVault(s.ctx, p, s.v.ID)
	}},
	{"Create", "vault.create success", "", "", func(s *stage, p identity.Principal) error {
		_, err := s.Create(s.ctx, p, "another", "")
		return err
	}},
}

// wantSource wants an event to say who, from where, when and in which request.
func (s *stage) wantSource(e event, p identity.Principal) {
	s.Helper()
	if e.Org != p.Org || e.Actor.ID != p.ID || e.Actor.Type != string(p.Kind) ||
		e.IP != peer.String() || e.Request != p.RequestID || !e.Time.Equal(s.clock.Now()) {
		s.Errorf("%s: %+v", e, e)
	}
}

func TestU5_OneEventPerOperation(t *testing.T) {
	for _, o := range ops {
		t.Run(o.name, func(t *testing.T) {
			s := newStage(t)
			for _, e := range s.logs(o.success, func() { s.ok(o.run(s, s.alice)) }) {
				s.wantSource(e, s.alice)
				equal(t, "vault", len(e.Details["vault_id"].(string)), 36)
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
					for _, e := range s.logs(want, func() {
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
				s.logs("", func() {
					s.is(o.run(s, s.alice), disk)
					if o.refused != "" {
						s.is(o.run(s, eve), disk)
					}
				})
			})
			s.faults.clear()
			s.logs(o.success, func() { s.ok(o.run(s, s.alice)) })
		})
	}
}

// Without a record no value leaves.
func TestAudit_FailureHidesTheValue(t *testing.T) {
	s := newStage(t)
	s.faults.set("PutAuditLeaf", errors.New("no space left on device"))
	sec, got, err := s.Read(s.ctx, s.alice, s.v.ID, s.path("a/b"))
	if err == nil || got.Len() != 0 || !sec.ID.IsZero() {
		t.Errorf("got %+v, %d bytes, %v", sec, got.Len(), err)
	}
	list, err := s.List(s.ctx, s.alice, s.v.ID, "")
	if err == nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
	sec, versions, err := s.Versions(s.ctx, s.alice, s.v.ID, s.path("a/b"))
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
				s.logs("", func() { s.is(o.run(s, s.alice), disk) })
			})
		})
	}
}

func TestAudit_WhatAnEventSays(t *testing.T) {
	s := newStage(t)
	bot := s.agent("a/**", "z")
	pols := []id.ID{s.grant(bot, "a/*", policy.Read).ID, s.grant(bot, "**", policy.Read).ID}
	s.grant(bot, "a/b", policy.Write) // has no part in reading
	events := s.logs("secret.read success", func() { s.wantValue(bot, "a/b", "two") })
	e := events[0]
	equal(t, "policies", e.Policies, pols)
	equal(t, "resource", e.Resource.Type+" "+e.Resource.ID, "secret a/b")
	equal(t, "path", e.Details["path"], "a/b")
	equal(t, "vault", e.Details["vault_id"], s.v.ID.String())
	equal(t, "version", e.Details["version"], 2)
	equal(t, "inputs", len(e.Inputs), 64)
	if _, owner := e.Details["owner"]; owner {
		t.Error("the agent is not the owner")
	}

	// Other scopes are other inputs, the same ones the same.
	wider := bot
	wider.Scopes = append(wider.Scopes, s.pattern("**"))
	again := s.during(func() { s.wantValue(bot, "a/b", "two"); s.wantValue(wider, "a/b", "two") })
	if again[0].Inputs != e.Inputs || again[1].Inputs == e.Inputs {
		t.Error("the inputs do not follow the decision")
	}

	owner := s.during(func() { _, err := s.Put(s.ctx, s.alice, s.v.ID, s.path("a/b"), value("x")); s.ok(err) })[0]
	equal(t, "owner", owner.Details["owner"], true)
	equal(t, "written version", owner.Details["version"], 3)
	equal(t, "policies of the owner", len(owner.Policies), 0)

	list := s.during(func() { s.paths(bot, "") })[0]
	equal(t, "count", list.Details["count"], 1)

	pol := s.during(func() { s.grant(bot, "p/**", policy.Read, policy.Delete) })[0]
	equal(t, "pattern", pol.Details["pattern"], "p/**")
	equal(t, "permissions", pol.Details["permissions"], []string{"read", "delete"})
	equal(t, "holder", pol.Details["principal_id"], bot.ID.String())
}

// The record of a disabled version says which one.
func TestAudit_DisabledVersionIsNamed(t *testing.T) {
	s := newStage(t)
	e := s.during(func() {
		_, _, err := s.DisableVersion(s.ctx, s.alice, s.v.ID, s.path("a/b"), 1)
		s.ok(err)
	})[0]
	equal(t, "version", e.Details["version"], 1)
}

// What is gone or missing is a refusal too, and told apart in the log only.
func TestU5_GoneIsRecorded(t *testing.T) {
	s := newStage(t)
	s.logs("secret.read refused secret_not_found", func() { _, err := s.read(s.alice, "never"); s.is(err, vault.ErrSecretNotFound) })
	s.logs("secret.delete refused secret_not_found", func() { s.is(s.DeleteSecret("never"), vault.ErrSecretNotFound) })
	for range 3 {
		s.wantValue(s.alice, "a/b", "two")
	}
	s.logs("secret.read refused secret_exhausted", func() { _, err := s.read(s.alice, "a/b"); s.is(err, vault.ErrSecretExhausted) })
	s.ok(s.DeleteSecret("a/b"))
	s.logs("secret.read refused secret_deleted", func() { _, err := s.read(s.alice, "a/b"); s.is(err, vault.ErrSecretDeleted) })
	s.logs("secret.rotate refused secret_deleted", func() {
		_, err := s.Rotate(s.ctx, s.alice, s.v.ID, s.path("a/b"), vault.Rotation{})
		s.is(err, vault.ErrSecretDeleted)
	})
	s.logs("policy.delete refused policy_not_found", func() { s.is(s.DeletePolicy(s.ctx, s.alice, s.v.ID, id.New()), vault.ErrPolicyNotFound) })
	s.logs("policy.create refused unknown_principal", func() {
		_, err := s.CreatePolicy(s.ctx, s.alice, s.v.ID, s.readGrant(identity.Principal{Kind: "user", ID: id.New()}))
		s.is(err, vault.ErrPrincipal)
	})
}

// Version 0 is asked like any other: permission first, and on record.
func TestJ9_VersionZero(t *testing.T) {
	s := newStage(t)
	eve := s.user(s.org, "member")
	s.logs("secret.read"+insufficient, func() {
		_, _, _, err := s.ReadVersion(s.ctx, eve, s.v.ID, s.path("a/b"), 0)
		equal(t, "kind", fault.KindOf(err), fault.Denied)
	})
}
