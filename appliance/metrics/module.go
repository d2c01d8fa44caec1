package metrics

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

// Module returns m with its operations timed and counted.
func (x *Metrics) Module(m hsm.Module) hsm.Module { return &module{Module: m, metrics: x} }

// module is another module, observed. What is not repeated here is not worth a
// figure.
type module struct {
	hsm.Module
	metrics *Metrics
}

func (m *module) observe(operation string, began time.Time, err error) {
	m.metrics.hsmCalls.WithLabelValues(operation).Observe(time.Since(began).Seconds())
	if err != nil {
		m.metrics.hsmErrors.WithLabelValues(operation).Inc()
	}
}

// Check implements hsm.Module.
func (m *module) Check(ctx context.Context) (err error) {
	defer func(t time.Time) { m.observe("check", t, err) }(time.Now())
	return m.Module.Check(ctx)
}

// NewKEK implements hsm.Module.
func (m *module) NewKEK(ctx context.Context) (kek hsm.KEK, err error) {
	defer func(t time.Time) { m.observe("new_kek", t, err) }(time.Now())
	return m.Module.NewKEK(ctx)
}

// Wrap implements hsm.Module.
func (m *module) Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) (wrapped []byte, err error) {
	defer func(t time.Time) { m.observe("wrap", t, err) }(time.Now())
	return m.Module.Wrap(ctx, kek, key, aad)
}

// Unwrap implements hsm.Module.
func (m *module) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) (key []byte, err error) {
	defer func(t time.Time) { m.observe("unwrap", t, err) }(time.Now())
	return m.Module.Unwrap(ctx, kek, wrapped, aad)
}

// Sign implements hsm.Module.
func (m *module) Sign(ctx context.Context, key hsm.SigningKey, message []byte) (signature []byte, err error) {
	defer func(t time.Time) { m.observe("sign", t, err) }(time.Now())
	return m.Module.Sign(ctx, key, message)
}

// SetAnchor implements hsm.Module.
func (m *module) SetAnchor(ctx context.Context, anchor []byte) (err error) {
	defer func(t time.Time) { m.observe("set_anchor", t, err) }(time.Now())
	return m.Module.SetAnchor(ctx, anchor)
}

// The module below may lack account keys; Accounts then answers for it.
var _ hsm.AccountKeys = (*module)(nil)

// NewAccountKey implements hsm.AccountKeys.
func (m *module) NewAccountKey(ctx context.Context) (key hsm.AccountKey, err error) {
	defer func(t time.Time) { m.observe("new_account_key", t, err) }(time.Now())
	return hsm.Accounts(m.Module).NewAccountKey(ctx)
}

// ImportAccountKey implements hsm.AccountKeys.
func (m *module) ImportAccountKey(ctx context.Context, scalar []byte) (key hsm.AccountKey, err error) {
	defer func(t time.Time) { m.observe("import_account_key", t, err) }(time.Now())
	return hsm.Accounts(m.Module).ImportAccountKey(ctx, scalar)
}

// SignDigest implements hsm.AccountKeys.
func (m *module) SignDigest(ctx context.Context, key hsm.AccountKey, digest [32]byte) (sig [64]byte, err error) {
	defer func(t time.Time) { m.observe("sign_digest", t, err) }(time.Now())
	return hsm.Accounts(m.Module).SignDigest(ctx, key, digest)
}

// DestroyAccountKey implements hsm.AccountKeys.
func (m *module) DestroyAccountKey(ctx context.Context, key hsm.AccountKey) (err error) {
	defer func(t time.Time) { m.observe("destroy_account_key", t, err) }(time.Now())
	return hsm.Accounts(m.Module).DestroyAccountKey(ctx, key)
}
