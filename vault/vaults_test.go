package vault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func TestV1_Names(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, description string
		want              error
	}{
		{"a", "", nil},
		{"a", "again", nil}, // names may repeat
		{strings.Repeat("n", 255), strings.Repeat("d", 4096), nil},
		{"_x", "", nil},
		{"ünïcode ☂", "", nil},
		{"", "", vault.ErrVaultName},
		{strings.Repeat("n", 256), "", vault.ErrVaultName},
		{"__agent-keys", "", vault.ErrReservedName},
		{"__", "", vault.ErrReservedName},
		{"__anything", "", vault.ErrReservedName},
		{" __agent-keys", "", vault.ErrReservedName},
		{strings.Repeat("ü", 255), "", nil}, // characters, not bytes
		{strings.Repeat("ü", 256), "", vault.ErrVaultName},
		{" \t", "", vault.ErrVaultName},
		{"a\x00b", "", vault.ErrVaultName},
		{"a\x1b[2Jb", "", vault.ErrVaultName},
	} {
		v, err := w.Create(w.Ctx, w.alice, c.name, c.description)
		w.Is(err, c.want)
		if err == nil && (v.Name != c.name || v.Description != c.description) {
			t.Errorf("got %+v", v)
		}
	}
}

func TestV2_Creator(t *testing.T) {
	w := newWorld(t)
	storetest.Equal(t, "user", w.v.Creator, w.alice.Policy())
	storetest.Equal(t, "organisation", w.v.Org, w.org)
	storetest.Equal(t, "time", w.v.CreatedAt, clocktest.Noon)
	bot := w.agent("**")
	storetest.Equal(t, "agent", w.vault(bot, "bots").Creator, policy.Principal{Type: "agent", ID: bot.ID})
}

func TestV3_SharedWithTheHuman(t *testing.T) {
	w := newWorld(t)
	bot := w.agent("**")
	own := w.vault(bot, "bots")
	_, err := w.Put(w.Ctx, bot, own.ID, w.path("deep/in/here"), value("x"))
	w.OK(err)
	storetest.Equal(t, "the human", w.try(w.alice, own.ID, "deep/in/here"), map[string]string{"read": "", "write": "", "delete": ""})
	_, err = w.Vault(w.Ctx, w.alice, own.ID)
	w.OK(err)
	for _, p := range []identity.Principal{w.alice, bot} {
		list, err := w.Vaults(w.Ctx, p)
		w.OK(err)
		if !strings.Contains(fmt.Sprint(names(list)), "bots") {
			t.Errorf("%s does not see it: %v", p.Kind, names(list))
		}
	}
	// Nobody else got anything.
	for _, p := range []identity.Principal{w.user(w.org, "member"), w.agent("**")} {
		_, err := w.Vault(w.Ctx, p, own.ID)
		w.Is(err, vault.ErrDenied)
	}
	pols, err := w.Policies(w.Ctx, bot, own.ID)
	w.OK(err)
	storetest.Equal(t, "policies", len(pols), 1)
	storetest.Equal(t, "made by", pols[0].CreatedByType, "agent")
	// The agent owns it and can take the share back.
	w.OK(w.DeletePolicy(w.Ctx, bot, own.ID, pols[0].ID))
	_, err = w.Vault(w.Ctx, w.alice, own.ID)
	w.Is(err, vault.ErrDenied)
}

// A user's vault is shared with nobody.
func TestV3_OnlyAgentsShare(t *testing.T) {
	w := newWorld(t)
	pols, err := w.Policies(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	storetest.Equal(t, "policies", len(pols), 0)
}

func names(list []vault.Vault) []string {
	out := []string{}
	for _, v := range list {
		out = append(out, v.Name)
	}
	return out
}

func TestV4_List(t *testing.T) {
	w := newWorld(t)
	bob, bot := w.user(w.org, "member"), w.agent("**")
	second := w.vault(w.alice, "second")
	w.vault(bob, "bobs")
	foreign := w.user(id.New(), identity.RoleOwner)
	w.vault(foreign, "foreign")
	lists := func(p identity.Principal) []string {
		list, err := w.Vaults(w.Ctx, p)
		w.OK(err)
		return names(list)
	}
	storetest.Equal(t, "own", lists(w.alice), []string{"payments", "second"})
	storetest.Equal(t, "nothing", lists(bot), []string{})
	storetest.Equal(t, "owner sees all of the organisation", lists(w.owner), []string{"payments", "second", "bobs"})
	storetest.Equal(t, "another organisation", lists(foreign), []string{"foreign"})
	w.grant(bob, "x", policy.Write)
	w.grant(bot, "x", policy.Read)
	storetest.Equal(t, "shared, own first", lists(bob), []string{"bobs", "payments"})
	storetest.Equal(t, "shared", lists(bot), []string{"payments"})
	bot.VaultIDs = []id.ID{second.ID}
	storetest.Equal(t, "binding", lists(bot), []string{})
	_, err := w.Vault(w.Ctx, bot, w.v.ID)
	w.Is(err, policy.ErrNotBound)
	bot.VaultIDs = append(bot.VaultIDs, w.v.ID)
	storetest.Equal(t, "bound", lists(bot), []string{"payments"})
}

// Clients without a vault id take the first of the list.
func TestA12_UsableFirstReservedLast(t *testing.T) {
	w := newWorld(t)
	deposit, err := w.SealAgentKeys(w.Ctx, w.owner, someAgent, map[vault.SecretPath]plain.Bytes{w.path("agents/" + someAgent.String()): plain.FromString("k")})
	w.OK(err)
	w.Commit(func(tx *store.Tx) error { _, err := deposit.Store(w.Ctx, tx, w.owner); return err })
	bot := w.agent("**")
	var keys vault.Vault
	all, err := w.Vaults(w.Ctx, w.owner)
	w.OK(err)
	for _, v := range all {
		if v.Name == vault.AgentKeysName {
			keys = v
		}
	}
	_, err = w.CreatePolicy(w.Ctx, w.owner, keys.ID, w.readGrant(bot))
	w.OK(err)
	w.Clock.Set(clocktest.Noon.Add(time.Hour))
	w.vault(w.owner, "late")
	w.grant(bot, "**", policy.Read)
	for p, want := range map[*identity.Principal][]string{
		&bot:     {"payments", vault.AgentKeysName},
		&w.owner: {"late", "payments", vault.AgentKeysName},
	} {
		list, err := w.Vaults(w.Ctx, *p)
		w.OK(err)
		storetest.Equal(t, string(p.Kind), names(list), want)
	}
}

func TestV6_WhoDeletes(t *testing.T) {
	for _, c := range []struct {
		name string
		who  func(w *world) identity.Principal
		want error
	}{
		{"creator", func(w *world) identity.Principal { return w.alice }, nil},
		{"owner", func(w *world) identity.Principal { return w.owner }, nil},
		{"admin", func(w *world) identity.Principal { return w.user(w.org, "admin") }, nil},
		{"stranger", func(w *world) identity.Principal { return w.user(w.org, "member") }, vault.ErrDenied},
		{"someone with every permission", func(w *world) identity.Principal {
			p := w.user(w.org, "member")
			w.grant(p, "**", policy.Read, policy.Write, policy.Delete)
			return p
		}, vault.ErrDenied},
		{"agent with every permission", func(w *world) identity.Principal {
			p := w.agent("**")
			w.grant(p, "**", policy.Read, policy.Write, policy.Delete)
			return p
		}, vault.ErrDenied},
		{"owner of another organisation", func(w *world) identity.Principal { return w.user(id.New(), identity.RoleOwner) }, vault.ErrVaultNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.put("a", "x")
			w.Is(w.DeleteVault(w.Ctx, c.who(w), w.v.ID), c.want)
			_, err := w.read(w.alice, "a")
			if c.want == nil {
				w.Is(err, vault.ErrVaultNotFound)
			} else {
				w.OK(err)
			}
		})
	}
}

// fill makes 70 secrets, some with versions, and two policies.
func (w *world) fill() (secrets []vault.Secret) {
	w.Helper()
	for i := range 70 {
		secrets = append(secrets, w.put(fmt.Sprint("s", i), "x"))
	}
	secrets = append(secrets[:5], w.put("s5", "second version"))
	w.grant(w.user(w.org, "member"), "**", policy.Read)
	w.grant(w.agent("**"), "**", policy.Read)
	return secrets
}

// nothingLeft wants no trace of alice's vault and its secrets.
func (w *world) nothingLeft(secrets []vault.Secret) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) error {
		_, there, err1 := tx.Vault(w.org, w.v.ID)
		left, err2 := tx.Secrets(w.v.ID)
		pols, err3 := tx.Policies(w.v.ID)
		doomed, err4 := tx.Doomed()
		if there || len(left)+len(pols)+len(doomed) > 0 {
			w.Errorf("left: vault %v, %d secrets, %d policies, doomed %v", there, len(left), len(pols), doomed)
		}
		for _, s := range secrets {
			_, ref, err5 := tx.SecretRef(s.ID)
			for n := uint32(1); n <= 2; n++ {
				_, env, err6 := tx.Envelope(s.ID, n)
				_, ver, err7 := tx.Version(s.ID, n)
				if env || ver || ref || errors.Join(err5, err6, err7) != nil {
					w.Errorf("%s: ref %v, envelope %v, version %v", s.Path, ref, env, ver)
				}
			}
		}
		return errors.Join(err1, err2, err3, err4)
	})
}

func TestV6_Cascade(t *testing.T) {
	w := newWorld(t)
	other := w.vault(w.alice, "other")
	_, err := w.Put(w.Ctx, w.alice, other.ID, w.path("a"), value("kept"))
	w.OK(err)
	secrets := w.fill()
	w.OK(w.DeleteVault(w.Ctx, w.alice, w.v.ID))
	w.nothingLeft(secrets)
	w.Is(w.DeleteVault(w.Ctx, w.alice, w.v.ID), vault.ErrVaultNotFound)
	_, got, err := w.Read(w.Ctx, w.alice, other.ID, w.path("a"))
	w.OK(err)
	storetest.Equal(t, "another vault", string(got.Reveal()), "kept")
}

// A crash in the middle of the purge: nothing can be reached meanwhile, and
// FinishDeletions does the rest, wherever it stopped.
func TestV6_FinishDeletions(t *testing.T) {
	for _, stop := range []string{"Secrets", "DeleteSecret", "DeleteDoomed"} {
		t.Run(stop, func(t *testing.T) {
			w := newWorld(t)
			secrets := w.fill()
			w.faults.set(stop, hsmDown) // what the store says when the disk is full
			w.OK(w.DeleteVault(w.Ctx, w.alice, w.v.ID))
			w.Is(w.FinishDeletions(w.Ctx), hsmDown)
			_, err := w.read(w.alice, "s1")
			w.Is(err, vault.ErrVaultNotFound)
			_, err = w.Put(w.Ctx, w.alice, w.v.ID, w.path("s1"), value("x"))
			w.Is(err, vault.ErrVaultNotFound)
			w.faults.clear()
			w.OK(w.FinishDeletions(w.Ctx))
			w.nothingLeft(secrets)
			w.OK(w.FinishDeletions(w.Ctx)) // nothing to do
		})
	}
}

// hsmDown stands for anything that passes: it is not an internal fault.
var hsmDown = fault.New(fault.StorageFull, "storage_full", "no space")

// A deletion that took effect never answers that it failed.
func TestV6_NoFailureAfterTheFact(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	w.faults.set("Secrets", errors.New("a damaged record"))
	err := w.DeleteVault(w.Ctx, w.alice, w.v.ID)
	w.faults.clear()
	_, gone := w.Vault(w.Ctx, w.alice, w.v.ID)
	w.Is(gone, vault.ErrVaultNotFound)
	if err != nil {
		t.Errorf("the vault is deleted, and the caller was told: %v", err)
	}
}

// The caller's patience does not decide whether the contents go.
func TestV6_CancelledCaller(t *testing.T) {
	w := newWorld(t)
	secrets := w.fill()
	ctx, cancel := context.WithCancel(w.Ctx)
	w.faults.slip(func() {
		w.faults.slip(cancel) // right before the purge's first Update
	})
	w.OK(w.DeleteVault(ctx, w.alice, w.v.ID))
	w.nothingLeft(secrets)
}

// One vault that cannot be purged does not keep the others.
func TestV6_OneBadVault(t *testing.T) {
	w := newWorld(t)
	secrets := w.fill()
	bad := id.ID{1} // sorts first
	w.Commit(func(tx *store.Tx) error { return tx.PutDoomed(bad) })
	w.faults.set("Secrets", hsmDown)
	w.OK(w.DeleteVault(w.Ctx, w.alice, w.v.ID))
	w.faults.onlyFor(bad)
	_ = w.FinishDeletions(w.Ctx)
	w.faults.clear()
	w.Commit(func(tx *store.Tx) error { return tx.DeleteDoomed(bad) })
	w.nothingLeft(secrets)
}

func TestV_ReservedVaultStays(t *testing.T) {
	w := newWorld(t)
	deposit, err := w.SealAgentKeys(w.Ctx, w.owner, someAgent, map[vault.SecretPath]plain.Bytes{w.path("agents/" + someAgent.String()): plain.FromString("k")})
	w.OK(err)
	w.Commit(func(tx *store.Tx) error { _, err := deposit.Store(w.Ctx, tx, w.owner); return err })
	list, err := w.Vaults(w.Ctx, w.owner)
	w.OK(err)
	keys := list[len(list)-1]
	storetest.Equal(t, "name", keys.Name, vault.AgentKeysName)
	w.Is(w.DeleteVault(w.Ctx, w.owner, keys.ID), vault.ErrDenied)
}
