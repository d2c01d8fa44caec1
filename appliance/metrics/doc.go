// Package metrics is what the appliance tells a Prometheus server of itself.
//
// It owns the names of the metrics and their labels, which docs/metrics.md
// lists, and their exposition. Labels hold nothing that a user wrote: routes are
// templates, methods and statuses are the protocol's. It knows nothing of what
// the figures mean to anybody.
package metrics
