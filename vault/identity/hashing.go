package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// Argon2id (RFC 9106) as it is unless an operator says otherwise: the OWASP
// minimum, 19 MiB and two passes, about 45 ms on a slow core.
const (
	DefaultArgonMemoryKiB = 19 * 1024
	DefaultArgonTime      = 2

	argonThreads = 1
	argonKey     = 32 // bytes
	argonSalt    = 16 // bytes

	// hashesWaiting is how many may wait for each one that is computed: about
	// five seconds of work and rest. Who comes later would only wait for nothing.
	hashesWaiting = 56
	hashesRetry   = 5 * time.Second
)

// PasswordCost is what a password costs to hash. It is written into each hash,
// so that another one locks nobody out. Zero fields are the defaults.
type PasswordCost struct {
	MemoryKiB   uint32 // of one computation; DefaultArgonMemoryKiB
	Time        uint32 // passes over it; DefaultArgonTime
	Concurrency int    // computations at once; half of the cores, at least one
}

func (c PasswordCost) orDefaults() PasswordCost {
	if c.MemoryKiB == 0 {
		c.MemoryKiB = DefaultArgonMemoryKiB
	}
	if c.Time == 0 {
		c.Time = DefaultArgonTime
	}
	if c.Concurrency == 0 {
		c.Concurrency = max(1, runtime.GOMAXPROCS(0)/2)
	}
	return c
}

// hashing bounds how many Argon2 computations run at once and how many wait
// for their turn, since strangers can ask for them: the former take memory and
// a core each, the latter keep honest people waiting.
type hashing struct {
	cost  PasswordCost
	slots chan struct{}
	in    atomic.Int64 // running or waiting
}

func newHashing(c PasswordCost) *hashing {
	c = c.orDefaults()
	return &hashing{cost: c, slots: make(chan struct{}, c.Concurrency)}
}

// run calls fn when it is its turn. It is ErrBusy at once where too many wait.
func (h *hashing) run(ctx context.Context, fn func()) error {
	defer h.in.Add(-1)
	if h.in.Add(1) > int64(h.cost.Concurrency*(1+hashesWaiting)) {
		return ErrBusy.After(hashesRetry)
	}
	select {
	case h.slots <- struct{}{}:
		defer h.rest(time.Now())
		fn()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rest gives a slot back. While others wait it stays empty for twice as long as it
// was used, so that a flood leaves most of the processors, and of the collector of
// garbage, to requests that are worth more.
func (h *hashing) rest(began time.Time) {
	release := func() { <-h.slots }
	if h.in.Load() > 1 {
		time.AfterFunc(2*time.Since(began), release)
		return
	}
	release()
}

// argonHash is a PHC string, taken apart.
type argonHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// parseArgon reads what String wrote; anything else is not ok.
func parseArgon(text string) (a argonHash, ok bool) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return a, false
	}
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads)
	a.salt, _ = base64.RawStdEncoding.DecodeString(parts[4])
	a.key, _ = base64.RawStdEncoding.DecodeString(parts[5])
	return a, err == nil && a.time > 0 && a.threads > 0 && len(a.key) > 0
}

// String implements fmt.Stringer.
func (a argonHash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", a.memory, a.time, a.threads, b64.EncodeToString(a.salt), b64.EncodeToString(a.key))
}

func (a argonHash) of(password string) []byte {
	return argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.threads, argonKey)
}

// fresh is a hash of today's cost, not computed yet.
func (h *hashing) fresh() argonHash {
	a := argonHash{memory: h.cost.MemoryKiB, time: h.cost.Time, threads: argonThreads, salt: make([]byte, argonSalt)}
	_, _ = rand.Read(a.salt) // never fails, see crypto/rand
	return a
}

// HashPassword returns the PHC string of an Argon2id hash, which is what is
// kept of a password. The rule for passwords is CheckPasswordRule's to apply.
// It is ErrBusy where too many wait already.
func (s *Service) HashPassword(ctx context.Context, password string) (out string, err error) {
	a := s.hashing.fresh()
	err = s.hashing.run(ctx, func() {
		a.key = a.of(password)
		out = a.String()
	})
	return out, err
}

// CheckPassword reports, in constant time, whether a password is the one that
// was hashed, at whatever cost. An empty hash costs as much as a new one and
// matches nothing, so that time does not tell who has an account. It is ErrBusy
// where too many wait already.
func (s *Service) CheckPassword(ctx context.Context, hash, password string) (ok bool, err error) {
	a, known := parseArgon(hash)
	if !known {
		a = s.hashing.fresh()
	}
	err = s.hashing.run(ctx, func() {
		ok = subtle.ConstantTimeCompare(a.of(password), a.key) == 1 && known
	})
	return ok, err
}

// OutdatedHash reports whether a hash was made at another cost than today's.
func (s *Service) OutdatedHash(hash string) bool {
	a, known := parseArgon(hash)
	return known && (a.memory != s.hashing.cost.MemoryKiB || a.time != s.hashing.cost.Time || a.threads != argonThreads)
}
