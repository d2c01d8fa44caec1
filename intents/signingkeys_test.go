package intents_test

import (
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/evm/evmtest"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// A key in the HSM is used where a request names none, and its signatures are
// those of its address, whatever s the token makes.
func TestSigningKey(t *testing.T) {
	w := newWorld(t)
	var k intents.SigningKey
	w.logs("signing_key.create success", func() {
		var err error
		k, err = w.CreateSigningKey(w.ctx, w.owner, w.agent.ID, "Ethereum")
		w.ok(err)
	})
	if k.Version != 1 || !k.Active || k.Imported || k.Chain != "ethereum" {
		t.Fatalf("the key is %+v", k)
	}
	for range 8 {
		in := w.submit(pay("0.01"))
		tx, from, err := evmtest.ParseSigned(in.Last().Raw)
		w.ok(err)
		if from != k.Address || tx.To.String() != somebody {
			t.Fatalf("it was signed by %s, not by %s", from, k.Address)
		}
	}
	_, err := w.CreateSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum")
	w.is(err, intents.ErrKeyExists)

	soft := pay("0.01")
	soft.KeyPath = "keys/ethereum-signer"
	if in := w.submit(soft); in.From == k.Address {
		t.Fatal("the path that was asked for was not used")
	}

	next, err := w.RotateSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum")
	w.ok(err)
	if in := w.submit(pay("0.01")); in.From != next.Address || next.Address == k.Address || next.Version != 2 {
		t.Fatalf("after the rotation %s signs", in.From)
	}
	w.ok(w.DeactivateSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum"))
	if in := w.submit(pay("0.01")); in.From == next.Address {
		t.Fatal("a deactivated key signed")
	}
	all, err := w.SigningKeys(w.ctx, w.agent, w.agent.ID)
	w.ok(err)
	if len(all) != 2 || all[0].Active || all[1].Active {
		t.Fatalf("the keys are %+v", all)
	}
}

func TestSigningKeysAreForPeople(t *testing.T) {
	w := newWorld(t)
	_, err := w.CreateSigningKey(w.ctx, w.agent, w.agent.ID, "ethereum")
	w.is(err, intents.ErrDenied)
	_, err = w.ImportSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum", plain.FromString(testKey), false)
	w.is(err, intents.ErrReenter)
	_, err = w.ImportSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum", plain.FromString("0x00"), true)
	w.is(err, intents.ErrBadScalar)
	_, err = w.RotateSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum")
	w.is(err, intents.ErrKeyNotFound)
}

// An imported key is the one that was imported, and is called so.
func TestImportedKey(t *testing.T) {
	w := newWorld(t)
	before := w.submit(pay("0.01")) // the same key, as a secret
	k, err := w.ImportSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum", plain.FromString(testKey), true)
	w.ok(err)
	if !k.Imported || k.Address != before.From {
		t.Fatalf("the key is %+v", k)
	}
	if in := w.submit(pay("0.01")); in.From != before.From || in.Nonce != before.Nonce+1 {
		t.Fatalf("the account is another one: nonce %d after %d", in.Nonce, before.Nonce)
	}
}

// Which vault's key signs follows at once from what changes of vaults and policies: the
// oldest one in which the agent may use it.
func TestKeysOfSeveralVaults(t *testing.T) {
	w := newWorld(t)
	first := w.v
	from := func(p identity.Principal) (evm.Address, error) {
		out, err := w.Sign(w.ctx, p, p.ID, intents.Request{
			To: somebody, Value: "0", Chain: "ethereum", MaxFee: "2", Tip: "1", GasLimit: new(uint64(21000)),
		})
		return out.Intent.From, err
	}
	older, err := from(w.agent)
	w.ok(err)
	w.v, err = w.vaults.Create(w.ctx, w.owner, "more keys", "")
	w.ok(err)
	w.putKey("keys/ethereum-signer", "0x"+strings.Repeat("01", 32))
	second := w.newAgent() // may use that of the younger one only
	younger, err := from(second)
	w.ok(err)
	if again, err := from(w.agent); err != nil || again != older || younger == older {
		t.Fatalf("%s signed, not %s (%v)", again, older, err)
	}
	all, err := policy.ParsePattern("keys/**")
	w.ok(err)
	g, err := w.vaults.CreatePolicy(w.ctx, w.owner, first.ID, vault.Grant{Pattern: all, Principal: second.Policy(), Permissions: []policy.Permission{policy.Use}})
	w.ok(err)
	if got, err := from(second); err != nil || got != older {
		t.Fatalf("%s signed, not the key of the older vault (%v)", got, err)
	}
	w.ok(w.vaults.DeletePolicy(w.ctx, w.owner, first.ID, g.ID))
	if got, err := from(second); err != nil || got != younger {
		t.Fatalf("%s signed with a policy that was taken back (%v)", got, err)
	}
	w.ok(w.vaults.DeleteVault(w.ctx, w.owner, w.v.ID))
	_, err = from(second)
	w.is(err, vault.ErrNoSigningKey)
}
