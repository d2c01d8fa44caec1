package appliance

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/appliance/traces"
	"github.com/oneclaw/oneclawd/hsm"
)

// TracesConfig says who is told what requests spend their time on.
type TracesConfig struct {
	Endpoint string  `toml:"endpoint" doc:"OpenTelemetry collector that traces are sent to, by OTLP over HTTP: https://host:4318/v1/traces, or http:// on this machine. Empty: none."`
	CAFile   string  `toml:"ca_file" doc:"Certificates, PEM, of whom its certificate has to be. Empty: those that the system trusts."`
	Ratio    float64 `toml:"ratio" doc:"Which part of the requests is traced, 0 to 1."`
	Incoming string  `toml:"incoming" doc:"What a client's traceparent header means: ignore, link (a link to it, from a trace of our own) or parent (its trace goes on here)."`
}

func defaultTraces() TracesConfig { return TracesConfig{Ratio: 1, Incoming: string(traces.Ignore)} }

// flushPatience bounds how long a shutdown waits for a collector.
const flushPatience = 2 * time.Second

func (c Config) checkTraces() error {
	t := c.Traces
	switch traces.Incoming(t.Incoming) {
	case traces.Ignore, traces.Link, traces.Parent:
	default:
		return bad("traces.incoming", "%q is not ignore, link or parent", t.Incoming)
	}
	if !(t.Ratio >= 0 && t.Ratio <= 1) { // NaN neither
		return bad("traces.ratio", "%v is not between 0 and 1", t.Ratio)
	}
	if t.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(t.Endpoint)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return bad("traces.endpoint", "not a URL such as https://collector.example.com:4318/v1/traces")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return bad("traces.endpoint", "a password or a query has no place in it")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return bad("traces.endpoint", "http:// is for this machine only; elsewhere everybody on the way reads along")
	}
	return nil
}

// openTraces makes the tracer, if there is a collector.
func (c Config) openTraces(ctx context.Context, o Options) (*traces.Tracer, error) {
	if c.Traces.Endpoint == "" {
		return nil, nil
	}
	client, err := c.collector()
	if err != nil {
		return nil, err
	}
	return traces.New(ctx, traces.Config{
		Endpoint: c.Traces.Endpoint, Client: client, Ratio: c.Traces.Ratio, Incoming: traces.Incoming(c.Traces.Incoming),
		Version: o.Version, Log: o.Log,
	})
}

// collector is how the collector is reached, and nothing else.
func (c Config) collector() (*http.Client, error) {
	u, err := url.Parse(c.Traces.Endpoint)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	var o egress.ClientOptions
	if c.Traces.CAFile != "" {
		text, err := os.ReadFile(c.Traces.CAFile)
		if err != nil {
			return nil, fmt.Errorf("traces.ca_file: %w", err)
		}
		o.RootCAs = x509.NewCertPool()
		if !o.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("traces.ca_file: %s holds no certificate, PEM", c.Traces.CAFile)
		}
	}
	elsewhere := func(context.Context) bool { return false }
	ways, err := c.Egress.waysOut(elsewhere, net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	return ways.client(o), nil
}

// observed is a module whose operations are counted, and traced if requests are.
func (d *daemon) observed(m hsm.Module) hsm.Module {
	if d.traces != nil {
		m = d.traces.Module(m)
	}
	return d.metrics.Module(m)
}

// flushTraces sends the spans that wait, but holds up no shutdown.
func (d *daemon) flushTraces(sealing bool) {
	if d.traces == nil {
		return
	}
	patience := flushPatience
	if sealing {
		patience = sealPatience
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := d.traces.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
		d.log.Warn("the last traces were not sent", "err", err)
	}
}
