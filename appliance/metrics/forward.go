package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// forward counts what goes through the forward proxy, but for calls of models.
type forward struct {
	requests *prometheus.CounterVec // outcome
	took     prometheus.Histogram
}

func newForward(r *prometheus.Registry) forward {
	f := forward{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oneclawd_forward_requests_total", Help: "Requests through the forward proxy to hosts that are no providers of models, by outcome.",
		}, []string{"outcome"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "oneclawd_forward_request_duration_seconds", Help: "How long requests through the forward proxy took that were answered, to the end of the answer.", Buckets: modelBuckets,
		}),
	}
	for _, o := range outcomes { // all begin at zero, so that the first one is seen to be an increase
		f.requests.WithLabelValues(o)
	}
	r.MustRegister(f.requests, f.took)
	return f
}

// Forwarded counts a request through the forward proxy, by one of the outcomes.
func (m *Metrics) Forwarded(outcome string, took time.Duration) {
	m.forward.requests.WithLabelValues(known(outcomes, outcome)).Inc()
	if outcome == Answered {
		m.forward.took.Observe(took.Seconds())
	}
}
