package vault_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// together runs fn n times at once and waits.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			fn(i)
		})
	}
	close(begin)
	wg.Wait()
}

// wantNumbers wants versions 1 to n, each with the value that its writer was
// told of.
func (w *world) wantNumbers(path string, written map[uint32]string) {
	w.Helper()
	for n := range uint32(len(written)) {
		want, ok := written[n+1]
		if !ok {
			w.Fatalf("version %d is missing in %v", n+1, written)
		}
		_, _, got, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path(path), n+1)
		w.OK(err)
		storetest.Equal(w, fmt.Sprint("version ", n+1), string(got.Reveal()), want)
	}
}

func TestS3_ConcurrentWriters(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	written := map[uint32]string{}
	path := w.path("a")
	together(32, func(i int) {
		text := fmt.Sprint("value ", i)
		sec, err := w.Put(w.Ctx, w.alice, w.v.ID, path, value(text))
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		written[sec.Latest.Number] = text
	})
	storetest.Equal(t, "versions", len(written), 32)
	w.wantNumbers("a", written)
}

// Writers that share no lock, as those of another Service: a number that was
// taken meanwhile is not taken twice, and the value is sealed for its own.
func TestS3_WritersOfTwoServices(t *testing.T) {
	w := newWorld(t)
	second := vault.New(w.faults, w.gate, w.Clock.Now)
	written := map[uint32]string{1: "", 2: "first", 3: "second"}
	written[1] = "zero"
	w.put("a", "zero")
	w.faults.slip(func() {
		_, err := second.Put(w.Ctx, w.alice, w.v.ID, w.path("a"), value("first"))
		w.OK(err)
	})
	sec := w.put("a", "second")
	storetest.Equal(t, "number", sec.Latest.Number, 3)
	w.wantNumbers("a", written)

	// The same where the path did not exist: one identifier wins.
	w.faults.slip(func() {
		_, err := second.Put(w.Ctx, w.alice, w.v.ID, w.path("b"), value("first"))
		w.OK(err)
	})
	sec = w.put("b", "second")
	storetest.Equal(t, "number", sec.Latest.Number, 2)
	w.wantNumbers("b", map[uint32]string{1: "first", 2: "second"})
	w.wantValue(w.alice, "b", "second")
}

// What changes between the two looks at the rules counts: the later decides.
func TestJ4_DecidedAgainAfterSealing(t *testing.T) {
	for _, c := range []struct {
		name string
		slip func(w *world, pol policy.Policy)
		want *fault.Error
	}{
		{"policy taken away", func(w *world, pol policy.Policy) { w.OK(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, pol.ID)) }, policy.ErrInsufficient},
		{"vault deleted", func(w *world, _ policy.Policy) { w.OK(w.DeleteVault(w.Ctx, w.alice, w.v.ID)) }, vault.ErrVaultNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			bob := w.user(w.org, "member")
			pol := w.grant(bob, "**", policy.Write)
			w.faults.slip(func() { c.slip(w, pol) })
			_, err := w.Put(w.Ctx, bob, w.v.ID, w.path("a"), value("x"))
			w.Is(err, c.want)
			_, err = w.read(w.alice, "a")
			if err == nil {
				t.Error("it was written")
			}
		})
	}
}

// The other way round: a refusal that no longer holds is not given.
func TestJ4_GrantedWhileDeciding(t *testing.T) {
	w := newWorld(t)
	bob := w.user(w.org, "member")
	w.faults.slip(func() { w.grant(bob, "**", policy.Write) })
	_, err := w.Put(w.Ctx, bob, w.v.ID, w.path("a"), value("x"))
	w.OK(err)
	w.wantValue(w.alice, "a", "x")
}

// After a revocation was answered no read goes through, and until it was asked
// for every one does.
func TestO1_RevokedWhileReading(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	bob := w.user(w.org, "member")
	pol := w.grant(bob, "**", policy.Read)
	var asked, answered atomic.Bool
	path := w.path("a")
	together(9, func(i int) {
		if i == 0 {
			asked.Store(true)
			if err := w.DeletePolicy(w.Ctx, w.alice, w.v.ID, pol.ID); err != nil {
				t.Error(err)
			}
			answered.Store(true)
			return
		}
		for range 200 {
			before, late := asked.Load(), answered.Load()
			_, _, err := w.Read(w.Ctx, bob, w.v.ID, path)
			switch {
			case err == nil && late:
				t.Error("a read after the revocation was answered")
			case err != nil && !before && !asked.Load():
				t.Errorf("refused before the revocation: %v", err)
			case err != nil && !errors.Is(err, policy.ErrInsufficient):
				t.Error(err)
			}
			if late {
				return
			}
		}
	})
}

// Deleting a vault while others write leaves nothing behind.
func TestV6_DeletedWhileWriting(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var secrets []vault.Secret
	midway := make(chan struct{})
	together(9, func(i int) {
		if i == 0 {
			<-midway
			if err := w.DeleteVault(w.Ctx, w.alice, w.v.ID); err != nil {
				t.Error(err)
			}
			return
		}
		for n := range 20 {
			path, _ := vault.ParseSecretPath(fmt.Sprint("p", i, "/", n))
			sec, err := w.Put(w.Ctx, w.alice, w.v.ID, path, value("x"))
			if err != nil {
				if !errors.Is(err, vault.ErrVaultNotFound) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			if secrets = append(secrets, sec); len(secrets) == 40 {
				close(midway)
			}
			mu.Unlock()
		}
	})
	w.nothingLeft(secrets)
}

// Grants of one principal in one vault are one record: none is lost.
func TestO1_ConcurrentGrants(t *testing.T) {
	w := newWorld(t)
	bob := w.user(w.org, "member")
	g := w.readGrant(bob)
	ids := make([]id.ID, 16)
	together(16, func(i int) {
		pol, err := w.CreatePolicy(w.Ctx, w.alice, w.v.ID, g)
		if err != nil {
			t.Error(err)
		}
		ids[i] = pol.ID
	})
	together(8, func(i int) {
		if err := w.DeletePolicy(w.Ctx, w.alice, w.v.ID, ids[i]); err != nil {
			t.Error(err)
		}
	})
	list, err := w.Policies(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	storetest.Equal(t, "left", len(list), 8)
	for _, p := range list {
		if !slices.Contains(ids[8:], p.ID) {
			t.Errorf("%s was deleted and is there", p.ID)
		}
	}
}

// Deposits made at once make one vault, and one version each.
func TestA3_ConcurrentDeposits(t *testing.T) {
	w := newWorld(t)
	var stored atomic.Int32
	path := w.path("agents/" + someAgent.String())
	together(16, func(int) {
		for range 50 {
			d, err := w.SealAgentKeys(w.Ctx, w.owner, someAgent, map[vault.SecretPath]plain.Bytes{path: plain.FromString("k")})
			if err != nil {
				t.Error(err)
				return
			}
			var ok bool
			if err = w.faults.Update(w.Ctx, func(tx vault.Tx) (err error) { ok, err = d.Store(w.Ctx, tx, w.owner); return err }); err != nil {
				t.Error(err)
				return
			}
			if ok {
				stored.Add(1)
				return
			}
		}
	})
	list, err := w.Vaults(w.Ctx, w.owner)
	w.OK(err)
	storetest.Equal(t, "vaults", names(list), []string{"payments", vault.AgentKeysName})
	keys := list[1]
	_, versions, err := w.Versions(w.Ctx, w.owner, keys.ID, path)
	w.OK(err)
	storetest.Equal(t, "versions", len(versions), int(stored.Load()))
}
