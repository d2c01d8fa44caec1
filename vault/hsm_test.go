package vault_test

import (
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
)

// outages are the ways in which keys cannot be used.
var outages = map[string]struct {
	cut  func(s *stage)
	want *fault.Error
}{
	"unavailable": {func(s *stage) { s.module.breakDown(hsm.ErrUnavailable) }, hsm.ErrUnavailable},
	"sealed":      {func(s *stage) { _ = s.gate.Close() }, hsm.ErrSealed},
}

func TestHSM_OutageWritesNothing(t *testing.T) {
	for name, out := range outages {
		for _, o := range ops {
			var want string
			switch o.name {
			case "Create":
			case "Put, a new path", "Put, a new version":
				want = "secret.write failed " + out.want.Code
			case "Rotate":
				want = "secret.rotate failed " + out.want.Code
			default:
				continue
			}
			t.Run(name+"/"+o.name, func(t *testing.T) {
				s := newStage(t)
				out.cut(s)
				s.unchanged(func() {
					s.Logs(want, func() { s.Is(o.run(s, s.alice), out.want) })
				})
			})
		}
	}
}

// A read is decided, counted and recorded before the HSM is asked; should that
// fail, the failure is on record too and the count stays used.
func TestHSM_OutageDuringRead(t *testing.T) {
	for name, out := range outages {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			out.cut(s)
			want := "secret.read success; secret.read failed " + out.want.Code
			events := s.Logs(want, func() {
				got, err := s.read(s.alice, "a/b")
				s.Is(err, out.want)
				storetest.Equal(t, "value", got, "")
			})
			storetest.Equal(t, "the failure's version", events[1].Details["version"], 2)
			_, list, err := s.Versions(s.Ctx, s.alice, s.v.ID, s.path("a/b"))
			s.OK(err)
			storetest.Equal(t, "count", list[0].Reads, 1)
		})
	}
}

// Whoever may not read learns nothing of an outage either.
func TestHSM_RefusalComesFirst(t *testing.T) {
	for name, out := range outages {
		for _, o := range ops[:10] {
			if o.name == "List" {
				continue
			}
			t.Run(name+"/"+o.name, func(t *testing.T) {
				s := newStage(t)
				eve := s.user(s.org, "member")
				out.cut(s)
				s.Logs(o.refused, func() {
					if err := o.run(s, eve); fault.KindOf(err) != fault.Denied {
						t.Errorf("got %v", err)
					}
				})
			})
		}
	}
}

// What needs no key goes on during an outage.
func TestHSM_OutageLeavesTheRest(t *testing.T) {
	s := newStage(t)
	s.module.breakDown(hsm.ErrUnavailable)
	for _, o := range ops {
		switch o.name {
		case "List", "Versions", "CreatePolicy", "UpdatePolicy", "DisableVersion, an old one", "Delete", "DeletePolicy", "Policies", "Vault", "DeleteVault":
			s.Logs(o.success, func() { s.OK(o.run(s, s.alice)) })
		}
	}
}

func TestHSM_ComesBack(t *testing.T) {
	s := newStage(t)
	s.module.breakDown(hsm.ErrUnavailable)
	_, err := s.Put(s.Ctx, s.alice, s.v.ID, s.path("new"), value("x"))
	s.Is(err, hsm.ErrUnavailable)
	s.module.repair()
	storetest.Equal(t, "no number was lost", s.put("new", "x").Latest.Number, 1)
	s.wantValue(s.alice, "new", "x")
}

// Of a deposit that could not be sealed nothing is stored, and none can be
// stored twice.
func TestHSM_Deposit(t *testing.T) {
	s := newStage(t)
	keys := map[vault.SecretPath]plain.Bytes{s.path("agents/a/ssh"): plain.FromString("k"), s.path("agents/a/ecdh"): plain.FromString("l")}
	store := func(d vault.KeyDeposit) (ok bool) {
		s.Commit(func(tx *store.Tx) (err error) { ok, err = d.Store(s.Ctx, tx, s.owner); return err })
		return ok
	}
	s.module.breakDown(hsm.ErrUnavailable)
	s.unchanged(func() {
		_, err := s.SealAgentKeys(s.Ctx, s.owner, someAgent, keys)
		s.Is(err, hsm.ErrUnavailable)
	})
	s.module.repair()
	first, err := s.SealAgentKeys(s.Ctx, s.owner, someAgent, keys)
	s.OK(err)
	rival, err := s.SealAgentKeys(s.Ctx, s.owner, someAgent, keys)
	s.OK(err)
	storetest.Equal(t, "first", store(first), true)
	s.unchanged(func() {
		storetest.Equal(t, "again", store(first), false)
		storetest.Equal(t, "a rival that would make a second vault", store(rival), false)
	})
	next, err := s.SealAgentKeys(s.Ctx, s.owner, someAgent, keys)
	s.OK(err)
	late, err := s.SealAgentKeys(s.Ctx, s.owner, someAgent, keys)
	s.OK(err)
	storetest.Equal(t, "next version", store(next), true)
	s.unchanged(func() { storetest.Equal(t, "a taken version", store(late), false) })
}
