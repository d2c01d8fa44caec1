//go:build cgo

package pkcs11

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
	"github.com/oneclaw/oneclawd/internal/fault"
)

var (
	errClosed = hsm.ErrUnavailable.Detail("the HSM module is closed")
	errLost   = hsm.ErrUnavailable.Because(errors.New("the token was lost earlier; the module must be opened anew"))
)

// Module implements hsm.Module on one token.
type Module struct {
	lib    cryptoki
	target target
	at     slot
	mechs  map[uint]bool

	// idle holds the sessions nobody uses. A session belongs to one goroutine at
	// a time: two in one session crash the driver and the process with it. None
	// is closed before the module is, so that session objects, which die with
	// the session that made them, can be made in any of them.
	idle     chan p11.SessionHandle
	sessions int

	ring     atomic.Pointer[keyring] // nil until there is a root key
	signers  signers
	accounts accounts
	initMu   sync.Mutex // one Init at a time
	anchor   sync.Mutex // one SetAnchor at a time

	lost    atomic.Bool   // the token failed in a way that only reopening cures
	closing chan struct{} // closed by Close
	once    sync.Once
	closed  error
}

var _ hsm.Module = (*Module)(nil)

// keyring is what a root key is good for; there is one kind for AES and one for
// RSA root keys.
type keyring interface {
	newKEK(ctx context.Context) (hsm.KEK, error)
	wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error)
	unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error)
	// probe uses the root key in s and says whether it works. Its error knows the
	// call, but is no sentinel yet.
	probe(s p11.SessionHandle) error
	wrapping() string
	notes() []string
	close() error
}

// Open logs in to the token. A token without root key is fine, until something
// needs the key: Init makes it.
func Open(cfg Config) (*Module, error) {
	t, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	lib, err := load(t.library)
	if err != nil {
		return nil, err
	}
	return open(lib, t)
}

func open(lib cryptoki, t target) (*Module, error) {
	m, err := connect(lib, t)
	if err != nil || m.ring.Load() != nil {
		return m, err
	}
	// No root key. Before that is believed, look again with a driver that was
	// started anew: one that lost its token finds nothing and reports no error.
	if err := m.Close(); err != nil {
		return nil, err
	}
	return connect(lib, t)
}

// connect initialises the library, logs in and looks for the root key.
func connect(lib cryptoki, t target) (*Module, error) {
	if err := initialize(lib); err != nil {
		return nil, err
	}
	m := &Module{lib: lib, target: t, closing: make(chan struct{})}
	if err := m.start(); err != nil {
		_ = m.Close()
		return nil, err
	}
	return m, nil
}

func (m *Module) start() (err error) {
	if m.at, err = choose(m.lib, m.target.token); err != nil {
		return err
	}
	if m.mechs, err = mechanisms(m.lib, m.at.id); err != nil {
		return err
	}
	sessions, err := openSessions(m.lib, m.at, m.target.sessions)
	if err != nil {
		return err
	}
	if err := login(m.lib, sessions[0], m.at, m.target.pin.Reveal()); err != nil {
		return err
	}
	if err := m.startAccounts(sessions[0]); err != nil {
		return err
	}
	m.sessions = len(sessions)
	m.idle = make(chan p11.SessionHandle, len(sessions))
	for _, s := range sessions {
		m.idle <- s
	}
	err = m.findRoot(context.Background())
	if errors.Is(err, hsm.ErrNoRootKey) {
		return nil
	}
	return err
}

// session checks a session out; the caller must put it back.
func (m *Module) session(ctx context.Context) (p11.SessionHandle, error) {
	if m.lost.Load() {
		return 0, errLost
	}
	select {
	case <-m.closing:
		return 0, errClosed
	default:
	}
	select {
	case s := <-m.idle:
		return s, nil
	default:
	}
	select {
	case s := <-m.idle:
		return s, nil
	case <-m.closing:
		return 0, errClosed
	case <-ctx.Done():
		return 0, hsm.ErrUnavailable.Because(ctx.Err())
	}
}

func (m *Module) put(s p11.SessionHandle) { m.idle <- s }

// fail is failed, and marks the token as lost where that is what it means.
func (m *Module) fail(call string, err error) error {
	err = failed(call, err)
	if errors.Is(err, hsm.ErrUnavailable) && !isRV(err, p11.CKR_SESSION_COUNT) {
		m.lost.Store(true)
	}
	return err
}

// failOpening is fail for calls that open what came from outside: an ambiguous
// error is the data's fault if the root key works right after it.
func (m *Module) failOpening(s p11.SessionHandle, ring keyring, call string, err error) error {
	if ambiguous(err) && ring.probe(s) == nil {
		return hsm.ErrAuthentic.Because(called(call, err))
	}
	return m.fail(call, err)
}

// healthy reports whether the token answers. FindObjects on a token that has
// vanished succeeds and finds nothing, so that nothing may be concluded from an
// empty result without asking.
func (m *Module) healthy() error {
	_, err := m.lib.GetTokenInfo(m.at.id)
	return m.fail("C_GetTokenInfo", err)
}

// keys returns the keyring, or why there is none.
func (m *Module) keys(ctx context.Context) (keyring, error) {
	if m.lost.Load() {
		return nil, errLost
	}
	select {
	case <-m.closing:
		return nil, errClosed
	default:
	}
	if ring := m.ring.Load(); ring != nil {
		return *ring, nil
	}
	// Somebody else may have made the root key since.
	if err := m.findRoot(ctx); err != nil {
		return nil, err
	}
	return *m.ring.Load(), nil
}

// softHSM reports whether the token is SoftHSM's: a folder of files.
func (m *Module) softHSM() bool { return trim(m.at.info.ManufacturerID) == "SoftHSM project" }

// Describe implements hsm.Module.
func (m *Module) Describe() hsm.Description {
	d := hsm.Description{
		Kind: "pkcs11", HSM: true, Token: m.at.info.Label, Library: filepath.Base(m.target.library),
		Model: trim(m.at.info.ManufacturerID) + " " + trim(m.at.info.Model), Signing: "soft",
	}
	if m.signers.resident(m.mechs) {
		d.Signing = "resident"
	}
	if m.accounts.lacking == nil {
		d.Accounts = "resident"
	}
	if ring := m.ring.Load(); ring != nil {
		d.Wrapping, d.Notes = (*ring).wrapping(), (*ring).notes()
	}
	if m.softHSM() {
		d.Notes = append(d.Notes, "SoftHSM is a software token: its keys are files, protected by the PIN alone")
	}
	if d.Signing == "soft" {
		d.Notes = append(d.Notes, "the token has no Ed25519: signing keys are wrapped by it and used in the broker's memory")
	}
	if f := fault.As(m.accounts.lacking); f != nil {
		d.Notes = append(d.Notes, f.Msg)
	}
	return d
}

// Check implements hsm.Module.
func (m *Module) Check(ctx context.Context) error {
	ring, err := m.keys(ctx)
	if err != nil {
		return err
	}
	s, err := m.session(ctx)
	if err != nil {
		return err
	}
	defer m.put(s)
	return m.fail("probing the root key", ring.probe(s))
}

// NewKEK implements hsm.Module.
func (m *Module) NewKEK(ctx context.Context) (hsm.KEK, error) {
	ring, err := m.keys(ctx)
	if err != nil {
		return nil, err
	}
	return ring.newKEK(ctx)
}

// Wrap implements hsm.Module.
func (m *Module) Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	if err := soft.CheckKey(key); err != nil {
		return nil, err
	}
	ring, err := m.keys(ctx)
	if err != nil {
		return nil, err
	}
	return ring.wrap(ctx, kek, key, aad)
}

// Unwrap implements hsm.Module.
func (m *Module) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	ring, err := m.keys(ctx)
	if err != nil {
		return nil, err
	}
	return ring.unwrap(ctx, kek, wrapped, aad)
}

// closePatience is how long Close waits for calls that are in the driver.
const closePatience = 3 * time.Second

// Close implements hsm.Module. It waits for calls under way. If one hangs in the
// driver, the library is left as it is: C_Finalize under a running call is
// undefined.
func (m *Module) Close() error {
	m.once.Do(func() {
		close(m.closing)
		m.closed = m.shutdown()
	})
	return m.closed
}

func (m *Module) shutdown() error {
	patience := time.After(closePatience)
	for range m.sessions {
		select {
		case s := <-m.idle:
			_ = m.lib.CloseSession(s) // logs out with the last one
		case <-patience:
			return errors.New("pkcs11: a call hangs in the driver; the library was not finalised")
		}
	}
	var err error
	if ring := m.ring.Load(); ring != nil {
		err = (*ring).close()
	}
	if ferr := m.lib.Finalize(); ferr != nil && !m.lost.Load() {
		err = errors.Join(err, failed("C_Finalize", ferr))
	}
	return err
}
