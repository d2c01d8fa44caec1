package metrics_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/metrics"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// broken is a module whose signatures fail.
type broken struct{ hsm.Module }

func (broken) Check(context.Context) error { return nil }
func (broken) Sign(context.Context, hsm.SigningKey, []byte) ([]byte, error) {
	return nil, hsm.ErrUnavailable
}

// scrape is what a Prometheus server is told.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// has expects lines, and not others.
func has(t *testing.T, text string, want, not []string) {
	t.Helper()
	for _, line := range want {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	for _, part := range not {
		if strings.Contains(text, part) {
			t.Errorf("there is %s", part)
		}
	}
}

func TestFailuresOfTheHSMAreCounted(t *testing.T) {
	m := metrics.New("1")
	module := m.Module(broken{})
	if err := module.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := module.Sign(t.Context(), hsm.SigningKey{}, nil); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("the error is another: %v", err)
	}
	has(t, scrape(t, m), []string{
		`oneclawd_hsm_operation_duration_seconds_count{operation="sign"} 1`, `oneclawd_hsm_errors_total{operation="sign"} 1`,
		`oneclawd_hsm_operation_duration_seconds_count{operation="check"} 1`,
	}, []string{`oneclawd_hsm_errors_total{operation="check"}`})
}

func TestRequestsWithoutARouteShareOneLabel(t *testing.T) {
	m := metrics.New("1")
	m.Request("GET", "/v1/vaults/{vault_id}", 200, time.Millisecond)
	m.Request("GET", "", 404, time.Millisecond)
	m.Request("GET", "", 404, time.Millisecond)
	has(t, scrape(t, m), []string{
		`oneclawd_http_requests_total{code="404",method="GET",route="none"} 2`,
		`oneclawd_http_requests_total{code="200",method="GET",route="/v1/vaults/{vault_id}"} 1`,
	}, nil)
}

// While sealed there is nothing to read but the state; zeros would be lies.
func TestSealedReadings(t *testing.T) {
	m := metrics.New("1")
	r := metrics.Readings{State: "sealed", States: []string{"sealed", "unsealed"}, AuditEvents: 7}
	m.Watch(func() metrics.Readings { return r })
	has(t, scrape(t, m), []string{`oneclawd_state{state="sealed"} 1`, `oneclawd_state{state="unsealed"} 0`}, []string{"oneclawd_hsm_up", "oneclawd_audit_events"})
	r.State, r.Unsealed, r.HSM = "unsealed", true, true
	has(t, scrape(t, m), []string{`oneclawd_state{state="sealed"} 0`, `oneclawd_hsm_up 1`, `oneclawd_audit_events 7`, `oneclawd_store_full 0`}, nil)
}

func TestAccountKeysAreCounted(t *testing.T) {
	m := metrics.New("1")
	keys := hsm.Accounts(m.Module(hsmtest.Memory(t)))
	key, err := keys.NewAccountKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.SignDigest(t.Context(), key, [32]byte{1}); err != nil {
		t.Error(err)
	}
	if err := keys.DestroyAccountKey(t.Context(), key); err != nil {
		t.Error(err)
	}
	if _, err := hsm.Accounts(m.Module(broken{})).ImportAccountKey(t.Context(), make([]byte, 32)); !errors.Is(err, hsm.ErrUnsupported) {
		t.Errorf("a module without account keys: %v", err)
	}
	has(t, scrape(t, m), []string{
		`oneclawd_hsm_operation_duration_seconds_count{operation="new_account_key"} 1`,
		`oneclawd_hsm_operation_duration_seconds_count{operation="sign_digest"} 1`,
		`oneclawd_hsm_operation_duration_seconds_count{operation="destroy_account_key"} 1`,
		`oneclawd_hsm_errors_total{operation="import_account_key"} 1`,
	}, nil)
}

func TestCallsOfModelsAreCountedUnderKnownNames(t *testing.T) {
	m := metrics.New("1")
	calls := m.Models([]string{"openai"}, []string{"pii", "secret_leak"})
	calls.Call(metrics.ModelCall{Provider: "openai", Outcome: metrics.Answered, Threats: []string{"pii", "pii"}, In: 7, Out: 3, CostDollar: .25, Took: time.Second})
	calls.Call(metrics.ModelCall{Provider: "openai", Outcome: metrics.Blocked, Threats: []string{"what somebody wrote"}})
	calls.Call(metrics.ModelCall{Provider: "somebody's", Outcome: metrics.Refused, In: -1})
	calls.Call(metrics.ModelCall{Outcome: "somehow"})
	has(t, scrape(t, m), []string{
		`shroud_threats_detected_total{threat_type="pii"} 2`, `shroud_threats_detected_total{threat_type="secret_leak"} 0`,
		`shroud_threats_detected_total{threat_type="other"} 1`,
		`oneclawd_shroud_requests_total{outcome="answered",provider="openai"} 1`, `oneclawd_shroud_requests_total{outcome="blocked",provider="openai"} 1`,
		`oneclawd_shroud_requests_total{outcome="refused",provider="other"} 1`, `oneclawd_shroud_requests_total{outcome="other",provider="other"} 1`,
		`oneclawd_shroud_tokens_total{direction="in",provider="openai"} 7`, `oneclawd_shroud_tokens_total{direction="out",provider="openai"} 3`,
		`oneclawd_shroud_cost_usd_total{provider="openai"} 0.25`,
		`oneclawd_shroud_request_duration_seconds_count{provider="openai"} 2`,
		`oneclawd_shroud_request_duration_seconds_bucket{provider="openai",le="0.5"} 1`,
	}, []string{"somebody", "somehow"})
}

func TestRequestsThroughTheForwardProxy(t *testing.T) {
	m := metrics.New("1")
	m.Forwarded(metrics.Answered, time.Second)
	m.Forwarded(metrics.Refused, time.Second)
	m.Forwarded("https://somebody's", time.Second)
	has(t, scrape(t, m), []string{
		`oneclawd_forward_requests_total{outcome="answered"} 1`, `oneclawd_forward_requests_total{outcome="refused"} 1`,
		`oneclawd_forward_requests_total{outcome="other"} 1`, `oneclawd_forward_request_duration_seconds_count 1`,
	}, []string{"somebody"})
}
