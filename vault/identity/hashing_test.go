package identity_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// cheap is a cost for tests; nobody should keep passwords at it.
var cheap = identity.PasswordCost{MemoryKiB: 64, Time: 1, Concurrency: 2}

func TestAHashOutlivesItsCost(t *testing.T) {
	cost := func(c identity.PasswordCost) *identity.Service { return identity.New(identity.Config{Passwords: c}) }
	now := cost(cheap)
	for name, c := range map[string]struct {
		identity.PasswordCost
		outdated bool
	}{
		"the same":         {cheap, false},
		"more at once":     {identity.PasswordCost{MemoryKiB: 64, Time: 1, Concurrency: 7}, false},
		"more memory":      {identity.PasswordCost{MemoryKiB: 128, Time: 1}, true},
		"more passes":      {identity.PasswordCost{MemoryKiB: 64, Time: 3}, true},
		"what it is unset": {identity.PasswordCost{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			hash, err := cost(c.PasswordCost).HashPassword(t.Context(), password)
			if err != nil {
				t.Fatal(err)
			}
			right, err := now.CheckPassword(t.Context(), hash, password)
			wrong, err2 := now.CheckPassword(t.Context(), hash, password+"x")
			if err != nil || err2 != nil || !right || wrong {
				t.Errorf("right %v, wrong %v, errors %v and %v", right, wrong, err, err2)
			}
			if got := now.OutdatedHash(hash); got != c.outdated {
				t.Errorf("outdated: %v", got)
			}
		})
	}
	for _, none := range []string{"", "x", "$argon2id$v=19$m=64,t=0,p=1$AAAA$AAAA", "$argon2id$v=19$m=64,t=1,p=0$AAAA$AAAA", "$argon2id$v=19$m=64,t=1,p=1$AAAA$"} {
		if ok, err := now.CheckPassword(t.Context(), none, password); ok || err != nil || now.OutdatedHash(none) {
			t.Errorf("%q: %v, %v", none, ok, err)
		}
	}
}

// TestTooManyPasswords: who would wait too long is told so at once, and who
// leaves makes room.
func TestTooManyPasswords(t *testing.T) {
	s := identity.New(identity.Config{Passwords: identity.PasswordCost{MemoryKiB: 32 << 10, Time: 8, Concurrency: 1}})
	leave, stay := context.WithCancel(t.Context())
	defer stay()
	refused := make(chan error, 400)
	var all sync.WaitGroup
	for range 400 { // far more than can be hashed while they come
		all.Go(func() {
			if _, err := s.CheckPassword(leave, "", password); err != nil && !errors.Is(err, context.Canceled) {
				refused <- err
				stay()
			}
		})
	}
	all.Wait()
	close(refused)
	n := 0
	for err := range refused {
		if n++; !errors.Is(err, identity.ErrBusy) || fault.As(err).RetryAfter < time.Second {
			t.Errorf("got %v", err)
		}
	}
	if n == 0 {
		t.Error("nobody was refused")
	}
	if _, err := s.CheckPassword(t.Context(), "", password); err != nil {
		t.Errorf("once all have left: %v", err)
	}
}
