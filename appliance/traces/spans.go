package traces

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// failed marks a span. Of an error it has the code, if it is one of ours: the
// text may say more than others should know.
func failed(span trace.Span, err error) {
	code := "internal"
	var f *fault.Error
	if errors.As(err, &f) {
		code = f.Code
	}
	span.SetStatus(codes.Error, "")
	span.SetAttributes(attribute.String("error.type", code))
}

// Commit records a group of calls that the store has made durable at once, or
// not: a span for each caller that is being traced, so that every trace shows
// what it waited for.
func (t *Tracer) Commit(callers []context.Context, bytes int, began time.Time, err error) {
	ended := time.Now()
	for _, ctx := range callers {
		if !trace.SpanContextFromContext(ctx).IsSampled() {
			continue
		}
		_, span := t.tracer.Start(ctx, "store.commit", trace.WithTimestamp(began),
			trace.WithAttributes(attribute.Int("oneclawd.commit.calls", len(callers)), attribute.Int("oneclawd.commit.bytes", bytes)))
		if err != nil {
			failed(span, err)
		}
		span.End(trace.WithTimestamp(ended))
	}
}

// Module returns m with its operations traced where the caller is.
func (t *Tracer) Module(m hsm.Module) hsm.Module { return &module{Module: m, tracer: t.tracer} }

type module struct {
	hsm.Module
	tracer trace.Tracer
}

// start starts the span of an operation, and returns what ends it.
func (m *module) start(ctx context.Context, operation string) (context.Context, func(*error)) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(*error) {}
	}
	ctx, span := m.tracer.Start(ctx, "hsm."+operation, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err *error) {
		if *err != nil {
			failed(span, *err)
		}
		span.End()
	}
}

// NewKEK implements hsm.Module.
func (m *module) NewKEK(ctx context.Context) (kek hsm.KEK, err error) {
	ctx, end := m.start(ctx, "new_kek")
	defer end(&err)
	return m.Module.NewKEK(ctx)
}

// Wrap implements hsm.Module.
func (m *module) Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) (wrapped []byte, err error) {
	ctx, end := m.start(ctx, "wrap")
	defer end(&err)
	return m.Module.Wrap(ctx, kek, key, aad)
}

// Unwrap implements hsm.Module.
func (m *module) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) (key []byte, err error) {
	ctx, end := m.start(ctx, "unwrap")
	defer end(&err)
	return m.Module.Unwrap(ctx, kek, wrapped, aad)
}

// Sign implements hsm.Module.
func (m *module) Sign(ctx context.Context, key hsm.SigningKey, message []byte) (signature []byte, err error) {
	ctx, end := m.start(ctx, "sign")
	defer end(&err)
	return m.Module.Sign(ctx, key, message)
}

// Check implements hsm.Module.
func (m *module) Check(ctx context.Context) (err error) {
	ctx, end := m.start(ctx, "check")
	defer end(&err)
	return m.Module.Check(ctx)
}

// SetAnchor implements hsm.Module.
func (m *module) SetAnchor(ctx context.Context, anchor []byte) (err error) {
	ctx, end := m.start(ctx, "set_anchor")
	defer end(&err)
	return m.Module.SetAnchor(ctx, anchor)
}

// The module below may lack account keys; Accounts then answers for it.
var _ hsm.AccountKeys = (*module)(nil)

// NewAccountKey implements hsm.AccountKeys.
func (m *module) NewAccountKey(ctx context.Context) (key hsm.AccountKey, err error) {
	ctx, end := m.start(ctx, "new_account_key")
	defer end(&err)
	return hsm.Accounts(m.Module).NewAccountKey(ctx)
}

// ImportAccountKey implements hsm.AccountKeys.
func (m *module) ImportAccountKey(ctx context.Context, scalar []byte) (key hsm.AccountKey, err error) {
	ctx, end := m.start(ctx, "import_account_key")
	defer end(&err)
	return hsm.Accounts(m.Module).ImportAccountKey(ctx, scalar)
}

// SignDigest implements hsm.AccountKeys.
func (m *module) SignDigest(ctx context.Context, key hsm.AccountKey, digest [32]byte) (sig [64]byte, err error) {
	ctx, end := m.start(ctx, "sign_digest")
	defer end(&err)
	return hsm.Accounts(m.Module).SignDigest(ctx, key, digest)
}

// DestroyAccountKey implements hsm.AccountKeys.
func (m *module) DestroyAccountKey(ctx context.Context, key hsm.AccountKey) (err error) {
	ctx, end := m.start(ctx, "destroy_account_key")
	defer end(&err)
	return hsm.Accounts(m.Module).DestroyAccountKey(ctx, key)
}
