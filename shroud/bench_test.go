package shroud_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
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

// BenchmarkStreams is a thousand streams at once, each of which has begun and goes on
// when all have: what they take together is what the process has then.
func BenchmarkStreams(b *testing.B) {
	const streams = 1000
	w, _, _ := newNear(b)
	w.Recorder = forgets{}
	var begun sync.WaitGroup
	goOn := make(chan struct{})
	w.Upstreams["openai"].Client = &http.Client{Transport: roundTrips(func(r *http.Request) *http.Response {
		in, out := io.Pipe()
		go func() {
			for i := range 50 {
				if i == 25 {
					begun.Done()
					<-goOn
				}
				fmt.Fprintf(out, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":null}]}\n\n", quoted("one more word of the answer "))
			}
			fmt.Fprint(out, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
			_ = out.Close()
		}()
		return &http.Response{StatusCode: 200, Request: r, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: in}
	})}
	server := httptest.NewServer(w)
	b.Cleanup(server.Close)
	w.call("openai", "/v1/models", "") // what is made once
	before := live()
	for b.Loop() {
		begun.Add(streams)
		goOn = make(chan struct{})
		var ended sync.WaitGroup
		client := &http.Client{Transport: &http.Transport{}}
		for i := range streams {
			ended.Go(func() {
				body := strings.Replace(message("user", fmt.Sprintf("Please tell me story %d, at some length.", i)), "{", `{"stream":true,`, 1)
				req, err := http.NewRequest("POST", server.URL+chat, strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("X-Shroud-Agent-Key", "0190a1b2-0000-7000-8000-000000000001:ocv_x")
				req.Header.Set("X-Shroud-Provider", "openai")
				res, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				text, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || !strings.HasSuffix(string(text), "[DONE]\n\n") {
					b.Errorf("%v %.200s", err, text)
				}
			})
		}
		begun.Wait()
		b.ReportMetric(resident(b), "RSS-MB")
		b.ReportMetric((live()-before)*1e3/streams, "kB/stream")
		close(goOn)
		ended.Wait()
		client.CloseIdleConnections()
	}
}

// live is what is in use of the heap and of stacks, in MB.
func live() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc+m.StackInuse) / 1e6
}

type roundTrips func(*http.Request) *http.Response

func (f roundTrips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// resident is what the process has of the machine's memory, in MB: the clients and the
// model included.
func resident(b *testing.B) float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	var kb float64
	if _, err := fmt.Sscanf(rest, "%f kB", &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
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
