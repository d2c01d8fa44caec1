package hsm

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// Errors of account keys.
var (
	// ErrNoAccounts is ErrUnsupported in the words for a module without AccountKeys.
	ErrNoAccounts = ErrUnsupported.Detail("this module keeps no account keys: they need an HSM that knows the curve secp256k1")
	// ErrNoAccountKey: a healthy token does not hold the key: it was destroyed, or
	// this is another token.
	ErrNoAccountKey = fault.New(fault.Unavailable, "hsm_no_account_key", "the HSM does not hold this account key")
	// ErrScalar: what was to be imported is not a private key of secp256k1.
	ErrScalar = fault.New(fault.Invalid, "account_key_invalid",
		"not a secp256k1 private key: that is 32 bytes, above zero and below the order of the curve")
)

// AccountKey is a key pair on secp256k1, the curve of EVM accounts, whose
// private half is in the token and cannot leave it.
type AccountKey struct {
	// Public is the uncompressed point of SEC 1: 4 ‖ X ‖ Y.
	Public [65]byte
	// Handle finds the private half again. It says nothing of what the key is for.
	Handle []byte
	// Imported reports whether the key was made elsewhere, where copies of it
	// may be.
	Imported bool
}

// AccountKeys is an ability of modules whose token knows secp256k1; Accounts
// asks a module for it. An account key exists once: no backup has it, and it
// ends with its token. All methods may be called at once from many goroutines.
type AccountKeys interface {
	// NewAccountKey makes a key in the token, where it stays until it is destroyed.
	// If the answer is lost, so is the key's handle: it takes up room for nothing.
	NewAccountKey(ctx context.Context) (AccountKey, error)

	// ImportAccountKey puts a private key of 32 bytes into the token, from where it
	// cannot be read again. No copy of scalar is kept; the caller wipes his own.
	// What is no key is ErrScalar.
	ImportAccountKey(ctx context.Context, scalar []byte) (AccountKey, error)

	// SignDigest returns the ECDSA signature r ‖ s of a digest as the token makes
	// it: s is high half of the time, and which of the possible public keys
	// it recovers to is not said. Both are for the caller to put right.
	//
	// A key that is not in the token is ErrNoAccountKey, one whose halves do not
	// belong together ErrAuthentic.
	SignDigest(ctx context.Context, key AccountKey, digest [32]byte) ([64]byte, error)

	// DestroyAccountKey removes the key from the token for good. One that is not
	// there is ErrNoAccountKey, so that what was interrupted can be done again.
	DestroyAccountKey(ctx context.Context, key AccountKey) error
}

// Accounts returns the account keys of m. Where m has none, each call of what is
// returned is ErrUnsupported.
func Accounts(m Module) AccountKeys {
	if keys, ok := m.(AccountKeys); ok {
		return keys
	}
	return noAccounts{}
}

// noAccounts is what a module without account keys answers.
type noAccounts struct{}

func (noAccounts) NewAccountKey(context.Context) (AccountKey, error) {
	return AccountKey{}, ErrNoAccounts
}

func (noAccounts) ImportAccountKey(context.Context, []byte) (AccountKey, error) {
	return AccountKey{}, ErrNoAccounts
}

func (noAccounts) SignDigest(context.Context, AccountKey, [32]byte) ([64]byte, error) {
	return [64]byte{}, ErrNoAccounts
}

func (noAccounts) DestroyAccountKey(context.Context, AccountKey) error { return ErrNoAccounts }

var _ AccountKeys = (*Gate)(nil)

// NewAccountKey implements AccountKeys.
func (g *Gate) NewAccountKey(ctx context.Context) (AccountKey, error) {
	m, err := g.behind()
	if err != nil {
		return AccountKey{}, err
	}
	return Accounts(m).NewAccountKey(ctx)
}

// ImportAccountKey implements AccountKeys.
func (g *Gate) ImportAccountKey(ctx context.Context, scalar []byte) (AccountKey, error) {
	m, err := g.behind()
	if err != nil {
		return AccountKey{}, err
	}
	return Accounts(m).ImportAccountKey(ctx, scalar)
}

// SignDigest implements AccountKeys.
func (g *Gate) SignDigest(ctx context.Context, key AccountKey, digest [32]byte) ([64]byte, error) {
	m, err := g.behind()
	if err != nil {
		return [64]byte{}, err
	}
	return Accounts(m).SignDigest(ctx, key, digest)
}

// DestroyAccountKey implements AccountKeys.
func (g *Gate) DestroyAccountKey(ctx context.Context, key AccountKey) error {
	m, err := g.behind()
	if err != nil {
		return err
	}
	return Accounts(m).DestroyAccountKey(ctx, key)
}
