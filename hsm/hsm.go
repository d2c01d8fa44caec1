// Package hsm is the contract between oneclawd and whatever keeps its keys.
//
// A Module owns one root key that never leaves it. Everything else hangs
// below: each vault has a KEK, an AES-256 key that the module makes and hands
// out wrapped under the root key, so that any number of vaults fits a token
// with room for few objects. A KEK is used only inside the module, to wrap
// and unwrap DEKs. Signing keys (JWT, audit checkpoints) live in the module
// where it has the mechanism. A token that knows secp256k1 also keeps account
// keys, which sign transactions: see AccountKeys.
//
// The Gate stands in front of a Module and stays closed until the appliance
// has decided that this machine may touch keys.
//
// The package knows nothing of vaults, secrets, files or HTTP.
package hsm

import (
	"context"
	"crypto/ed25519"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// Errors that every Module reports alike, whatever its driver calls them.
var (
	// ErrSealed: the gate is closed.
	ErrSealed = fault.New(fault.Sealed, "sealed", "the appliance is sealed: its keys are not open yet")
	// ErrUnavailable: the module cannot answer now; it may come back.
	ErrUnavailable = fault.New(fault.Unavailable, "hsm_unavailable", "the HSM does not answer; try again when /v1/health/hsm says ok")
	// ErrAuthentic: what was to be unwrapped is not what was wrapped (wrong
	// KEK, wrong AAD, damaged bytes).
	ErrAuthentic = fault.New(fault.Internal, "key_not_authentic", "a wrapped key does not open: it is damaged or belongs elsewhere")
	// ErrWrongPIN: the token refused the PIN. It is never tried again by itself,
	// since tokens lock after a few wrong tries.
	ErrWrongPIN = fault.New(fault.Unavailable, "hsm_wrong_pin", "the HSM refused the PIN")
	// ErrNoRootKey: a healthy module has no root key: it was never initialised,
	// or this is another token.
	ErrNoRootKey = fault.New(fault.Unavailable, "hsm_no_root_key", "the HSM holds no root key for this appliance")
	// ErrUnsupported: the module lacks the mechanism.
	ErrUnsupported = fault.New(fault.Unavailable, "hsm_unsupported", "the HSM does not offer this mechanism")
	// ErrFull: the token works, but has no room for another object. It is not
	// ErrUnavailable, which would make callers wait for a recovery.
	ErrFull = fault.New(fault.StorageFull, "hsm_full", "the HSM has no room for another key")
	// ErrLimit: what was to be wrapped, signed or stored is over one of the limits
	// below. It is the calling package's bug, hence internal.
	ErrLimit = fault.New(fault.Internal, "hsm_limit", "over a size limit of the HSM")
)

// KEK is a vault's key-encryption key as its module handed it out: wrapped
// under the root key, opaque, useless anywhere else.
type KEK []byte

// Limits on what a Module is asked to wrap and sign, in bytes. Nothing to wrap
// and an empty anchor are refused like too much.
const (
	MaxKeySize     = 1024      // key material per Wrap
	MaxMessageSize = 64 * 1024 // message per Sign
	MaxAnchorSize  = 4 * 1024  // anchor per SetAnchor
)

// SigningKey is an Ed25519 key pair whose private half only the module uses.
type SigningKey struct {
	Public ed25519.PublicKey
	// Handle finds the private half again: a token object's id, or, where the
	// token has no EdDSA, the private key wrapped under the root key.
	Handle []byte
	// Resident reports whether the private key was made in the token and can
	// never leave it.
	Resident bool
}

// Module keeps keys. All methods may be called at once from many goroutines.
// Errors wrap one of the sentinels above; anything else is an internal fault.
type Module interface {
	// Describe says what this module is. It does not touch the token.
	Describe() Description

	// Check proves, by a round trip, that the root key can be used now.
	Check(ctx context.Context) error

	// Init makes the root key if, and only if, a healthy token has none. It is
	// called when a new appliance is set up, never while serving.
	Init(ctx context.Context) error

	// NewKEK makes an AES-256 key inside the module.
	NewKEK(ctx context.Context) (KEK, error)

	// Wrap encrypts key under kek with AES-256-GCM and a fresh random nonce;
	// aad is authenticated, not stored. The result opens with Unwrap alone.
	Wrap(ctx context.Context, kek KEK, key, aad []byte) ([]byte, error)

	// Unwrap reverses Wrap. A mismatch of any part is ErrAuthentic.
	Unwrap(ctx context.Context, kek KEK, wrapped, aad []byte) ([]byte, error)

	// NewSigningKey makes an Ed25519 key pair.
	NewSigningKey(ctx context.Context) (SigningKey, error)

	// Sign signs message (not a digest of it) per RFC 8032 and returns 64 bytes.
	Sign(ctx context.Context, key SigningKey, message []byte) ([]byte, error)

	// Anchor returns the bytes last stored by SetAnchor, nil if none. They live
	// with the keys, so that a data file put back from an older copy disagrees
	// with them.
	Anchor(ctx context.Context) ([]byte, error)

	// SetAnchor replaces the anchor durably.
	SetAnchor(ctx context.Context, anchor []byte) error

	// Close wipes what it can and lets the token go.
	Close() error
}

// Description says what a module is, in words for people.
type Description struct {
	Kind     string   `json:"kind"`              // "pkcs11" or "local"
	HSM      bool     `json:"hsm"`               // keys are in a PKCS#11 token
	Token    string   `json:"token,omitempty"`   // token label
	Model    string   `json:"model,omitempty"`   // manufacturer and model, as the token says
	Library  string   `json:"library,omitempty"` // base name of the PKCS#11 library
	Wrapping string   `json:"wrapping"`          // how the root key wraps KEKs: "AES-KEY-WRAP-PAD", "RSA-OAEP", "AES-GCM"
	Signing  string   `json:"signing"`           // "resident" or "soft"
	Accounts string   `json:"accounts"`          // "resident", or "" where there are no AccountKeys
	Notes    []string `json:"notes,omitempty"`   // what an operator must know, worst first
}
