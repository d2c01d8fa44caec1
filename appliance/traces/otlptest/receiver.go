// Package otlptest is a collector of traces, for tests: it takes OTLP over HTTP as
// a real one does, and shows what it was sent.
package otlptest

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver is a collector.
type Receiver struct {
	URL    string // of its receiver for traces
	Server *httptest.Server

	mu    sync.Mutex
	raw   bytes.Buffer
	spans []Span
	wrong []error
}

// Span is one that was received.
type Span struct {
	Name, Kind            string
	Trace, ID, ParentSpan string // hex
	State                 string
	Error                 bool
	Attr                  map[string]string
	Links                 []string // trace ids
	Took                  uint64   // ns
	Resource              map[string]string
}

// New starts one on this machine, with TLS or without.
func New(t testing.TB, tls bool) *Receiver {
	r := &Receiver{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(r.receive))
	if tls {
		r.Server.StartTLS()
	} else {
		r.Server.Start()
	}
	t.Cleanup(r.Server.Close)
	r.URL = r.Server.URL + "/v1/traces"
	return r
}

func (r *Receiver) receive(w http.ResponseWriter, q *http.Request) {
	body, err := read(q)
	var in collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &in)
	}
	if err == nil && (q.Method != http.MethodPost || q.URL.Path != "/v1/traces") {
		err = fmt.Errorf("%s %s", q.Method, q.URL.Path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.wrong = append(r.wrong, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.raw.Write(body)
	for _, of := range in.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				r.spans = append(r.spans, spanOf(s, of.Resource.GetAttributes()))
			}
		}
	}
	answer, err := proto.Marshal(&collector.ExportTraceServiceResponse{})
	if err != nil {
		r.wrong = append(r.wrong, err)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func read(q *http.Request) ([]byte, error) {
	if q.Header.Get("Content-Type") != "application/x-protobuf" {
		return nil, fmt.Errorf("content type %q", q.Header.Get("Content-Type"))
	}
	if q.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(q.Body)
	}
	z, err := gzip.NewReader(q.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func spanOf(s *trace.Span, resource []*common.KeyValue) Span {
	out := Span{
		Name: s.Name, Kind: s.Kind.String(), Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId),
		ParentSpan: hex.EncodeToString(s.ParentSpanId), State: s.TraceState, Error: s.Status.GetCode() == trace.Status_STATUS_CODE_ERROR,
		Attr: texts(s.Attributes), Took: s.EndTimeUnixNano - s.StartTimeUnixNano, Resource: texts(resource),
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, hex.EncodeToString(l.TraceId))
	}
	return out
}

func texts(all []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range all {
		switch v := kv.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			out[kv.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			out[kv.Key] = fmt.Sprint(v.IntValue)
		default:
			out[kv.Key] = kv.Value.String()
		}
	}
	return out
}

// Spans are those that were received so far. What was no OTLP fails the test.
func (r *Receiver) Spans(t testing.TB) []Span {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, err := range r.wrong {
		t.Errorf("the collector was sent what is not OTLP: %v", err)
	}
	return append([]Span{}, r.spans...)
}

// Named are the received spans of a name.
func (r *Receiver) Named(t testing.TB, name string) (out []Span) {
	t.Helper()
	for _, s := range r.Spans(t) {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// Raw is all that was received, as it was.
func (r *Receiver) Raw() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.raw.Bytes())
}
