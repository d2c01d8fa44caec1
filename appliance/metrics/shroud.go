package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The outcomes of calls of models, and of requests through the forward proxy.
const (
	Answered  = "answered"  // by the provider; its own refusals are answers, too
	Blocked   = "blocked"   // for what was found in it
	Limited   = "limited"   // too many, or too dear
	Refused   = "refused"   // for any other reason that is the agent's
	Failed    = "failed"    // by the provider, or by us
	Abandoned = "abandoned" // by the client, which did not wait for the end
)

var outcomes = []string{Answered, Blocked, Limited, Refused, Failed, Abandoned}

// other is in the place of names that are not known: who calls may write anything.
const other = "other"

// modelBuckets are for models, which take their time.
var modelBuckets = []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}

type shroud struct {
	threats   *prometheus.CounterVec   // threat_type
	calls     *prometheus.CounterVec   // provider, outcome
	durations *prometheus.HistogramVec // provider
	tokens    *prometheus.CounterVec   // provider, direction
	spent     *prometheus.CounterVec   // provider
}

func newShroud(r *prometheus.Registry) shroud {
	s := shroud{
		threats: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shroud_threats_detected_total", Help: "Threats that Shroud found, by type.",
		}, []string{"threat_type"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oneclawd_shroud_requests_total", Help: "Calls of models through Shroud, by provider and outcome.",
		}, []string{"provider", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "oneclawd_shroud_request_duration_seconds", Help: "How long calls of models took, to the end of the answer.", Buckets: modelBuckets,
		}, []string{"provider"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oneclawd_shroud_tokens_total", Help: "Tokens that went to models (in) and came from them (out).",
		}, []string{"provider", "direction"}),
		spent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oneclawd_shroud_cost_usd_total", Help: "What calls of models cost, in US dollars, by the table of prices.",
		}, []string{"provider"}),
	}
	r.MustRegister(s.threats, s.calls, s.durations, s.tokens, s.spent)
	return s
}

// ModelCall is what is counted of a call of a model.
type ModelCall struct {
	Provider   string
	Outcome    string
	Threats    []string // their types
	In, Out    int      // tokens
	CostDollar float64
	Took       time.Duration
}

// Models counts calls of models.
type Models struct {
	to                 shroud
	providers, threats []string
}

// Models returns what counts calls by the names of providers and the types of
// threats that are given, and all others as one. All threats begin at zero, so that
// the first one is seen to be an increase.
func (m *Metrics) Models(providers, threats []string) *Models {
	for _, t := range threats {
		m.shroud.threats.WithLabelValues(t)
	}
	return &Models{to: m.shroud, providers: providers, threats: threats}
}

// Call counts one.
func (m *Models) Call(c ModelCall) {
	provider := known(m.providers, c.Provider)
	m.to.calls.WithLabelValues(provider, known(outcomes, c.Outcome)).Inc()
	m.to.durations.WithLabelValues(provider).Observe(c.Took.Seconds())
	m.to.tokens.WithLabelValues(provider, "in").Add(float64(max(0, c.In)))
	m.to.tokens.WithLabelValues(provider, "out").Add(float64(max(0, c.Out)))
	m.to.spent.WithLabelValues(provider).Add(max(0, c.CostDollar))
	for _, t := range c.Threats {
		m.to.threats.WithLabelValues(known(m.threats, t)).Inc()
	}
}

func known(names []string, name string) string {
	if slices.Contains(names, name) {
		return name
	}
	return other
}
