package shroud_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud"
)

const restores = `{"restore_pii":true,"max_requests_per_minute":0,"max_requests_per_day":0}`

func pieces(text string, n int) (out []string) {
	for ; len(text) > n; text = text[n:] {
		out = append(out, text[:n])
	}
	return append(out, text)
}

// What was replaced in the request is put back in the answer, whole and wherever its
// stream is cut, in what is said and in the calls of tools, but nothing else is.
func TestPersonalDataComesBack(t *testing.T) {
	const asks = "Write to jane.doe@example.com, and to bob@example.org."
	for _, c := range []struct{ name, config, asks, says, told string }{
		{"both", restores, asks, "I write to [EMAIL_2] and [EMAIL_1].", "I write to bob@example.org and jane.doe@example.com."},
		{"one that there is not", restores, asks, "to [EMAIL_3], [PHONE_1] and [EMAIL_1", "to [EMAIL_3], [PHONE_1] and [EMAIL_1"},
		{"not asked for", `{}`, asks, "to [EMAIL_1].", "to [EMAIL_1]."},
		{"what only looks like one", restores, "I mean [EMAIL_1], not jane.doe@example.com.", "[EMAIL_1] or [EMAIL_2]", "[EMAIL_1] or jane.doe@example.com"},
		{"a value of the vault does not", restores, "hunter2hunter2 of jane.doe@example.com", "hunter2hunter2 [EMAIL_1]", "[REDACTED:path/0] jane.doe@example.com"},
	} {
		w := newWorld(t, replies(c.says))
		w.knows("hunter2hunter2")
		w.config = c.config
		rec := w.call("openai", chat, message("user", c.asks))
		if strings.Contains(string(w.asked), "jane.doe") || !strings.Contains(rec.Body.String(), quoted(c.told)) {
			t.Errorf("%s: asked %s, told %s", c.name, w.asked, rec.Body)
		}
		for n := 1; n < len(c.says); n++ {
			w.says = streams(pieces(c.says, n)...)
			rec := w.call("openai", chat, strings.Replace(message("user", c.asks), "{", `{"stream":true,`, 1))
			if got := told(rec.Body.String()); got != c.told {
				t.Errorf("%s in pieces of %d: %q", c.name, n, got)
			}
		}
	}
}

func TestPersonalDataInCallsOfTools(t *testing.T) {
	const args = `{"to":"[EMAIL_1]","[EMAIL_1]":1,"note":"\"[EMAIL_1]\""}`
	const whole = `{\"to\":\"jane.doe@example.com\",\"jane.doe@example.com\":1,\"note\":\"\\\"jane.doe@example.com\\\"\"}`
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"send","arguments":%s}}]},"finish_reason":"tool_calls"}]}`, quoted(args))
	})
	w.config = restores
	if rec := w.call("openai", chat, message("user", "Write to jane.doe@example.com.")); !strings.Contains(rec.Body.String(), whole) {
		t.Errorf("%s", rec.Body)
	}
	for n := 1; n < len(args); n++ {
		w.says = func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(rw, `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"send","arguments":""}}]},"finish_reason":null}]}`+"\n\n")
			for _, p := range pieces(args, n) {
				fmt.Fprintf(rw, `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":%s}}]},"finish_reason":null}]}`+"\n\n", quoted(p))
			}
			fmt.Fprint(rw, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`+"\n\ndata: [DONE]\n\n")
		}
		rec := w.call("openai", chat, strings.Replace(message("user", "Write to jane.doe@example.com."), "{", `{"stream":true,`, 1))
		if strings.Contains(rec.Body.String(), "EMAIL") || strings.Count(rec.Body.String(), "jane.doe@example.com") != 3 {
			t.Fatalf("in pieces of %d: %s", n, rec.Body)
		}
	}
}

// What was put back is in the next turn the same token again, in the model's own words
// and calls, too.
func TestPersonalDataInTheNextTurn(t *testing.T) {
	w := newWorld(t, replies("fine"))
	w.config = restores
	w.call("openai", chat, `{"model":"gpt-4o","messages":[{"role":"system","content":"You are of help@example.net."},`+
		`{"role":"user","content":"Write to jane.doe@example.com"},`+
		`{"role":"assistant","content":"I write to jane.doe@example.com.","tool_calls":[{"id":"c1","type":"function","function":{"name":"send","arguments":"{\"to\":\"jane.doe@example.com\"}"}}]},`+
		`{"role":"tool","tool_call_id":"c1","content":"sent to jane.doe@example.com and bob@example.org"}]}`)
	asked := string(w.asked)
	if strings.Contains(asked, "jane.doe") || strings.Count(asked, "[EMAIL_1]") != 4 || !strings.Contains(asked, "[EMAIL_2]") || !strings.Contains(asked, "help@example.net") {
		t.Errorf("the model was asked %s", asked)
	}
}

// Of a conversation that the provider keeps, nobody here knows what a token stands for.
func TestPersonalDataOfKeptConversations(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"id":"r","object":"response","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"to [EMAIL_1]"}]}]}`)
	})
	w.config = restores
	for extra, want := range map[string]string{"": "to jane.doe@example.com", `"previous_response_id":null,`: "to jane.doe@example.com", `"previous_response_id":"r0",`: "to [EMAIL_1]", `"conversation":"c0",`: "to [EMAIL_1]"} {
		rec := w.call("openai", "/v1/responses", `{`+extra+`"model":"gpt-4o","input":"Write to jane.doe@example.com"}`)
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %s", extra, rec.Body)
		}
	}
}

// Conversations at the same time do not know each other's.
func TestPersonalDataOfOthers(t *testing.T) {
	w := newWorld(t, nil)
	w.config = restores
	w.Recorder = forgets{}
	w.second("local", replies("to [EMAIL_1] and [EMAIL_2]"))
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			mine := fmt.Sprintf("person%d@example.com", i)
			r := httptest.NewRequest("POST", chat, strings.NewReader(message("user", "Write to "+mine)))
			r.Header.Set("X-Shroud-Agent-Key", id.New().String()+":ocv_x")
			r.Header.Set("X-Shroud-Provider", "local")
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, r)
			if !strings.Contains(rec.Body.String(), quoted("to "+mine+" and [EMAIL_2]")) {
				t.Errorf("%s: %s", mine, rec.Body)
			}
		})
	}
	wait.Wait()
}

// forgets is a recorder for calls at the same time.
type forgets struct{}

func (forgets) Call(context.Context, shroud.Report) {}
