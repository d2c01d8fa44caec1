package vault_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func TestS8_FilteredByWhatMayBeRead(t *testing.T) {
	w := newWorld(t)
	for _, p := range []string{"z", "prod/db", "prod/api/key", "prod", "dev/db"} {
		w.put(p, "x")
	}
	storetest.Equal(t, "creator", w.paths(w.alice, ""), []string{"dev/db", "prod", "prod/api/key", "prod/db", "z"})
	bob := w.user(w.org, "member")
	w.grant(bob, "prod/*", policy.Read)
	storetest.Equal(t, "one pattern", w.paths(bob, ""), []string{"prod/db"})
	w.grant(bob, "dev/**", policy.Read)
	storetest.Equal(t, "patterns are OR-ed", w.paths(bob, ""), []string{"dev/db", "prod/db"})
	w.grant(bob, "z", policy.Write, policy.Delete)
	storetest.Equal(t, "other permissions", w.paths(bob, ""), []string{"dev/db", "prod/db"})

	bot := w.agent("prod/**")
	w.grant(bot, "**", policy.Read)
	storetest.Equal(t, "scopes", w.paths(bot, ""), []string{"prod", "prod/api/key", "prod/db"})
}

func TestS8_PrefixIsPlainText(t *testing.T) {
	w := newWorld(t)
	for _, p := range []string{"prod", "prod/db", "production/db", "dev/prod"} {
		w.put(p, "x")
	}
	for prefix, want := range map[string][]string{
		"":        {"dev/prod", "prod", "prod/db", "production/db"},
		"prod":    {"prod", "prod/db", "production/db"},
		"prod/":   {"prod/db"},
		"prod/d":  {"prod/db"},
		"Prod":    {},
		"*":       {},
		"/":       {},
		"prod/db": {"prod/db"},
	} {
		storetest.Equal(t, prefix, w.paths(w.alice, prefix), want)
	}
}

func TestS8_OmitsWhatIsGone(t *testing.T) {
	w := newWorld(t)
	for _, p := range []string{"live", "deleted", "disabled"} {
		w.put(p, "x")
	}
	v := value("x")
	v.ExpiresAt = ptr(clocktest.Noon.Add(time.Second))
	w.putAs(w.alice, "expires", v)
	w.putAs(w.alice, "limited", limited("x", 1))
	storetest.Equal(t, "before", len(w.paths(w.alice, "")), 5)
	w.Clock.Set(clocktest.Noon.Add(time.Second))
	w.wantValue(w.alice, "limited", "x")
	w.OK(w.DeleteSecret("deleted"))
	_, _, err := w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("disabled"), 1)
	w.OK(err)
	storetest.Equal(t, "after", w.paths(w.alice, ""), []string{"live"})
}

func TestS8_LatestVersionWithoutValue(t *testing.T) {
	w := newWorld(t)
	w.put("a", "1")
	w.put("a", "2")
	list, err := w.List(w.Ctx, w.alice, w.v.ID, "")
	w.OK(err)
	storetest.Equal(t, "entries", len(list), 1)
	storetest.Equal(t, "version", list[0].Latest.Number, 2)
}

// Nothing to read is an empty list; nothing to know is a refusal.
func TestS8_VisibleOrNot(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	writer, named, stranger := w.user(w.org, "member"), w.agent("**"), w.agent("**")
	w.grant(writer, "**", policy.Write)
	w.grant(named, "b/**", policy.Read)
	storetest.Equal(t, "may write only", w.paths(writer, ""), []string{})
	storetest.Equal(t, "may read elsewhere", w.paths(named, ""), []string{})
	for _, v := range []vault.Vault{w.v, w.vault(w.alice, "empty")} {
		_, err := w.List(w.Ctx, stranger, v.ID, "")
		w.Is(err, vault.ErrDenied)
		_, err = w.List(w.Ctx, w.user(w.org, "member"), v.ID, "")
		w.Is(err, vault.ErrDenied)
	}
	_, err := w.List(w.Ctx, w.alice, id.New(), "")
	w.Is(err, vault.ErrVaultNotFound)

	named.Scopes = nil
	_, err = w.List(w.Ctx, named, w.v.ID, "")
	w.Is(err, policy.ErrNoScopes)
	named.VaultIDs = []id.ID{id.New()}
	_, err = w.List(w.Ctx, named, w.v.ID, "")
	w.Is(err, policy.ErrNotBound)
}

// Lists are never null on the wire: clients call .length on them.
func TestT12_EmptyListsAreNotNil(t *testing.T) {
	w := newWorld(t)
	secrets, err := w.List(w.Ctx, w.alice, w.v.ID, "")
	w.OK(err)
	policies, err := w.Policies(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	vaults, err := w.Vaults(w.Ctx, w.agent("**"))
	w.OK(err)
	if secrets == nil || policies == nil || vaults == nil {
		t.Errorf("nil: secrets %v, policies %v, vaults %v", secrets == nil, policies == nil, vaults == nil)
	}
}

// A policy that ended no longer shows the vault.
func TestO5_ExpiredPolicy(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	bob := w.user(w.org, "member")
	end := clocktest.Noon.Add(time.Minute)
	_, err := w.CreatePolicy(w.Ctx, w.alice, w.v.ID, vault.Grant{
		Pattern: w.pattern("**"), Principal: bob.Policy(), Permissions: []policy.Permission{policy.Read}, ExpiresAt: &end,
	})
	w.OK(err)
	w.Clock.Set(end.Add(-1))
	w.wantValue(bob, "a", "x")
	w.Clock.Set(end)
	_, err = w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
	_, err = w.List(w.Ctx, bob, w.v.ID, "")
	w.Is(err, vault.ErrDenied)
	_, err = w.Vault(w.Ctx, bob, w.v.ID)
	w.Is(err, vault.ErrDenied)
	list, err := w.Vaults(w.Ctx, bob)
	w.OK(err)
	storetest.Equal(t, "vaults", len(list), 0)
	kept, err := w.Policies(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	storetest.Equal(t, "still listed for managers", len(kept), 1)
}

func TestFindRead(t *testing.T) {
	w := newWorld(t)
	agent := w.agent("**")
	path := w.path("providers/openai/api-key")
	if _, err := w.FindUsable(w.Ctx, agent, path); !errors.Is(err, vault.ErrSecretNotFound) {
		t.Errorf("without a secret: %v", err)
	}
	w.put(path.String(), "sk-one")
	if _, err := w.FindUsable(w.Ctx, agent, path); !errors.Is(err, vault.ErrSecretNotFound) {
		t.Errorf("without a policy: %v", err)
	}
	w.grant(agent, "providers/**", policy.Read)
	if found, err := w.FindUsable(w.Ctx, agent, path); err != nil || found != w.v.ID {
		t.Errorf("%v %v", found, err)
	}
	w.OK(w.Delete(w.Ctx, w.alice, w.v.ID, path))
	if _, err := w.FindUsable(w.Ctx, agent, path); !errors.Is(err, vault.ErrSecretNotFound) {
		t.Errorf("deleted: %v", err)
	}
}
