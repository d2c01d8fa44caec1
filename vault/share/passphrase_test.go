package share_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/share"
)

const passphrase = "CANARY-phrase-90ab12"

func locked(o *share.Offer) { o.Passphrase = ptr(plain.FromString(passphrase)) }

func TestR5_Passphrase(t *testing.T) {
	w := newWorld(t)
	s := w.made(locked)
	if !strings.HasPrefix(s.Passphrase, "$argon2id$") {
		t.Errorf("kept as %q", s.Passphrase)
	}
	w.Logs("share.access refused wrong_passphrase", func() { w.refuses(nobody, s, share.ErrPassphrase) })
	if w.hashes.Load() != 0 {
		t.Error("nothing was compared with the hash")
	}
	for _, wrong := range []string{"x", passphrase + " ", passphrase[:5], strings.Repeat("x", 2000)} {
		w.Logs("share.access refused wrong_passphrase", func() {
			got, err := w.open(nobody, s, wrong)
			w.Is(err, share.ErrPassphrase)
			if got != "" {
				t.Errorf("opened: %s", got)
			}
		})
	}
	if got, err := w.open(nobody, s, passphrase); err != nil || got != secretValue {
		t.Errorf("%q, %v", got, err)
	}
	if now, _ := w.record(s); now.Accesses != 1 || now.Guesses != 4 {
		t.Errorf("%d accesses, %d guesses", now.Accesses, now.Guesses)
	}
	w.opens(nobody, w.made(nil))
	if got, err := w.open(nobody, w.made(nil), "not needed"); err != nil || got != secretValue {
		t.Errorf("%q, %v", got, err)
	}
}

// Who may not share makes no work.
func TestR5_OnlyWhatIsSharedIsHashed(t *testing.T) {
	w := newWorld(t)
	for _, p := range []identity.Principal{w.bob, w.owner, w.foreign} {
		_, err := w.Create(w.Ctx, p, w.offer(locked))
		if err == nil || w.hashed.Load() != 0 {
			t.Errorf("%v, %d hashes", err, w.hashed.Load())
		}
	}
	for range 12 {
		_, _ = w.Create(w.Ctx, w.alice, w.offer(locked))
	}
	if n := w.hashed.Load(); n != 10 {
		t.Errorf("%d hashes for 10 shares", n)
	}
}

// Only who could open the share with the passphrase may guess.
func TestR5_NobodyElseGuesses(t *testing.T) {
	w := newWorld(t)
	s := w.made(func(o *share.Offer) { locked(o); to(w.bob)(o) })
	for range 20 {
		_, err := w.open(w.foreign, s, "x")
		w.Is(err, share.ErrNotRecipient)
		_, err = w.open(w.bob, s, "x")
		w.Is(err, share.ErrNotAccepted)
	}
	w.OK(w.Accept(w.Ctx, w.bob, s.ID))
	if w.hashes.Load() != 0 {
		t.Errorf("%d hashes were computed for strangers", w.hashes.Load())
	}
	if _, err := w.open(w.bob, s, passphrase); err != nil {
		t.Error(err)
	}
}

func TestR5_BruteForce(t *testing.T) {
	w := newWorld(t)
	s := w.made(locked)
	guess := func(p string) error { _, err := w.open(nobody, s, p); return err }
	for i := range 5 {
		w.Is(guess(fmt.Sprint("no ", i)), share.ErrPassphrase)
	}
	delay := time.Second
	for range 20 {
		before := w.hashes.Load()
		w.Logs("share.access refused too_many_guesses", func() {
			err := guess("x")
			w.Is(err, share.ErrGuesses)
			if f := fault.As(err); f.Kind != fault.RateLimited || f.RetryAfter != delay {
				t.Fatalf("wait %v, want %v", f.RetryAfter, delay)
			}
		})
		w.Is(guess(passphrase), share.ErrGuesses) // the right one too: else it would be a guess
		w.Is(guess(""), share.ErrPassphrase)
		w.restart() // forgets nothing
		w.Clock.Add(delay - time.Nanosecond)
		w.Is(guess("x"), share.ErrGuesses)
		if w.hashes.Load() != before {
			t.Fatal("a guess was looked at too early")
		}
		w.Clock.Add(time.Nanosecond)
		w.Is(guess("x"), share.ErrPassphrase)
		delay = min(2*delay, time.Hour)
	}
	w.Clock.Add(delay)
	if got, err := w.open(nobody, s, passphrase); err != nil || got != secretValue {
		t.Errorf("%q, %v", got, err)
	}
}

// Many guesses at once are worth no more than one after the other.
func TestR5_GuessesTakeTurns(t *testing.T) {
	w := newWorld(t)
	s := w.made(locked)
	var wg sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.open(nobody, s, fmt.Sprint("guess ", i)) })
	}
	wg.Wait()
	wrong, later := 0, 0
	for _, err := range errs {
		switch {
		case errors.Is(err, share.ErrPassphrase):
			wrong++
		case errors.Is(err, share.ErrGuesses):
			later++
		default:
			t.Error(err)
		}
	}
	if wrong != 5 || later != 59 || w.hashes.Load() != 5 {
		t.Errorf("%d wrong, %d too early, %d hashes", wrong, later, w.hashes.Load())
	}
}

// TestCanary looks for the value, the passphrase and the address where they do
// not belong.
func TestCanary(t *testing.T) {
	w := newWorld(t)
	const address = "canary-1d2e@example.com"
	s := w.made(func(o *share.Offer) { locked(o); o.Type, o.Email = share.ToEmail, address })
	link := w.made(locked)
	_, err1 := w.open(nobody, link, "CANARY-guess-77")
	_, err2 := w.open(nobody, s, passphrase)
	got, err := w.Access(w.Ctx, nobody, link.ID, plain.FromString(passphrase))
	w.OK(err)
	_, err3 := w.Create(w.Ctx, w.bob, w.offer(locked))
	raw, err := json.Marshal(got)
	w.OK(err)
	offer := w.offer(locked)
	out := fmt.Sprintf("%v %+v %#v %s %v %v %v %+v", got, got, got, raw, err1, err2, err3, offer)
	for _, text := range []string{secretValue, passphrase, "CANARY"} {
		if strings.Contains(out, text) || w.logHas(text) {
			t.Errorf("%s shows:\n%s", text, out)
		}
	}
	if w.logHas(address) || w.logHas("argon2id") {
		t.Error("the address or the hash is in the audit log")
	}
}
