// Package local is an hsm.Module without an HSM, for laptops and tests: the root
// key is in a file beside the data and, while the module is open, in this
// process's memory.
//
// It keeps the same promises as a token where software can (authenticated
// wrapping, signing, an anchor) and says in Describe which one it cannot: the
// keys can be copied. It knows nothing of PKCS#11.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/lockmem"
	"github.com/oneclaw/oneclawd/hsm/soft"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// Names of the files in Config.Dir.
const (
	keyFile    = "root.key"
	anchorFile = "anchor"
)

// What the root key seals, told apart by version byte and AAD.
const (
	versionKEK    = 0x11
	versionAnchor = 0x12
)

var (
	aadKEK    = []byte("oneclawd local kek v1")
	aadAnchor = []byte("oneclawd local anchor v1")
)

var errClosed = hsm.ErrUnavailable.Detail("the key module is closed")

// Config says where the keys are.
type Config struct {
	// Dir holds the key file and the anchor. It is made if missing.
	Dir string
	// Passphrase protects the key file. Without one, the file's permissions are
	// its only protection. Open copies it; the caller may wipe it.
	Passphrase plain.Bytes
}

// Module implements hsm.Module with keys in memory.
type Module struct {
	dir    string
	secret plain.Bytes // the passphrase, until Init has used it

	arena *lockmem.Arena
	mu    sync.RWMutex // guards root, has, closed; held for reading by calls
	root  lockmem.Key
	has   bool // root is set
	done  bool

	anchorMu sync.Mutex // one SetAnchor at a time
}

var _ hsm.Module = (*Module)(nil)

// Open reads the key file. Where there is none, the module has no root key
// until Init makes it. A wrong passphrase is hsm.ErrWrongPIN.
func Open(cfg Config) (*Module, error) {
	if cfg.Dir == "" {
		return nil, errors.New("local keys: no directory is configured")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the key directory: %w", err)
	}
	arena, err := lockmem.New(1)
	if err != nil {
		return nil, err
	}
	m := &Module{dir: cfg.Dir, arena: arena, secret: plain.New(append([]byte(nil), cfg.Passphrase.Reveal()...))}
	err = m.load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = m.Close()
		return nil, err
	}
	return m, nil
}

// load reads the key file into the arena.
func (m *Module) load() error {
	key, err := readKeyFile(filepath.Join(m.dir, keyFile), m.secret)
	if err != nil {
		return err
	}
	root, err := m.arena.Put(key)
	if err != nil {
		return err
	}
	m.root, m.has = root, true
	m.secret.Wipe()
	return nil
}

// Describe implements hsm.Module.
func (m *Module) Describe() hsm.Description {
	d := hsm.Description{
		Kind: "local", Wrapping: "AES-GCM", Signing: "soft",
		Notes: []string{"not an HSM: keys are held in this process's memory and in a file"},
	}
	if !m.arena.Locked() {
		d.Notes = append(d.Notes, "memory could not be locked: the root key may be written to swap (raise RLIMIT_MEMLOCK)")
	}
	return d
}

// withRoot calls fn with the root key, unless the module has none or is closed.
func (m *Module) withRoot(fn func(root []byte) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	switch {
	case m.done:
		return errClosed
	case !m.has:
		return hsm.ErrNoRootKey
	}
	return m.root.Use(fn)
}

// Check implements hsm.Module. The key file must still be there: a machine that
// lost it works until the next start and not after, which is worth an alarm now.
func (m *Module) Check(context.Context) error {
	err := m.withRoot(func(root []byte) error {
		probe, err := soft.Wrap(root, []byte("check"), nil)
		if err != nil {
			return err
		}
		_, err = soft.Unwrap(root, probe, nil)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(m.dir, keyFile)); err != nil {
		return hsm.ErrUnavailable.Detail("the key file cannot be read").Because(err)
	}
	return nil
}

// Init implements hsm.Module.
func (m *Module) Init(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.done:
		return errClosed
	case m.has:
		return nil
	}
	key := make([]byte, soft.KeySize)
	defer clear(key)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	err := writeKeyFile(filepath.Join(m.dir, keyFile), key, m.secret)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Read back, also when another process was first: what is used is what the
	// next start will find.
	return m.load()
}

// NewKEK implements hsm.Module.
func (m *Module) NewKEK(context.Context) (hsm.KEK, error) {
	kek := make([]byte, soft.KeySize)
	defer clear(kek)
	if _, err := rand.Read(kek); err != nil {
		return nil, err
	}
	var out hsm.KEK
	err := m.withRoot(func(root []byte) (err error) {
		out, err = soft.Seal(versionKEK, root, kek, aadKEK)
		return err
	})
	return out, err
}

// openKEK returns the KEK in the clear; the caller wipes it.
func (m *Module) openKEK(kek hsm.KEK) (key []byte, err error) {
	err = m.withRoot(func(root []byte) (err error) {
		key, err = soft.Open(versionKEK, root, kek, aadKEK)
		return err
	})
	if err == nil && len(key) != soft.KeySize {
		return nil, hsm.ErrAuthentic
	}
	return key, err
}

// Wrap implements hsm.Module.
func (m *Module) Wrap(_ context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	if err := soft.CheckKey(key); err != nil {
		return nil, err
	}
	k, err := m.openKEK(kek)
	if err != nil {
		return nil, err
	}
	defer clear(k)
	return soft.Wrap(k, key, aad)
}

// Unwrap implements hsm.Module.
func (m *Module) Unwrap(_ context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	k, err := m.openKEK(kek)
	if err != nil {
		return nil, err
	}
	defer clear(k)
	return soft.Unwrap(k, wrapped, aad)
}

// NewSigningKey implements hsm.Module.
func (m *Module) NewSigningKey(ctx context.Context) (hsm.SigningKey, error) {
	return soft.NewSigningKey(ctx, m)
}

// Sign implements hsm.Module.
func (m *Module) Sign(ctx context.Context, key hsm.SigningKey, message []byte) ([]byte, error) {
	if err := soft.CheckMessage(message); err != nil {
		return nil, err
	}
	return soft.Sign(ctx, m, key, message)
}

// Close implements hsm.Module. It waits for calls that hold the root key.
func (m *Module) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = true
	m.secret.Wipe()
	return m.arena.Close()
}
