// Package traces tells an OpenTelemetry collector what requests spend their time
// on: a span for each operation of the API, and below it those of the HSM's calls
// and of the commits that it waited for.
//
// It owns the names of spans and of what is in them, which docs/tracing.md lists.
// They hold nothing that a user wrote: operations and routes are the API's own
// words, errors are codes. It knows nothing of what is traced but that.
//
// Nobody waits for a collector. Spans that it does not take in time are dropped.
package traces
