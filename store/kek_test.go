package store

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
)

// A vault's record from before there were generations is read as what it is, and
// one with them is not for an oneclawd that would drop the older KEKs.
func TestVaultRecordsOfVersion1(t *testing.T) {
	db := openCurrent(t)
	org, old := id.New(), id.New()
	was := table[json.RawMessage]{name: vaults.name, version: 1}
	text := json.RawMessage(`{"id":"` + old.String() + `","org":"` + org.String() + `","name":"v","kek":"a2Vr","creator":{"type":"user","id":"` + org.String() + `"},"created_at":"2026-03-02T12:00:00Z"}`)
	if err := db.update(bg, func(tx *Tx) error { return was.put(tx, pair(org, old), text) }); err != nil {
		t.Fatal(err)
	}
	var v vault.Vault
	if err := db.view(bg, func(tx *Tx) (err error) { v, _, err = tx.Vault(org, old); return err }); err != nil {
		t.Fatal(err)
	}
	k := v.Current()
	if k.Generation != 1 || k.Module != "" || string(k.Key) != "kek" || !k.MadeAt.Equal(v.CreatedAt) || len(v.Older) != 0 {
		t.Errorf("%+v", k)
	}
	v.Generation, v.Older = 2, []vault.KEK{k}
	if err := db.update(bg, func(tx *Tx) error { return tx.PutVault(v) }); err != nil {
		t.Fatal(err)
	}
	err := db.view(bg, func(tx *Tx) error { _, _, err := was.get(tx, pair(org, old)); return err })
	if err == nil {
		t.Error("an older oneclawd reads it")
	}
}

func TestAllVaults(t *testing.T) {
	db := openCurrent(t)
	run := Runner[vault.Tx](db)
	want := map[id.ID]bool{}
	err := run.Update(bg, func(tx vault.Tx) error {
		var errs []error
		for range 3 {
			org := id.New()
			for range 4 {
				v := vault.Vault{ID: id.New(), Org: org, KEK: hsm.KEK("k")}
				want[v.ID] = true
				errs = append(errs, tx.PutVault(v))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	for after := (vault.Vault{}); ; {
		var some []vault.Vault
		if err := run.View(bg, func(tx vault.Tx) (err error) { some, err = tx.AllVaults(after, 5); return err }); err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			break
		}
		for _, v := range some {
			if !want[v.ID] {
				t.Errorf("%s is unknown or listed twice", v.ID)
			}
			delete(want, v.ID)
		}
		after = some[len(some)-1]
	}
	if len(want) != 0 {
		t.Errorf("not listed: %v", want)
	}
}

func TestEnvelopesOfASecret(t *testing.T) {
	db := openCurrent(t)
	run := Runner[vault.Tx](db)
	one, two := id.New(), id.New()
	err := run.Update(bg, func(tx vault.Tx) error {
		var errs []error
		for _, n := range []uint32{1, 2, 5, 1 << 31, 1<<32 - 1} {
			errs = append(errs, tx.PutEnvelope(one, n, []byte{byte(n)}), tx.PutEnvelope(two, n, []byte("other")))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[uint32]int{0: 5, 1: 4, 3: 3, 1 << 31: 1, 1<<32 - 1: 0} {
		last, n := after, 0
		err := run.View(bg, func(tx vault.Tx) error {
			return tx.Envelopes(one, after, func(number uint32, sealed []byte) error {
				if number <= last || len(sealed) != 1 || sealed[0] != byte(number) {
					t.Errorf("after %d: %d is %x", after, number, sealed)
				}
				last, n = number, n+1
				return nil
			})
		})
		if err != nil || n != want {
			t.Errorf("after %d: %d, %v, want %d", after, n, err, want)
		}
	}
	stop := errors.New("stop")
	err = run.View(bg, func(tx vault.Tx) error {
		return tx.Envelopes(one, 0, func(uint32, []byte) error { return stop })
	})
	if !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}
