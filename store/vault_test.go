package store

import (
	"bytes"
	"errors"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func parsePath(t *testing.T, s string) vault.SecretPath {
	t.Helper()
	p, err := vault.ParseSecretPath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSecretsOfAVaultAreListedByPath(t *testing.T) {
	db := openCurrent(t)
	run := Runner[vault.Tx](db)
	one, two := id.New(), id.New()
	err := run.Update(bg, func(tx vault.Tx) error {
		var errs []error
		for _, p := range []string{"z", "a/b", "a", "m"} {
			errs = append(errs, tx.PutSecret(vault.Secret{ID: id.New(), Vault: one, Path: parsePath(t, p)}))
		}
		errs = append(errs, tx.PutSecret(vault.Secret{ID: id.New(), Vault: two, Path: parsePath(t, "a")}))
		errs = append(errs, tx.DeleteSecret(one, parsePath(t, "m")))
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = run.View(bg, func(tx vault.Tx) error {
		list, err := tx.Secrets(one)
		if err != nil || len(list) != 3 || list[0].Path.String() != "a" || list[1].Path.String() != "a/b" || list[2].Path.String() != "z" {
			t.Errorf("%v, %v", list, err)
		}
		if s, found, err := tx.Secret(two, parsePath(t, "a")); !found || err != nil || s.Vault != two {
			t.Errorf("%v, %v, %v", s, found, err)
		}
		return nil
	})
	// On disk the two "a" have nothing in common.
	names := map[string]bool{}
	_ = db.bolt.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(secrets.name)).ForEach(func(k, _ []byte) error {
			names[string(bytes.TrimPrefix(bytes.TrimPrefix(k, one[:]), two[:]))] = true
			return nil
		})
	})
	if len(names) != 4 {
		t.Errorf("%d Names for 4 secrets", len(names))
	}
}

func TestGrants(t *testing.T) {
	db := openCurrent(t)
	run := Runner[vault.Tx](db)
	v, other := id.New(), id.New()
	who := policy.Principal{Type: "agent", ID: id.New()}
	all, err := policy.ParsePattern("**")
	if err != nil {
		t.Fatal(err)
	}
	p1, p2 := policy.Policy{ID: id.New(), Pattern: all}, policy.Policy{ID: id.New(), Pattern: all}
	err = run.Update(bg, func(tx vault.Tx) error {
		return errors.Join(
			tx.PutGrants(who, v, []policy.Policy{p2, p1}),
			tx.PutGrants(who, other, []policy.Policy{{ID: id.New(), Pattern: all}}),
			tx.PutPolicyHolder(v, p1.ID, who), tx.PutPolicyHolder(v, p2.ID, who))
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = run.View(bg, func(tx vault.Tx) error {
		all, err := tx.Policies(v)
		if err != nil || len(all) != 2 || all[0].ID != p1.ID {
			t.Errorf("policies of the vault: %v, %v", all, err)
		}
		if mine, err := tx.PrincipalGrants(who); err != nil || len(mine) != 3 {
			t.Errorf("policies of the agent: %v, %v", mine, err)
		}
		user := policy.Principal{Type: "user", ID: who.ID}
		if none, err := tx.Grants(user, v); err != nil || none != nil {
			t.Errorf("policies of a user with the same id: %v, %v", none, err)
		}
		return nil
	})
	err = run.Update(bg, func(tx vault.Tx) error { return tx.PutGrants(who, v, nil) })
	if err != nil {
		t.Fatal(err)
	}
	_ = run.View(bg, func(tx vault.Tx) error {
		if left, err := tx.Grants(who, v); err != nil || len(left) != 0 {
			t.Errorf("after removal: %v, %v", left, err)
		}
		return nil
	})
}

func TestRevocationsAreSweptOnceExpired(t *testing.T) {
	db := openCurrent(t)
	run := Runner[identity.Tx](db)
	now := time.Unix(1000, 0)
	err := run.Update(bg, func(tx identity.Tx) error {
		return errors.Join(tx.PutRevoked("old", now.Add(-1)), tx.PutRevoked("older", now.Add(-2)), tx.PutRevoked("live", now.Add(1)))
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = run.View(bg, func(tx identity.Tx) error {
		if all, err := tx.RevokedBefore(now, 10); err != nil || len(all) != 2 {
			t.Errorf("%v, %v", all, err)
		}
		if some, err := tx.RevokedBefore(now, 1); err != nil || len(some) != 1 {
			t.Errorf("%v, %v", some, err)
		}
		return nil
	})
	if err := run.Update(bg, func(tx identity.Tx) error { return tx.DeleteRevoked("old") }); err != nil {
		t.Fatal(err)
	}
	_ = run.View(bg, func(tx identity.Tx) error {
		old, _ := tx.Revoked("old")
		live, err := tx.Revoked("live")
		if old || !live || err != nil {
			t.Errorf("old %v, live %v, %v", old, live, err)
		}
		return nil
	})
}

// Generation moves with what decides who may do what, and with nothing else.
func TestGeneration(t *testing.T) {
	db := openCurrent(t)
	run := Runner[vault.Tx](db)
	moves := func(fn func(tx vault.Tx) error) bool {
		t.Helper()
		before := db.Generation()
		if err := run.Update(bg, fn); err != nil && !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		return db.Generation() != before
	}
	agent := identity.Agent{ID: id.New(), Org: id.New()}
	if !moves(func(tx vault.Tx) error { return tx.PutAgent(agent) }) {
		t.Error("an agent does not move it")
	}
	if moves(func(tx vault.Tx) error { return errors.Join(tx.PutAgent(agent), errStop) }) {
		t.Error("what was not committed moves it")
	}
	if moves(func(tx vault.Tx) error { return tx.PutOrg(identity.Org{ID: agent.Org}) }) {
		t.Error("an organisation's name moves it")
	}
}
