package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"
)

// Argon2id parameters: the OWASP minimum, 19 MiB and two passes, about 45 ms
// on a slow core. They are written into each hash, so that they can grow.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16

	minPassword = 12
	maxPassword = 1024 // bytes; longer ones only cost us time
)

// hashing bounds how many Argon2 computations run at once, since each takes
// 19 MiB and a core: strangers can ask for them.
type hashing chan struct{}

func (h hashing) run(ctx context.Context, fn func()) error {
	select {
	case h <- struct{}{}:
		defer func() { <-h }()
		fn()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hashPassword returns the PHC string of an Argon2id hash.
func (s *Service) hashPassword(ctx context.Context, password string) (out string, err error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt)
	err = s.hashing.run(ctx, func() {
		sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
		b64 := base64.RawStdEncoding
		out = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
			argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(sum))
	})
	return out, err
}

// checkPassword compares in constant time. An empty hash costs as much as a
// real one and matches nothing, so that time does not tell who has an account.
func (s *Service) checkPassword(ctx context.Context, hash, password string) (ok bool, err error) {
	var (
		memory, passes uint32
		threads        uint8
		salt, want     []byte
	)
	parts := strings.Split(hash, "$")
	known := len(parts) == 6 && parts[1] == "argon2id"
	if known {
		_, scan := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads)
		salt, _ = base64.RawStdEncoding.DecodeString(parts[4])
		want, _ = base64.RawStdEncoding.DecodeString(parts[5])
		known = scan == nil && len(want) > 0
	}
	if !known {
		memory, passes, threads = argonMemory, argonTime, argonThreads
		salt, want = make([]byte, argonSalt), make([]byte, argonKey)
	}
	err = s.hashing.run(ctx, func() {
		got := argon2.IDKey([]byte(password), salt, passes, memory, threads, uint32(len(want)))
		ok = subtle.ConstantTimeCompare(got, want) == 1 && known
	})
	return ok, err
}

// CheckPasswordRule refuses a password that is short, of one kind of
// character, or made of runs ("aaa") and sequences ("abc", "321").
func CheckPasswordRule(password string) error {
	switch {
	case len([]rune(password)) < minPassword:
		return ErrPasswordRule.Detail("The password needs at least %d characters", minPassword)
	case len(password) > maxPassword:
		return ErrPasswordRule.Detail("The password may have at most %d bytes", maxPassword)
	}
	var upper, lower, digit, special bool
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsLower(r):
			lower = true
		case unicode.IsDigit(r):
			digit = true
		default:
			special = true
		}
	}
	if !upper || !lower || !digit || !special {
		return ErrPasswordRule.Detail("The password needs an upper-case letter, a lower-case letter, a digit and a special character")
	}
	return checkRuns([]rune(password))
}

func checkRuns(r []rune) error {
	for i := 2; i < len(r); i++ {
		if r[i-2] == r[i-1] && r[i-1] == r[i] {
			return ErrPasswordRule.Detail("The password must not repeat a character three times in a row")
		}
		a, b, c := unicode.ToLower(r[i-2]), unicode.ToLower(r[i-1]), unicode.ToLower(r[i])
		step := b - a
		plain := (unicode.IsLetter(a) || unicode.IsDigit(a)) && (unicode.IsLetter(c) || unicode.IsDigit(c))
		if plain && (step == 1 || step == -1) && c-b == step {
			return ErrPasswordRule.Detail("The password must not contain three characters in sequence, such as abc or 321")
		}
	}
	return nil
}
