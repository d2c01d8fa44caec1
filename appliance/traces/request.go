package traces

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceparent is the only header that is looked at. What else W3C Trace Context
// has, tracestate, is text of the client's and would be sent on.
const traceparent = "Traceparent"

// Request starts the span of a request. It returns the context of what is done
// for it, and what is told how it ended: the method, the template of the route,
// the operation ("" if there is none) and the status.
func (t *Tracer) Request(r *http.Request) (context.Context, func(method, route, operation string, status int)) {
	ctx := r.Context()
	opts := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
	if theirs := t.theirs(r.Header); theirs.IsValid() {
		if t.incoming == Parent {
			ctx = trace.ContextWithRemoteSpanContext(ctx, theirs)
		} else {
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: theirs}))
		}
	}
	ctx, span := t.tracer.Start(ctx, "request", opts...)
	return ctx, func(method, route, operation string, status int) {
		if operation == "" {
			operation = "none"
		}
		span.SetName(operation)
		span.SetAttributes(attribute.String("http.request.method", method), attribute.Int("http.response.status_code", status))
		if route != "" {
			span.SetAttributes(attribute.String("http.route", route))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// theirs is the span that a client says it asks from.
func (t *Tracer) theirs(h http.Header) trace.SpanContext {
	v := h[traceparent]
	if t.incoming == Ignore || len(v) != 1 {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": v[0]})
	return trace.SpanContextFromContext(ctx)
}
