package broker

import (
	"bytes"
	"context"
	"crypto/ed25519"

	"github.com/oneclaw/oneclawd/hsm"
)

// errReply is a reply that does not fit its request. The child is this binary,
// so it is a bug or an upgrade under way.
var errReply = hsm.ErrUnavailable.Because(errFrame)

// one returns the only field of a reply.
func one(f fields, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	field := f.next()
	if !f.done() {
		return nil, errReply
	}
	return field, nil
}

// Describe implements hsm.Module.
func (c *Client) Describe() hsm.Description { return *c.desc.Load() }

// Check implements hsm.Module.
func (c *Client) Check(ctx context.Context) error {
	_, err := one(c.call(ctx, c.cfg.CallTimeout, opCheck))
	return err
}

// Init implements hsm.Module.
func (c *Client) Init(ctx context.Context) error {
	f, err := c.call(ctx, c.cfg.SlowTimeout, opInit)
	if err != nil {
		return err
	}
	return c.described(f.rest)
}

// NewKEK implements hsm.Module.
func (c *Client) NewKEK(ctx context.Context) (hsm.KEK, error) {
	kek, err := one(c.call(ctx, c.cfg.CallTimeout, opNewKEK))
	return kek, err
}

// Wrap implements hsm.Module.
func (c *Client) Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	if err := fits(len(key), hsm.MaxKeySize, kek, aad); err != nil {
		return nil, err
	}
	return one(c.call(ctx, c.cfg.CallTimeout, opWrap, kek, key, aad))
}

// Unwrap implements hsm.Module.
func (c *Client) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	if len(wrapped) > 2*hsm.MaxKeySize {
		return nil, hsm.ErrAuthentic
	}
	if err := fits(1, 1, kek, aad); err != nil {
		return nil, err
	}
	return one(c.call(ctx, c.cfg.CallTimeout, opUnwrap, kek, wrapped, aad))
}

// NewSigningKey implements hsm.Module.
func (c *Client) NewSigningKey(ctx context.Context) (hsm.SigningKey, error) {
	f, err := c.call(ctx, c.cfg.SlowTimeout, opNewSigningKey)
	if err != nil {
		return hsm.SigningKey{}, err
	}
	public, handle, resident := f.next(), f.next(), f.next()
	if !f.done() || len(public) != ed25519.PublicKeySize || len(resident) != 1 {
		return hsm.SigningKey{}, errReply
	}
	return hsm.SigningKey{Public: public, Handle: bytes.Clone(handle), Resident: resident[0] == 1}, nil
}

// Sign implements hsm.Module.
func (c *Client) Sign(ctx context.Context, key hsm.SigningKey, message []byte) ([]byte, error) {
	if err := fits(len(message), hsm.MaxMessageSize, key.Public, key.Handle); err != nil {
		return nil, err
	}
	return one(c.call(ctx, c.cfg.CallTimeout, opSign, key.Public, key.Handle, message))
}

// Anchor implements hsm.Module.
func (c *Client) Anchor(ctx context.Context) ([]byte, error) {
	anchor, err := one(c.call(ctx, c.cfg.CallTimeout, opAnchor))
	if len(anchor) == 0 {
		return nil, err // an anchor is never empty
	}
	return anchor, err
}

// SetAnchor implements hsm.Module.
func (c *Client) SetAnchor(ctx context.Context, anchor []byte) error {
	if err := fits(len(anchor), hsm.MaxAnchorSize); err != nil {
		return err
	}
	_, err := one(c.call(ctx, c.cfg.CallTimeout, opSetAnchor, anchor))
	return err
}

// maxExtra bounds what goes with a key or a message: KEK, handle, AAD.
const maxExtra = 8 * 1024

// fits refuses what would not fit a frame, since the child would take the frame
// for damage and end the connection for everybody.
func fits(size, limit int, extra ...[]byte) error {
	for _, e := range extra {
		if len(e) > maxExtra {
			return hsm.ErrLimit.Detail("a KEK, key handle or AAD is at most %d bytes", maxExtra)
		}
	}
	if size > limit {
		return hsm.ErrLimit.Detail("%d bytes are over the HSM's limit of %d", size, limit)
	}
	return nil
}
