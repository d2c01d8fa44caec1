package broker

import (
	"bytes"
	"context"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

var _ hsm.AccountKeys = (*Client)(nil)

// defaultTurns is how many account calls are made at once if it is not known how
// many sessions there are.
const defaultTurns = 3

// turns makes the places for account calls: half of the token's sessions. The
// other half is always left to those who read secrets, however many
// transactions there are to sign and however slow the token is at it.
func turns(sessions int) chan struct{} {
	if sessions <= 0 {
		return make(chan struct{}, defaultTurns)
	}
	return make(chan struct{}, max(sessions/2, 1))
}

// account makes one account call. ctx is for the wait before it. What was sent is
// waited for: it takes up a session until the child answers, and a key that was
// made while nobody listened would be lost.
func (c *Client) account(ctx context.Context, patience time.Duration, what op, parts ...[]byte) (fields, error) {
	if c.Describe().Accounts == "" {
		return fields{}, hsm.ErrNoAccounts
	}
	select {
	case c.turns <- struct{}{}:
	case <-ctx.Done():
		return fields{}, hsm.ErrUnavailable.Because(ctx.Err())
	}
	defer func() { <-c.turns }()
	return c.call(context.WithoutCancel(ctx), patience, what, parts...)
}

// NewAccountKey implements hsm.AccountKeys.
func (c *Client) NewAccountKey(ctx context.Context) (hsm.AccountKey, error) {
	return accountReply(c.account(ctx, c.cfg.SlowTimeout, opNewAccountKey))
}

// ImportAccountKey implements hsm.AccountKeys.
func (c *Client) ImportAccountKey(ctx context.Context, scalar []byte) (hsm.AccountKey, error) {
	if len(scalar) != 32 {
		return hsm.AccountKey{}, hsm.ErrScalar
	}
	return accountReply(c.account(ctx, c.cfg.SlowTimeout, opImportAccountKey, scalar))
}

// SignDigest implements hsm.AccountKeys.
func (c *Client) SignDigest(ctx context.Context, key hsm.AccountKey, digest [32]byte) (sig [64]byte, err error) {
	if err := fits(1, 1, key.Handle); err != nil {
		return sig, err
	}
	raw, err := one(c.account(ctx, c.cfg.CallTimeout, opSignDigest, key.Public[:], key.Handle, digest[:]))
	switch {
	case err != nil:
		return sig, err
	case len(raw) != len(sig):
		return sig, errReply
	}
	return [64]byte(raw), nil
}

// DestroyAccountKey implements hsm.AccountKeys.
func (c *Client) DestroyAccountKey(ctx context.Context, key hsm.AccountKey) error {
	if err := fits(1, 1, key.Handle); err != nil {
		return err
	}
	_, err := one(c.account(ctx, c.cfg.CallTimeout, opDestroyAccountKey, key.Public[:], key.Handle))
	return err
}

// accountReply reads a reply that is a key.
func accountReply(f fields, err error) (key hsm.AccountKey, _ error) {
	if err != nil {
		return key, err
	}
	public, handle, imported := f.next(), f.next(), f.next()
	if !f.done() || len(public) != len(key.Public) || len(imported) != 1 {
		return key, errReply
	}
	return hsm.AccountKey{Public: [65]byte(public), Handle: bytes.Clone(handle), Imported: imported[0] == 1}, nil
}

// account carries out a request for account keys.
func (s *server) account(ctx context.Context, id uint64, what op, f fields) error {
	keys := hsm.Accounts(s.module)
	switch what {
	case opNewAccountKey:
		return s.replyAccount(id, f, func() (hsm.AccountKey, error) { return keys.NewAccountKey(ctx) })
	case opImportAccountKey:
		scalar := f.next()
		return s.replyAccount(id, f, func() (hsm.AccountKey, error) { return keys.ImportAccountKey(ctx, scalar) })
	}
	var key hsm.AccountKey
	public := f.next()
	if len(public) != len(key.Public) {
		return errFrame
	}
	key.Public, key.Handle = [65]byte(public), f.next()
	if what == opDestroyAccountKey {
		return s.reply(id, f, func() ([]byte, error) { return nil, keys.DestroyAccountKey(ctx, key) })
	}
	digest := f.next()
	if len(digest) != 32 {
		return errFrame
	}
	return s.reply(id, f, func() ([]byte, error) {
		sig, err := keys.SignDigest(ctx, key, [32]byte(digest))
		return sig[:], err
	})
}

// replyAccount answers with the key that call returns.
func (s *server) replyAccount(id uint64, f fields, call func() (hsm.AccountKey, error)) error {
	if !f.done() {
		return errFrame
	}
	key, err := call()
	if err != nil {
		return s.fail(id, err)
	}
	return s.out.send(id, statusOK, key.Public[:], key.Handle, flag(key.Imported))
}

func flag(set bool) []byte {
	if set {
		return []byte{1}
	}
	return []byte{0}
}
