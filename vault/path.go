package vault

import "github.com/oneclaw/oneclawd/vault/policy"

// SecretPath is a path in its one canonical form. The zero value is no path.
type SecretPath struct{ s string }

// ParseSecretPath accepts exactly the canonical paths. Nothing is cleaned,
// folded or decoded: a second spelling of a path would be a second answer to
// who may read it.
func ParseSecretPath(s string) (SecretPath, error) {
	if !policy.CanonicalPath(s) {
		return SecretPath{}, ErrPath
	}
	return SecretPath{s}, nil
}

// String returns the path.
func (p SecretPath) String() string { return p.s }

// MarshalText implements encoding.TextMarshaler.
func (p SecretPath) MarshalText() ([]byte, error) { return []byte(p.s), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *SecretPath) UnmarshalText(b []byte) (err error) {
	*p, err = ParseSecretPath(string(b))
	return err
}
