package shroud_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// BenchmarkCall is a prompt of 400 bytes with a vault of 1,000 values: straight to
// the model, through a plain reverse proxy, and through Shroud; each over TCP.
func BenchmarkCall(b *testing.B) {
	model := httptest.NewServer(replies("All is well with the deployment, and nothing has to be done."))
	b.Cleanup(model.Close)
	to, err := url.Parse(model.URL)
	if err != nil {
		b.Fatal(err)
	}
	plain := httptest.NewServer(httputil.NewSingleHostReverseProxy(to))
	b.Cleanup(plain.Close)
	w := newWorld(b, replies("All is well with the deployment, and nothing has to be done."))
	var values []string
	for i := range 1000 {
		values = append(values, fmt.Sprintf("value-%04d-%x-of-the-vault", i, i*i*7919+13))
	}
	w.knows(values...)
	own := httptest.NewServer(w)
	b.Cleanup(own.Close)
	for name, base := range map[string]string{"direct": model.URL, "plain": plain.URL, "shroud": own.URL} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			n := 0
			for b.Loop() {
				n++
				// Another text each time: one that was seen is not inspected again.
				text := strings.Repeat(fmt.Sprintf("Please look at run %d of the deployment and say what went wrong. ", n), 6)
				req, err := http.NewRequest("POST", base+chat, strings.NewReader(message("user", text)))
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("X-Shroud-Agent-Key", "0190a1b2-0000-7000-8000-000000000001:ocv_x")
				req.Header.Set("X-Shroud-Provider", "openai")
				res, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					b.Fatal(res.Status)
				}
			}
		})
	}
}

// BenchmarkStream is what a piece of a stream costs.
func BenchmarkStream(b *testing.B) {
	pieces := strings.SplitAfter(strings.Repeat("one more word of the answer ", 200), " ")
	w := newWorld(b, streams(pieces...))
	w.knows("hunter2hunter2")
	body := strings.Replace(message("user", "and?"), "{", `{"stream":true,`, 1)
	for b.Loop() {
		if rec := w.call("openai", chat, body); rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pieces)), "ns/piece")
}

// BenchmarkResent is a conversation of 400 kB that is sent again with one new
// message.
func BenchmarkResent(b *testing.B) {
	w := newWorld(b, replies("fine"))
	w.knows("hunter2hunter2")
	var turns []string
	for i := range 100 {
		turns = append(turns, `{"role":"user","content":`+quoted(strings.Repeat(fmt.Sprintf("In turn %d we spoke of the plan. ", i), 120))+`}`)
	}
	old := strings.Join(turns, ",")
	b.SetBytes(int64(len(old)))
	n := 0
	for b.Loop() {
		n++
		body := `{"model":"gpt-4o","messages":[` + old + `,{"role":"user","content":"and now, ` + fmt.Sprint(n) + `?"}]}`
		if rec := w.call("openai", chat, body); rec.Code != http.StatusOK {
			b.Fatal(rec.Code, rec.Body)
		}
	}
}
