package appliance

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/metrics"
	"github.com/oneclaw/oneclawd/shroud/forwardproxy"
)

func TestForwardedOutcomes(t *testing.T) {
	for _, c := range []struct {
		status        int
		refusal, want string
	}{
		{200, "", "answered"},
		{500, "", "answered"}, // the host says so
		{403, "host_not_listed", "refused"},
		{501, "upgrade_refused", "refused"},
		{403, "secret_in_request", "blocked"},
		{200, "answer_withheld", "blocked"}, // after it had begun
		{429, "too_many_requests_under_way", "limited"},
		{502, "target_unreachable", "failed"},
		{200, "target_timeout", "failed"},
		{500, "internal", "failed"},
		{503, "abandoned", "abandoned"},
	} {
		if got := forwarded(forwardproxy.Report{Status: c.status, Refusal: c.refusal}); got != c.want {
			t.Errorf("%d %s is %s, not %s", c.status, c.refusal, got, c.want)
		}
	}
}

// A use of a secret is counted, and not written down a second time.
func TestForwardedUses(t *testing.T) {
	m := metrics.New("1")
	forwardRecorder{nil, m}.Forwarded(t.Context(), forwardproxy.Report{Status: 200, Recorded: true})
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(rec.Body.String(), `oneclawd_forward_requests_total{outcome="answered"} 1`) {
		t.Errorf("%d", rec.Code)
	}
}
