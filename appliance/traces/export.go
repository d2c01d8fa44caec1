package traces

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// reporting is an exporter that says once that a collector takes nothing, and
// once that it does again. Its errors end here: the SDK would print each.
type reporting struct {
	sdk.SpanExporter
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans implements sdk.SpanExporter.
func (r *reporting) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := r.SpanExporter.ExportSpans(ctx, spans)
	switch was := r.failing.Swap(err != nil); {
	case err != nil && !was:
		r.log.Warn("the collector of traces does not take them; they are dropped", "err", err)
	case err == nil && was:
		r.log.Info("the collector takes traces again")
	}
	return nil
}
