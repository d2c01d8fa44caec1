package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics collects. Its methods may be called from many goroutines.
type Metrics struct {
	registry *prometheus.Registry

	requests  *prometheus.CounterVec   // method, route, code
	durations *prometheus.HistogramVec // method, route
	hsmCalls  *prometheus.HistogramVec // operation
	hsmErrors *prometheus.CounterVec   // operation
	shroud    shroud
	forward   forward
}

// Seconds of the buckets: a read takes about a millisecond, a sign-in fifty,
// and what takes ten seconds is an outage.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// New returns the metrics of a daemon of a version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oneclawd_http_requests_total", Help: "Requests to the API, by method, route and status.",
		}, []string{"method", "route", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "oneclawd_http_request_duration_seconds", Help: "How long requests to the API took.", Buckets: buckets,
		}, []string{"method", "route"}),
		hsmCalls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "oneclawd_hsm_operation_duration_seconds", Help: "How long operations of the HSM took.", Buckets: buckets,
		}, []string{"operation"}),
		hsmErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oneclawd_hsm_errors_total", Help: "Operations of the HSM that failed, those that were refused included.",
		}, []string{"operation"}),
	}
	built := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "oneclawd_build_info", Help: "Always 1; the label says which version runs.", ConstLabels: prometheus.Labels{"version": version},
	})
	built.Set(1)
	m.shroud = newShroud(m.registry)
	m.forward = newForward(m.registry)
	m.registry.MustRegister(m.requests, m.durations, m.hsmCalls, m.hsmErrors, built,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves GET /metrics, and nothing else.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// Request counts a request: its method, the template of its route ("" if none
// matched), its status and how long it took.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(method, route).Observe(took.Seconds())
}
