package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Readings are the figures that are looked up when somebody asks for them.
type Readings struct {
	State  string // how far the daemon has come
	States []string

	Unsealed bool // whether there is more than the state
	HSM      bool // whether the HSM answers

	StoreBytes   int64 // of the state file
	StoreWaiting int   // writes that are under way or wait
	StoreFull    bool  // the last commit found no space
	ReadOnly     bool  // the disk is full, and only the audit log grows

	AuditEvents    uint64 // in the log
	AuditUndrained uint64 // of these, not yet in the archive
	AuditUnsigned  uint64 // of these, not yet under a checkpoint

	StreamLag map[string]uint64 // events that a sink of the audit log has not taken yet

	OutboxWaiting int // messages that are not delivered yet
}

// reading is one gauge.
type reading struct {
	desc  *prometheus.Desc
	value func(Readings) float64
}

func gauge(name, help string, value func(Readings) float64) reading {
	return reading{prometheus.NewDesc(name, help, nil, nil), value}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

var stateDesc = prometheus.NewDesc("oneclawd_state", "1 for the state the daemon is in, 0 for the others.", []string{"state"}, nil)

var lagDesc = prometheus.NewDesc("oneclawd_audit_stream_lag", "Events that a sink of the audit log has not taken yet.", []string{"sink"}, nil)

// readings are the gauges of an unsealed appliance.
func readings() []reading {
	return []reading{
		gauge("oneclawd_hsm_up", "1 while the HSM answers.", func(r Readings) float64 { return flag(r.HSM) }),
		gauge("oneclawd_store_bytes", "Size of the state file.", func(r Readings) float64 { return float64(r.StoreBytes) }),
		gauge("oneclawd_store_waiting", "Writes that are under way or wait for the writer.", func(r Readings) float64 { return float64(r.StoreWaiting) }),
		gauge("oneclawd_store_full", "1 while the disk has no space: reads that are audited and writes are refused.", func(r Readings) float64 { return flag(r.StoreFull) }),
		gauge("oneclawd_store_read_only", "1 while the disk is full and the ballast given up: changes are refused.", func(r Readings) float64 { return flag(r.ReadOnly) }),
		gauge("oneclawd_audit_events", "Events in the audit log.", func(r Readings) float64 { return float64(r.AuditEvents) }),
		gauge("oneclawd_audit_undrained", "Events that are not in the archive yet.", func(r Readings) float64 { return float64(r.AuditUndrained) }),
		gauge("oneclawd_audit_unsigned", "Events that no signed checkpoint covers yet.", func(r Readings) float64 { return float64(r.AuditUnsigned) }),
		gauge("oneclawd_outbox_waiting", "Messages that are not delivered yet.", func(r Readings) float64 { return float64(r.OutboxWaiting) }),
	}
}

// collector asks for readings at each scrape.
type collector struct {
	read   func() Readings
	gauges []reading
}

// Watch has read asked at each scrape. It must not block for long.
func (m *Metrics) Watch(read func() Readings) {
	m.registry.MustRegister(&collector{read: read, gauges: readings()})
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	out <- stateDesc
	out <- lagDesc
	for _, g := range c.gauges {
		out <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	r := c.read()
	for _, s := range r.States {
		out <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, flag(s == r.State), s)
	}
	if !r.Unsealed {
		return
	}
	for _, g := range c.gauges {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(r))
	}
	for sink, lag := range r.StreamLag {
		out <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(lag), sink)
	}
}
