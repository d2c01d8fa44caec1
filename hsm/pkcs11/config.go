package pkcs11

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// Defaults of Config.
const (
	DefaultSessions = 6
	DefaultHandles  = 1024
)

// Config says which token to use. Library or URI must name a library.
type Config struct {
	Library string      // absolute path of the PKCS#11 library
	Token   string      // token label
	URI     string      // RFC 7512; adds to Library and Token and must not contradict them
	PIN     plain.Bytes // user PIN; the URI's pin-source is read if it is empty

	// Sessions is how many calls the token serves at once, DefaultSessions if 0.
	// Concurrency hides the latency of network HSMs; with a software token more
	// sessions bring nothing. The token's own limit is respected.
	Sessions int
	// Handles bounds how many opened KEKs are kept, DefaultHandles if 0.
	Handles int
}

// target is a Config worked out: the library, what the token must look like,
// and the PIN.
type target struct {
	library  string
	token    URI
	pin      plain.Bytes
	sessions int
	handles  int
}

// resolve merges the fields and the URI.
func (c Config) resolve() (target, error) {
	t := target{library: c.Library, pin: c.PIN, sessions: c.Sessions, handles: c.Handles}
	if t.sessions <= 0 {
		t.sessions = DefaultSessions
	}
	if t.handles <= 0 {
		t.handles = DefaultHandles
	}
	if c.URI != "" {
		u, err := ParseURI(c.URI)
		if err != nil {
			return target{}, err
		}
		t.token = u
	}
	if c.Token != "" {
		if t.token.Token != "" && t.token.Token != c.Token {
			return target{}, errors.New("pkcs11: token and the URI name different tokens")
		}
		t.token.Token = c.Token
	}
	if err := t.resolveLibrary(); err != nil {
		return target{}, err
	}
	return t, t.resolvePIN()
}

// resolveLibrary decides on one library file and checks that it is there: the
// dynamic loader's own reason does not reach us.
func (t *target) resolveLibrary() error {
	path := t.token.ModulePath
	switch {
	case path == "" && t.library == "" && t.token.ModuleName != "":
		found, err := findModule(t.token.ModuleName)
		if err != nil {
			return err
		}
		t.library = found
	case path != "" && t.library != "" && path != t.library:
		return errors.New("pkcs11: library and the URI's module-path name different files")
	case t.library == "":
		t.library = path
	}
	if t.library == "" {
		return hsm.ErrUnavailable.Detail("no PKCS#11 library is configured; set its absolute path, or module-path in the URI")
	}
	if !filepath.IsAbs(t.library) {
		return hsm.ErrUnavailable.Detail("the PKCS#11 library %s must be given by its absolute path", filepath.Base(t.library))
	}
	if _, err := os.Stat(t.library); err != nil {
		return hsm.ErrUnavailable.Detail("PKCS#11 library %s is not there; install the HSM vendor's client package or correct the path",
			filepath.Base(t.library)).Because(err)
	}
	return nil
}

// moduleDirs are where distributions put PKCS#11 libraries.
var moduleDirs = []string{
	"/usr/lib/x86_64-linux-gnu/pkcs11", "/usr/lib/aarch64-linux-gnu/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11",
	"/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64",
	"/usr/lib", "/usr/local/lib", "/opt/homebrew/lib",
}

// findModule looks a module-name up: the file's name without "lib" and suffix.
func findModule(name string) (string, error) {
	if strings.ContainsAny(name, "/\x00") {
		return "", errors.New("pkcs11: module-name is a name, not a path; use module-path")
	}
	for _, dir := range moduleDirs {
		for _, file := range []string{name + ".so", "lib" + name + ".so", name + ".dylib", "lib" + name + ".dylib"} {
			if path := filepath.Join(dir, file); isFile(path) {
				return path, nil
			}
		}
	}
	return "", hsm.ErrUnavailable.Detail("no PKCS#11 library named %q is installed; give module-path instead", name)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

const maxPIN = 1024

// resolvePIN reads pin-source unless a PIN was given.
func (t *target) resolvePIN() error {
	if t.pin.Len() > 0 || t.token.PINSource == "" {
		return nil
	}
	raw, err := os.ReadFile(t.token.PINSource)
	if err != nil {
		return fmt.Errorf("pkcs11: reading pin-source: %w", err)
	}
	// Editors end files with a newline; a PIN does not.
	pin := strings.TrimRight(string(raw), "\r\n")
	clear(raw)
	if pin == "" || len(pin) > maxPIN || slices.Contains([]byte(pin), 0) {
		return errors.New("pkcs11: pin-source does not hold a PIN")
	}
	t.pin = plain.FromString(pin)
	return nil
}
