package client

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// FuzzRefusal: whatever stands between sends, a refusal is one, of its status, and can be
// shown.
func FuzzRefusal(f *testing.F) {
	f.Add(403, api.ProblemContentType, `{"type":"approval_required","status":200,"detail":"no","approval_request_id":"a"}`, "1")
	f.Add(402, "application/json", `{"x402Version":1,"accepts":[{"maxAmountRequired":"1"}]}`, "")
	f.Add(422, "application/json", `{"id":"t","status":"simulation_failed","detail":"d"}`, "-1")
	f.Add(502, "text/html", "<html>", "9223372036854775807")
	f.Fuzz(func(t *testing.T, status int, kind, body, after string) {
		if status < 300 || status > 599 {
			return
		}
		e := refusal(&http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {kind}, "Retry-After": {after}}, Body: io.NopCloser(bytes.NewBufferString(body)),
		})
		if e.Problem.Status != status || e.Error() == "" || e.RetryAfter < 0 {
			t.Errorf("%+v", e)
		}
		if want := kinds[status]; want != nil && !e.Is(want) && !e.Is(ErrApprovalRequired) && !e.Is(ErrResourceLimit) {
			t.Errorf("%d is not %v", status, want)
		}
		if _, ok := asksFor(e); ok && status != http.StatusPaymentRequired {
			t.Errorf("%d asks to be paid", status)
		}
		if tx, err := simulated(e); err == nil || tx.ID != "" && status != http.StatusUnprocessableEntity {
			t.Errorf("%d became %+v, %v", status, tx, err)
		}
	})
}
