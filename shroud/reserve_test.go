package shroud_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/meter"
)

// Whoever tries what inspection lets through pays with requests, and is told to wait
// like everybody.
func TestBlockedCallsCount(t *testing.T) {
	w := newWorld(t, replies("fine"))
	w.config = `{"max_requests_per_minute":3,"pii_policy":"block"}`
	for i, want := range []int{403, 403, 200, 429, 429} {
		text := "Write to jane.doe@example.com."
		if want == 200 {
			text = "hello"
		}
		rec := w.call("openai", chat, message("user", text))
		if rec.Code != want || (want == 429) != (rec.Header().Get("Retry-After") != "") {
			t.Errorf("call %d: %d %s", i+1, rec.Code, rec.Body)
		}
	}
	for _, path := range []string{"/v1/no/such/path", chat} {
		if rec := w.call("openai", path, "{"); rec.Code != 429 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

// What several answers may cost is set aside for all of them, before any is there.
func TestSeveralAnswersAreReserved(t *testing.T) {
	const price = `{"provider":"openai","model":"*","input":0,"output":1}` // a micro-dollar for a token
	for _, c := range []struct {
		name, vendor, path, body string
		tokens                   float64
	}{
		{"one", "openai", chat, `{"max_tokens":1000,"messages":[]}`, 1000},
		{"three", "openai", chat, `{"max_tokens":1000,"n":3,"messages":[]}`, 3000},
		{"three, oddly written", "openai", chat, `{"max_completion_tokens":1e3,"n":3.0,"messages":[]}`, 3000},
		{"two of an unbounded length", "openai", chat, `{"n":2,"messages":[]}`, 8192},
		{"to two prompts, the best of two", "openai", "/v1/completions", `{"max_tokens":100,"best_of":2,"prompt":["a","b"]}`, 400},
		{"to one prompt of tokens", "openai", "/v1/completions", `{"max_tokens":100,"prompt":[1,2,3]}`, 100},
		{"candidates", "google", "/v1beta/models/gpt-4o:generateContent", `{"contents":[],"generationConfig":{"maxOutputTokens":50,"candidateCount":4}}`, 200},
		{"more than there is", "openai", chat, `{"max_tokens":1e300,"n":1e300,"messages":[]}`, 1 << 50},
	} {
		var table []meter.Price
		if err := json.Unmarshal([]byte("["+strings.Replace(price, "openai", c.vendor, 1)+"]"), &table); err != nil {
			t.Fatal(err)
		}
		for _, short := range []float64{0, 3} { // tokens that the budget does not cover
			w := newWorld(t, replies("fine"))
			w.prices(table)
			w.config = fmt.Sprintf(`{"daily_budget_usd":%f}`, (c.tokens+1-short)/1e6) // money is rounded up
			rec := w.call(c.vendor, c.path, `{"model":"gpt-4o",`+c.body[1:])
			if want := map[bool]int{true: 200, false: 429}[short == 0]; rec.Code != want {
				t.Errorf("%s, with %v tokens less: %d %s", c.name, short, rec.Code, rec.Body)
			}
		}
	}
}

// Who goes away before there is an answer pays what was set aside for it; nobody gets a
// model for nothing by not listening.
func TestLeavingCosts(t *testing.T) {
	w := newWorld(t, nil)
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	w.says = func(_ http.ResponseWriter, r *http.Request) {
		leave()
		<-r.Context().Done() // the provider is told
		close(gone)
	}
	r := httptest.NewRequestWithContext(ctx, "POST", chat, strings.NewReader(`{"model":"gpt-4o","max_tokens":1000,"messages":[{"role":"user","content":"hello"}]}`))
	r.Header.Set("X-Shroud-Agent-Key", id.New().String()+":ocv_x")
	r.Header.Set("X-Shroud-Provider", "openai")
	w.ServeHTTP(httptest.NewRecorder(), r)
	<-gone
	if got := w.reports[0]; !got.Left || got.Input == 0 || got.Output != 0 || got.Cost.Dollars() < 0.0099 {
		t.Errorf("%+v", got)
	}
}

// An answer that breaks off has cost what was asked and what came of it.
func TestBrokenAnswersCost(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", "1000")
		fmt.Fprint(rw, strings.Repeat("x", 100))
	})
	if rec := w.call("openai", chat, message("user", "hello")); rec.Code != 502 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if got := w.reports[0]; got.Input == 0 || got.Output != 25 || got.Cost == 0 {
		t.Errorf("%+v", got)
	}
}
