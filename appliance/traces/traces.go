package traces

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Incoming is what a traceparent header of a client means.
type Incoming string

// Values of Incoming.
const (
	Ignore Incoming = "ignore" // nothing
	Link   Incoming = "link"   // a link from our span, in a trace of our own
	Parent Incoming = "parent" // our span is in the client's trace
)

// Config says where spans go, and which.
type Config struct {
	Endpoint string       // URL of the collector's OTLP/HTTP receiver for traces
	Client   *http.Client // how it is reached
	Ratio    float64      // of traces that are recorded, 0 to 1
	Incoming Incoming
	Version  string // of oneclawd
	Log      *slog.Logger
}

// What may wait, and for how long. A span is some hundred bytes.
const (
	maxQueued     = 4096
	maxBatch      = 512
	exportEvery   = 2 * time.Second
	exportTimeout = 10 * time.Second
)

// Tracer records spans. Its methods may be called from many goroutines.
type Tracer struct {
	incoming Incoming
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// New returns a tracer that sends in the background until it is closed.
func New(ctx context.Context, c Config) (*Tracer, error) {
	to, err := otlptrace.New(ctx, otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(c.Endpoint), otlptracehttp.WithHTTPClient(c.Client),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithTimeout(exportTimeout),
		// What is not taken is dropped: a batch that is tried again would hold up
		// those behind it.
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
	))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	sampler := sdk.TraceIDRatioBased(c.Ratio)
	p := sdk.NewTracerProvider(
		// A client's wish to be recorded counts no more than our ratio; its wish not
		// to be is respected.
		sdk.WithSampler(sdk.ParentBased(sampler, sdk.WithRemoteParentSampled(sampler))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "oneclawd"), attribute.String("service.version", c.Version))),
		sdk.WithBatcher(&reporting{SpanExporter: to, log: c.Log}, sdk.WithMaxQueueSize(maxQueued), sdk.WithMaxExportBatchSize(maxBatch),
			sdk.WithBatchTimeout(exportEvery), sdk.WithExportTimeout(exportTimeout)),
	)
	return &Tracer{incoming: c.Incoming, provider: p, tracer: p.Tracer("github.com/oneclaw/oneclawd")}, nil
}

// Close sends what waits, for as long as ctx lasts.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }
