package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
)

func TestT6EveryKindHasItsStatus(t *testing.T) {
	want := map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.Unauthenticated: 401, fault.PaymentRequired: 402,
		fault.Denied: 403, fault.NotFound: 404, fault.Gone: 410, fault.Conflict: 409, fault.TooLarge: 413,
		fault.Unprocessable: 422, fault.RateLimited: 429, fault.Sealed: 503, fault.Unavailable: 503,
		fault.StorageFull: 507,
	}
	for kind := fault.Internal; kind <= fault.StorageFull; kind++ {
		p := toProblem(fault.New(kind, "some_code", "Some text"))
		if p.Status != want[kind] {
			t.Errorf("kind %d: status %d, want %d", kind, p.Status, want[kind])
		}
		if p.Type != "about:blank" || p.Title != http.StatusText(p.Status) {
			t.Errorf("kind %d: %+v", kind, p.Problem)
		}
		if kind != fault.Internal && (p.Detail != "Some text" || p.Code != "some_code") {
			t.Errorf("kind %d: %+v", kind, p.Problem)
		}
	}
	if p := toProblem(fault.New(200, "from_the_future", canary)); p.Status != 500 || p.Detail != internalDetail {
		t.Errorf("unknown kind: %+v", p.Problem)
	}
}

func TestT8RetryAfterIsWholeSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1", time.Second: "1", 1500 * time.Millisecond: "2", time.Minute: "60",
	} {
		p := toProblem(fault.New(fault.RateLimited, "x", "x").After(d))
		if got := p.header.Get("Retry-After"); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestT6Faults(t *testing.T) {
	run(t, []scenario{
		{name: "a plain error is a 500 without its text", url: "/v1/t/fault/plain", as: "human", status: 500,
			has:   []string{`"type":"about:blank"`, `"title":"Internal Server Error"`, `"status":500`, `"detail":"An unexpected error occurred"`, `"request_id":"`},
			lacks: []string{"EOF"}},
		{name: "so is an internal fault", url: "/v1/t/fault/internal", as: "human", status: 500, lacks: []string{"internal_thing", "for the log"}},
		{name: "a code that clients read as type", url: "/v1/t/fault/limit", as: "human", status: 403,
			has: []string{`"type":"resource_limit_exceeded"`, `"title":"Resource Limit Exceeded"`, "Vault limit reached (3/3)", `"code":"resource_limit_exceeded"`}},
		{name: "fields", url: "/v1/t/fault/fields", as: "human", status: 400, has: []string{`"fields":{"name":"is too long"}`}},
		{name: "out of time", url: "/v1/t/fault/deadline", as: "human", status: 503},
		{name: "a runtime panic", url: "/v1/t/fault/index", as: "human", status: 500, has: []string{internalDetail, "request_id"}},
		{name: "no route", url: "/v1/" + canary, status: 404, has: []string{`"status":404`}},
		{name: "no method", method: "TRACE", url: "/v1/health", status: 405, want: map[string]string{"Allow": "GET"}},
	})
}

func TestT6InternalTextReachesTheLogOnly(t *testing.T) {
	w := newWorld(t)
	w.check(t, scenario{url: "/v1/t/fault/plain", as: "human", status: 500, lacks: []string{"EOF"}})
	if !strings.Contains(w.log.String(), "unexpected EOF") {
		t.Error("the cause is not in the log")
	}
}

func TestPanicsAnswerAndDoNotLeak(t *testing.T) {
	w := newWorld(t)
	w.check(t, scenario{url: "/v1/t/fault/panic", as: "human", status: 500, has: []string{internalDetail}})
	log := w.log.String()
	if strings.Contains(log, canary) {
		t.Errorf("the panic's value is in the log:\n%s", log)
	}
	if !strings.Contains(log, "httpapi.failing") && !strings.Contains(log, "harness_test.go") {
		t.Errorf("no stack in the log:\n%s", log)
	}
	if !strings.Contains(log, `"route":"/v1/t/fault/{code}"`) {
		t.Errorf("no access line:\n%s", log)
	}
	w.check(t, scenario{name: "still serves", url: "/v1/health", status: 200})
}

func TestAbortDropsTheConnection(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w)
	defer srv.Close()
	r, _ := http.NewRequest(get, srv.URL+"/v1/t/fault/abort", nil)
	r.Header.Set("Authorization", "bearer human")
	if resp, err := http.DefaultClient.Do(r); err == nil {
		resp.Body.Close()
		t.Errorf("answered %d", resp.StatusCode)
	}
}
