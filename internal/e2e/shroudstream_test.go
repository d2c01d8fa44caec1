package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/internal/porttest"
)

// TestShroudEndsStreams has many streams that are over at once go through: each of
// them comes to its end, as the model wrote it.
func TestShroudEndsStreams(t *testing.T) {
	needSoftHSM(t)
	const streams, clients = 4000, 8
	says := newModel(t, func(string) string { return "so it is" })
	d := newDev(t)
	d.args = append(d.args, "--set", "shroud.providers=local="+says.URL+"/v1")
	d.start()
	k := d.talker(t, map[string]any{"max_requests_per_minute": 0, "max_requests_per_day": 0})
	d.human().put(k.vault, "db/password", "CANARY-7f3b2c9d1e5a").is(t, 201)
	body := said("is it?", `"stream":true`)
	res, err := http.Post(says.URL, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(res.Body)
	if _ = res.Body.Close(); err != nil || !strings.HasSuffix(string(want), "data: [DONE]\n\n") {
		t.Fatalf("the model itself: %s %v", want, err)
	}
	var left, ends atomic.Int64
	left.Store(streams)
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				a := k.say("local", chat, body)
				if string(a.body) != string(want) || a.err != nil {
					t.Errorf("%v: %d %s", a.err, a.status, a.body)
					return
				}
				ends.Add(1)
			}
		})
	}
	if wait.Wait(); ends.Load() != streams {
		t.Errorf("%d of %d streams came to their end", ends.Load(), streams)
	}
}

// figure is the sum of what a metric's lines say that begin with name.
func figure(text, name string) (sum float64) {
	for _, m := range regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(name)+`\S* (\S+)$`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(m[1], 64)
		sum += n
	}
	return sum
}

// TestShroudOutlivesProviders kills a provider's connections in the middle of its
// streams: clients are told, what came so far counts, and nothing waits for more. Too
// many in a row, and it is left alone for a while.
func TestShroudOutlivesProviders(t *testing.T) {
	const streams, atOnce = 48, 2 // fewer than make it be left alone
	dies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked, _ := io.ReadAll(r.Body); strings.Contains(string(asked), "whole") {
			_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"half an answer"},"finish_reason":null}]}`+"\n\ndata: {\"id\":\"c1\",\"ob")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(dies.Close)
	address := porttest.Address(t)
	d := newLocal(t, "--set", "metrics.listen="+address, "--set", "shroud.listen=127.0.0.1:0", "--set", "shroud.providers=local="+dies.URL+"/v1").start()
	k := d.talker(t, map[string]any{"max_requests_per_minute": 0})
	k.say("local", chat, said("all of it, as a whole")).is(t, 200)
	before := figure(scrape(address), "go_goroutines")
	var wait sync.WaitGroup
	for i := range streams {
		if i%atOnce == 0 {
			wait.Wait()
			k.say("local", chat, said("all of it, as a whole")).is(t, 200)
		}
		wait.Go(func() {
			a := k.say("local", chat, said("hello", `"stream":true`))
			text := string(a.body)
			if a.status != 200 || a.err != nil || !strings.Contains(text, "half an answer") ||
				!strings.Contains(text, `"type":"shroud_error"`) || strings.Contains(text, "[DONE]") || !strings.HasSuffix(text, "}\n\n") {
				t.Errorf("%d %v %s", a.status, a.err, text)
			}
		})
	}
	wait.Wait()
	cut := float64(streams)
	for k.say("local", chat, said("hello", `"stream":true`)).status != 503 {
		if cut++; cut > streams+5 {
			t.Fatal("it is asked however often it fails")
		}
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, patience, "every stream is over for the daemon", func() bool {
		text := scrape(address)
		return figure(text, `oneclawd_shroud_requests_total{outcome="failed",provider="local"}`) == cut+1 &&
			figure(text, `oneclawd_shroud_tokens_total{direction="out",provider="local"}`) == 4*cut &&
			figure(text, `oneclawd_shroud_tokens_total{direction="in",provider="local"}`) >= cut &&
			figure(text, "go_goroutines") <= before+5
	})
}
