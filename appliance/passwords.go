package appliance

import "github.com/oneclaw/oneclawd/vault/identity"

// PasswordsConfig sets what a password, and the passphrase of a share, costs to
// check: Argon2id of RFC 9106, on one lane.
type PasswordsConfig struct {
	MemoryKiB   int `toml:"argon2_memory_kib" doc:"Memory to check one password, in KiB. Passwords kept at another cost still work, and are kept at this one from the next sign-in on."`
	Time        int `toml:"argon2_time" doc:"Passes over that memory."`
	Concurrency int `toml:"concurrency" doc:"Passwords checked at once; 56 times as many may wait, later ones are told to come back. 0 means half of the cores."`
}

func defaultPasswords() PasswordsConfig {
	return PasswordsConfig{MemoryKiB: identity.DefaultArgonMemoryKiB, Time: identity.DefaultArgonTime}
}

func (p PasswordsConfig) cost() identity.PasswordCost {
	return identity.PasswordCost{MemoryKiB: uint32(p.MemoryKiB), Time: uint32(p.Time), Concurrency: p.Concurrency}
}

// The least memory is the least that OWASP recommends, with five passes.
func (c Config) checkPasswords() error {
	switch p := c.Passwords; {
	case p.MemoryKiB < 7<<10 || p.MemoryKiB > 1<<20:
		return bad("passwords.argon2_memory_kib", "%d is not between 7168 and 1048576", p.MemoryKiB)
	case p.Time < 1 || p.Time > 64:
		return bad("passwords.argon2_time", "%d is not between 1 and 64", p.Time)
	case p.Concurrency < 0 || p.Concurrency > 64:
		return bad("passwords.concurrency", "%d is not between 0 and 64", p.Concurrency)
	}
	return nil
}
