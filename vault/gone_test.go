package vault_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func limited(s string, n int64) vault.NewVersion {
	return vault.NewVersion{Value: plain.FromString(s), MaxAccess: &n}
}

func TestS6_Gone(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(w *world)
		want error
		kind fault.Kind
	}{
		{"never existed", func(*world) {}, vault.ErrSecretNotFound, fault.NotFound},
		{"expired", func(w *world) {
			v := value("x")
			v.ExpiresAt = ptr(clocktest.Noon.Add(time.Minute))
			w.putAs(w.alice, "a", v)
			w.Clock.Set(clocktest.Noon.Add(time.Minute))
		}, vault.ErrSecretExpired, fault.Gone},
		{"deleted", func(w *world) {
			w.put("a", "x")
			w.OK(w.DeleteSecret("a"))
		}, vault.ErrSecretDeleted, fault.Gone},
		{"exhausted", func(w *world) {
			w.putAs(w.alice, "a", limited("x", 1))
			w.wantValue(w.alice, "a", "x")
		}, vault.ErrSecretExhausted, fault.Gone},
		{"disabled", func(w *world) {
			w.put("a", "x")
			_, _, err := w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
			w.OK(err)
		}, vault.ErrVersionDisabled, fault.Gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.make(w)
			_, err := w.read(w.alice, "a")
			w.Is(err, c.want)
			storetest.Equal(t, "kind", fault.KindOf(err), c.kind)
			_, _, _, err = w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
			w.Is(err, c.want)
			storetest.Equal(t, "listed", w.paths(w.alice, ""), []string{})
		})
	}
}

func TestS6_ExpiryIsExact(t *testing.T) {
	w := newWorld(t)
	v := value("x")
	v.ExpiresAt = ptr(clocktest.Noon.Add(time.Minute))
	w.putAs(w.alice, "a", v)
	w.Clock.Set(clocktest.Noon.Add(time.Minute - 1))
	w.wantValue(w.alice, "a", "x")
	storetest.Equal(t, "listed", w.paths(w.alice, ""), []string{"a"})
	w.Clock.Set(clocktest.Noon.Add(time.Minute))
	_, err := w.read(w.alice, "a")
	w.Is(err, vault.ErrSecretExpired)
}

func TestS6_Delete(t *testing.T) {
	w := newWorld(t)
	w.Is(w.DeleteSecret("a"), vault.ErrSecretNotFound)
	w.put("a", "1")
	w.put("a", "2")
	w.OK(w.DeleteSecret("a"))
	w.Is(w.DeleteSecret("a"), vault.ErrSecretDeleted)
	for n := range uint32(3) {
		_, _, _, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), n+1)
		if n < 2 {
			w.Is(err, vault.ErrSecretDeleted)
		} else {
			w.Is(err, vault.ErrSecretNotFound)
		}
	}
	_, _, err := w.Versions(w.Ctx, w.alice, w.v.ID, w.path("a"))
	w.Is(err, vault.ErrSecretDeleted)
	_, _, err = w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	w.Is(err, vault.ErrSecretDeleted)
}

func TestS6_PutAfterDeleteContinues(t *testing.T) {
	w := newWorld(t)
	w.put("a", "1")
	w.put("a", "2")
	w.OK(w.DeleteSecret("a"))
	storetest.Equal(t, "numbering", w.put("a", "3").Latest.Number, 3)
	w.wantValue(w.alice, "a", "3")
	storetest.Equal(t, "listed", w.paths(w.alice, ""), []string{"a"})
}

func TestS7_ExactlyN(t *testing.T) {
	w := newWorld(t)
	const n, readers = 10, 64
	w.putAs(w.alice, "a", limited("x", n))
	var (
		good, spent atomic.Int32
		wg          sync.WaitGroup
		begin       = make(chan struct{})
		path        = w.path("a")
	)
	for range readers {
		wg.Go(func() {
			<-begin
			switch _, got, err := w.Read(w.Ctx, w.alice, w.v.ID, path); {
			case err == nil && string(got.Reveal()) == "x":
				good.Add(1)
			case fault.As(err) != nil && fault.As(err).Code == vault.ErrSecretExhausted.Code:
				spent.Add(1)
			default:
				t.Errorf("got %q, %v", got.Reveal(), err)
			}
		})
	}
	close(begin)
	wg.Wait()
	storetest.Equal(t, "reads", good.Load(), n)
	storetest.Equal(t, "refusals", spent.Load(), readers-n)
}

// Latest and numbered reads of one version draw on one count.
func TestS7_OneCountPerVersion(t *testing.T) {
	w := newWorld(t)
	w.putAs(w.alice, "a", limited("x", 2))
	w.wantValue(w.alice, "a", "x")
	_, ver, _, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	w.OK(err)
	storetest.Equal(t, "count", ver.Reads, 2)
	_, err = w.read(w.alice, "a")
	w.Is(err, vault.ErrSecretExhausted)

	w.putAs(w.alice, "a", limited("y", 1)) // resets
	w.wantValue(w.alice, "a", "y")
	_, err = w.read(w.alice, "a")
	w.Is(err, vault.ErrSecretExhausted)
	_, _, _, err = w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	w.Is(err, vault.ErrSecretExhausted) // the old one stays spent
}

func TestS7_OldVersionKeepsItsCount(t *testing.T) {
	w := newWorld(t)
	w.putAs(w.alice, "a", limited("x", 3))
	w.wantValue(w.alice, "a", "x")
	w.put("a", "y")
	for range 2 {
		_, _, got, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
		w.OK(err)
		storetest.Equal(t, "value", string(got.Reveal()), "x")
	}
	_, _, _, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	w.Is(err, vault.ErrSecretExhausted)
	w.wantValue(w.alice, "a", "y") // without limit
	w.wantValue(w.alice, "a", "y")
}

func TestS7_OnlyReadingCounts(t *testing.T) {
	w := newWorld(t)
	w.putAs(w.alice, "a", limited("x", 1))
	bob := w.user(w.org, "member")
	w.unchanged(func() {
		for range 3 {
			storetest.Equal(t, "listed", w.paths(w.alice, ""), []string{"a"})
			_, _, err := w.Versions(w.Ctx, w.alice, w.v.ID, w.path("a"))
			w.OK(err)
			_, err = w.read(bob, "a") // refused
			w.Is(err, policy.ErrInsufficient)
		}
	})
	w.wantValue(w.alice, "a", "x")
}

// A refusal that comes after the count check does not use a read up.
func TestS7_RefusedReadsDoNotCount(t *testing.T) {
	w := newWorld(t)
	one := int64(1)
	w.putAs(w.alice, "k", vault.NewVersion{Type: vault.TypeSSHKey, Value: plain.FromString("x"), MaxAccess: &one})
	bot := w.agent("**")
	bot.Intents = true
	w.grant(bot, "**", policy.Read)
	w.unchanged(func() {
		_, err := w.read(bot, "k")
		w.Is(err, vault.ErrSigningKey)
	})
	w.wantValue(w.alice, "k", "x")
}

func TestVersions(t *testing.T) {
	w := newWorld(t)
	for _, s := range []string{"1", "2", "3"} {
		w.put("a", s)
	}
	_, list, err := w.Versions(w.Ctx, w.alice, w.v.ID, w.path("a"))
	w.OK(err)
	storetest.Equal(t, "newest first", []uint32{list[0].Number, list[1].Number, list[2].Number}, []uint32{3, 2, 1})
	for n, want := range map[uint32]string{1: "1", 2: "2", 3: "3"} {
		sec, ver, got, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), n)
		w.OK(err)
		storetest.Equal(t, "value", string(got.Reveal()), want)
		storetest.Equal(t, "number", ver.Number, n)
		storetest.Equal(t, "latest", sec.Latest.Number, 3)
	}
	for _, n := range []uint32{0, 4, 1 << 31} {
		_, _, _, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), n)
		w.Is(err, vault.ErrSecretNotFound)
		_, _, err = w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), n)
		w.Is(err, vault.ErrSecretNotFound)
	}
	_, _, err = w.Versions(w.Ctx, w.alice, w.v.ID, w.path("b"))
	w.Is(err, vault.ErrSecretNotFound)
}

func TestDisableVersion(t *testing.T) {
	w := newWorld(t)
	w.put("a", "1")
	w.put("a", "2")
	_, first, err := w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	w.OK(err)
	w.Clock.Set(clocktest.Noon.Add(time.Hour))
	_, again, err := w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	w.OK(err)
	storetest.Equal(t, "keeps its time", again.DisabledAt, first.DisabledAt)
	_, _, _, err = w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 1)
	w.Is(err, vault.ErrVersionDisabled)
	w.wantValue(w.alice, "a", "2")

	_, _, err = w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 2)
	w.OK(err)
	_, err = w.read(w.alice, "a")
	w.Is(err, vault.ErrVersionDisabled) // no older version takes its place
	w.put("a", "3")
	w.wantValue(w.alice, "a", "3")
	_, _, _, err = w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), 2)
	w.Is(err, vault.ErrVersionDisabled)
}

// What was deleted stays deleted when the path is written again.
func TestS6_DeletedVersionsStayGone(t *testing.T) {
	w := newWorld(t)
	w.put("a", "one")
	w.put("a", "two")
	w.OK(w.Delete(w.Ctx, w.alice, w.v.ID, w.path("a")))
	w.put("a", "three")
	for number, want := range map[uint32]error{1: vault.ErrSecretDeleted, 2: vault.ErrSecretDeleted, 3: nil, 4: vault.ErrSecretNotFound} {
		_, _, _, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("a"), number)
		w.Is(err, want)
	}
	_, versions, err := w.Versions(w.Ctx, w.alice, w.v.ID, w.path("a"))
	w.OK(err)
	storetest.Equal(t, "versions", len(versions), 1)
}
