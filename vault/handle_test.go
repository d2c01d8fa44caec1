package vault_test

import (
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// handleOnly has an agent get handles.
func (w *world) handleOnly(p identity.Principal) {
	w.Helper()
	w.Commit(func(tx *store.Tx) error {
		a, ok, err := tx.Agent(p.Org, p.ID)
		if err != nil || !ok {
			return errors.Join(err, errors.New("no such agent"))
		}
		a.HandleOnly = true
		return tx.PutAgent(a)
	})
}

// An agent that gets handles is shown no value by any door, whatever its policies
// say, and learns no more of paths than others do.
func TestHandleOnly(t *testing.T) {
	w := newWorld(t)
	w.put("a/b", "x")
	bot := w.agent("**")
	own := w.vault(bot, "own")
	_, err := w.Put(w.Ctx, bot, own.ID, w.path("mine"), value("y"))
	w.OK(err)
	w.grant(bot, "a/**", policy.Read)
	w.wantValue(bot, "a/b", "x")
	w.handleOnly(bot)

	for _, c := range []struct {
		path string
		want error
	}{
		{"a/b", vault.ErrHandleOnly},
		{"a/none", vault.ErrHandleOnly}, // as if there were one
		{"b", policy.ErrInsufficient},
	} {
		_, err := w.read(bot, c.path)
		w.Is(err, c.want)
		_, _, _, err = w.ReadVersion(w.Ctx, bot, w.v.ID, w.path(c.path), 1)
		w.Is(err, c.want)
		w.Inspect(func(tx *store.Tx) error {
			_, refusal, err := vault.Lend(tx, bot, w.v.ID, w.path(c.path), clocktest.Noon)
			w.Is(refusal, c.want)
			return err
		})
	}
	_, _, err = w.Read(w.Ctx, bot, own.ID, w.path("mine"))
	w.Is(err, vault.ErrHandleOnly)
	w.Logs("secret.read refused handle_only", func() { _, _ = w.read(bot, "a/b") })

	storetest.Equal(t, "what it can name", w.paths(bot, ""), []string{"a/b"})
	_, versions, err := w.Versions(w.Ctx, bot, w.v.ID, w.path("a/b"))
	w.OK(err)
	storetest.Equal(t, "versions", len(versions), 1)
	w.wantValue(w.alice, "a/b", "x")
}

// Use alone lets a value be found and used, and not be seen.
func TestUseWithoutRead(t *testing.T) {
	w := newWorld(t)
	w.put("a/b", "x")
	w.putAs(w.alice, "a/key", vault.NewVersion{Type: vault.TypePrivateKey, Value: value("k").Value})
	bot, person := w.agent("**"), w.user(w.org, identity.RoleMember)
	for _, p := range []identity.Principal{bot, person} {
		w.grant(p, "a/**", policy.Use)
		storetest.Equal(t, "what it can name", w.paths(p, ""), []string{"a/b", "a/key"})
	}
	_, err := w.read(bot, "a/b")
	w.Is(err, vault.ErrHandleOnly)
	_, err = w.read(bot, "a/none")
	w.Is(err, vault.ErrHandleOnly)
	_, err = w.read(person, "a/b")
	w.Is(err, policy.ErrInsufficient) // nothing is used for people

	_, got, err := w.ReadForUse(w.Ctx, bot, w.v.ID, w.path("a/b"))
	w.OK(err)
	storetest.Equal(t, "value", string(got.Reveal()), "x")
	_, _, err = w.ReadForUse(w.Ctx, bot, w.v.ID, w.path("a/key"))
	w.Is(err, vault.ErrSigningKey)
	_, _, err = w.ReadForUse(w.Ctx, bot, w.v.ID, w.path("b"))
	w.Is(err, policy.ErrInsufficient)
}
