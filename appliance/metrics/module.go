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
