package shroud_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// second gives w another provider of OpenAI's style, and returns how often it was
// asked.
func (w *world) second(name string, says http.HandlerFunc) *atomic.Int32 {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		says(rw, r)
	}))
	w.Cleanup(s.Close)
	w.Upstreams[name] = &shroud.Upstream{Vendor: provider.Vendor{Name: name, Base: s.URL}, Client: s.Client(), Keyless: true, Silence: 10 * time.Second}
	return &asked
}

func fails(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, `{"error":{"message":"not now"}}`)
	}
}

// dropsConnection takes the request and answers nothing.
func dropsConnection(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// The same request is sent again only where it was certainly not worked on.
func TestAskedAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  http.HandlerFunc
		times  int32 // that it is asked, if it fails the first one
		status int
	}{
		{"an answer", replies("fine"), 1, 200},
		{"busy, for no time", fails(503, "Retry-After", "0"), 2, 200},
		{"busy, for long", fails(503, "Retry-After", "60"), 1, 503},
		{"busy, who knows for how long", fails(503), 1, 503},
		{"an error", fails(500), 1, 500},
		{"too many", fails(429, "Retry-After", "0"), 1, 429},
		{"a connection that breaks once it was asked", dropsConnection, 1, 502},
	} {
		w := newWorld(t, nil)
		n := atomic.Int32{}
		asked := w.second("local", func(rw http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				c.first(rw, r)
			} else {
				replies("fine")(rw, r)
			}
		})
		rec := w.call("local", chat, message("user", "hello"))
		if rec.Code != c.status || asked.Load() != c.times {
			t.Errorf("%s: %d, asked %d times", c.name, rec.Code, asked.Load())
		}
	}
}

// A provider that is not there is tried again, and is there the next time.
func TestNotSentIsSentAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.second("local", replies("fine"))
	tries := 0
	w.Upstreams["local"].Client = &http.Client{Transport: refusing{&tries, &http.Transport{}}}
	if rec := w.call("local", chat, message("user", "hello")); rec.Code != 200 || tries != 3 {
		t.Errorf("%d after %d tries", rec.Code, tries)
	}
	tries = -10
	if rec := w.call("local", chat, message("user", "hello")); rec.Code != 502 || tries != -7 {
		t.Errorf("%d after %d tries", rec.Code, tries+10)
	}
}

// refusing refuses two connections.
type refusing struct {
	tries *int
	next  http.RoundTripper
}

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if *r.tries++; *r.tries < 3 {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("refused")}
	}
	return r.next.RoundTrip(req)
}

// Where a model does not answer, the next does that the agent names and may use.
func TestFallsBack(t *testing.T) {
	for _, c := range []struct {
		name, config string
		first        http.HandlerFunc
		status       int
		by           string // the header
		model        string // that the second provider was asked for
	}{
		{"it answers", `"fallback_models":["spare/small"]`, replies("fine"), 200, "", ""},
		{"too many requests", `"fallback_models":["spare/small"]`, fails(429), 200, "spare/small", "small"},
		{"an error", `"fallback_models":["spare/small"]`, fails(500), 200, "spare/small", "small"},
		{"a refusal that is the request's", `"fallback_models":["spare/small"]`, fails(400), 400, "", ""},
		{"a broken connection", `"fallback_models":["spare/small"]`, dropsConnection, 200, "spare/small", "small"},
		{"none", `"fallback_models":[]`, fails(500), 500, "", ""},
		{"another style", `"fallback_models":["anthropic/claude"]`, fails(500), 500, "", ""},
		{"itself", `"fallback_models":["gpt-4o"]`, fails(500), 500, "", ""},
		{"the second of two", `"fallback_models":["mistral/large","spare/small"],"denied_models":["large"]`, fails(500), 200, "spare/small", "small"},
		{"a provider that it may not use", `"fallback_models":["spare/small"],"allowed_providers":["local"]`, fails(500), 500, "", ""},
		{"a model that it may not use", `"fallback_models":["spare/small"],"denied_models":["sm*"]`, fails(500), 500, "", ""},
		{"a model with a slash", `"fallback_models":["spare/meta/llama"]`, fails(500), 200, "spare/meta/llama", "meta/llama"},
	} {
		w := newWorld(t, fails(500))
		w.config = `{"max_requests_per_minute":1,` + c.config + `}`
		w.second("local", c.first)
		model := ""
		w.second("spare", func(rw http.ResponseWriter, r *http.Request) {
			var body [400]byte
			n, _ := r.Body.Read(body[:])
			_, rest, _ := strings.Cut(string(body[:n]), `"model":"`)
			model, _, _ = strings.Cut(rest, `"`)
			if r.Header.Get("X-Shroud-Api-Key")+r.Header.Get("Authorization") != "Bearer the-key-of-the-site" {
				t.Errorf("%s: the other provider got %v", c.name, r.Header)
			}
			replies("from afar")(rw, r)
		})
		r := httptest.NewRequest("POST", chat, strings.NewReader(message("user", "hello")))
		r.Header.Set("X-Shroud-Agent-Key", "0190a1b2-0000-7000-8000-000000000001:ocv_x")
		r.Header.Set("X-Shroud-Provider", "local")
		r.Header.Set("X-Shroud-Api-Key", "the-key-of-local")
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code != c.status || rec.Header().Get("X-Shroud-Answered-By") != c.by || model != c.model {
			t.Errorf("%s: %d by %q, which was asked for %q: %s", c.name, rec.Code, rec.Header().Get("X-Shroud-Answered-By"), model, rec.Body)
		}
		got := w.reports[0]
		if c.by != "" && (got.Asked != "local/gpt-4o" || got.Provider+"/"+got.Model != c.by) || c.by == "" && got.Asked != "" {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// An agent whose budget does not cover the model that it falls back to gets the
// answer of the first.
func TestFallsBackWithinTheBudget(t *testing.T) {
	w := newWorld(t, nil)
	for budget, want := range map[string]string{"0.01": "", "10": "openai/o1-pro"} {
		w.config = `{"daily_budget_usd":` + budget + `,"fallback_models":["o1-pro"]}`
		n := 0
		w.says = func(rw http.ResponseWriter, r *http.Request) {
			if n++; n == 1 {
				fails(500)(rw, r)
			} else {
				replies("dear")(rw, r)
			}
		}
		rec := w.call("openai", chat, strings.Replace(message("user", "hello"), "gpt-4o", "gpt-5-nano", 1))
		if got := rec.Header().Get("X-Shroud-Answered-By"); got != want {
			t.Errorf("with $%s: %d by %q", budget, rec.Code, got)
		}
	}
}

// Providers whose streams break off are left alone as those that do not answer, and
// the agent's next model is asked at once.
func TestBrokenStreamsCount(t *testing.T) {
	w := newWorld(t, nil)
	w.config = `{"max_requests_per_minute":0,"fallback_models":["spare/small"]}`
	asked := w.second("local", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(rw, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"},\"finish_reason\":null}]}\n\n")
	})
	w.second("spare", streams("whole"))
	body := strings.Replace(message("user", "hello"), "{", `{"stream":true,`, 1)
	for i := range 8 {
		rec := w.call("local", chat, body)
		if want := map[bool]string{true: "half", false: "whole"}[i < 5]; told(rec.Body.String()) != want {
			t.Errorf("call %d: %s", i, rec.Body)
		}
	}
	if n := asked.Load(); n != 5 {
		t.Errorf("it was asked %d times", n)
	}
}

// events answers with a stream of these events.
func events(all ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, ev := range all {
			fmt.Fprint(w, ev+"\n\n")
		}
	}
}

// A stream that begins with an error is no answer: the next model is asked, as long as
// the agent has seen nothing.
func TestStreamsThatBeginWithAnError(t *testing.T) {
	const said, end = `data: {"choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}`, "data: [DONE]"
	const role = `data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`
	const bad = `data: {"error":{"message":"overloaded","type":"server_error"}}`
	const responded = `data: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_1","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"whole"}]}]}}`
	const messaged = `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"whole"}}` + "\n\n" + `data: {"type":"message_stop"}`
	const fell, stayed = "whole", "overloaded"
	for _, c := range []struct {
		name, path string
		first      []string
		then       []string
		has        string
	}{
		{"at once", chat, []string{bad}, []string{strings.Replace(said, "half", "whole", 1), end}, fell},
		{"after who speaks", chat, []string{role, bad}, []string{strings.Replace(said, "half", "whole", 1), end}, fell},
		{"Mistral's way", chat, []string{`data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`}, []string{strings.Replace(said, "half", "whole", 1), end}, fell},
		{"nothing at all", chat, nil, []string{strings.Replace(said, "half", "whole", 1), end}, fell},
		{"after a word", chat, []string{said, bad}, []string{strings.Replace(said, "half", "whole", 1), end}, stayed},
		{"everywhere", chat, []string{bad}, []string{bad}, stayed},
		{"of a response", "/v1/responses", []string{
			`data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"gpt-4o","status":"in_progress","output":[]}}`,
			`data: {"type":"response.failed","sequence_number":1,"response":{"id":"resp_1","status":"failed","error":{"message":"overloaded"},"output":[]}}`,
		}, []string{responded}, fell},
		{"of a message", "/v1/messages", []string{
			"event: message_start\ndata: " + `{"type":"message_start","message":{"id":"msg_1","role":"assistant","content":[],"usage":{"input_tokens":9}}}`,
			"event: error\ndata: " + `{"type":"error","error":{"type":"overloaded_error","message":"overloaded"}}`,
		}, []string{messaged}, fell},
	} {
		w := newWorld(t, nil)
		w.config = `{"fallback_models":["spare/small"]}`
		w.second("local", events(c.first...))
		spare := w.second("spare", events(c.then...))
		if c.path == "/v1/messages" {
			w.Upstreams["local"].Style, w.Upstreams["spare"].Style = provider.Anthropic, provider.Anthropic
		}
		body := strings.Replace(message("user", "hello"), "{", `{"stream":true,`, 1)
		if c.path == "/v1/responses" {
			body = `{"model":"gpt-4o","stream":true,"input":"hello"}`
		}
		rec := w.call("local", c.path, body)
		if got := rec.Body.String(); rec.Code != 200 || !strings.Contains(got, c.has) || c.has == fell && strings.Contains(got, "overloaded") {
			t.Errorf("%s: %d %s", c.name, rec.Code, got)
		}
		if asked := spare.Load() > 0; asked != (c.name != "after a word") || asked != (rec.Header().Get("X-Shroud-Answered-By") == "spare/small") {
			t.Errorf("%s: the other was asked: %v", c.name, asked)
		}
		if got := w.reports[0]; c.has == fell && (got.Model != "small" || got.Refusal != "") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// A stream that cannot be read is the provider's fault, not the client's, and another
// model is asked where it is the first that comes.
func TestStreamsOfGarbage(t *testing.T) {
	const said = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"words \"},\"finish_reason\":null}]}\n\n"
	for _, c := range []struct{ name, stream, config, want string }{
		{"half an object", said + "data: {\"a\":\n\n", `{}`, `"code":502,"message":"upstream error: the stream cannot be read"`},
		{"too deep", said + "data: " + strings.Repeat("[", 500) + "\n\n", `{}`, `"code":502,"message":"upstream error: the stream cannot be read"`},
		{"from the beginning", "data: {\"a\":\n\n", `{"fallback_models":["local/other"]}`, "from the other"},
	} {
		w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(rw, c.stream)
		})
		w.config = c.config
		w.second("local", streams("from the other"))
		rec := w.call("openai", chat, strings.Replace(message("user", "hello"), "{", `{"stream":true,`, 1))
		if !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
}
