package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// instant is a model that answers at once. A stream has as many pieces as X-Pieces
// says, and stops in the middle, without an end, where X-Waits is there.
func instant(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	pieces, _ := strconv.Atoi(r.Header.Get("X-Pieces"))
	if pieces == 0 {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"All is well with the deployment, and nothing has to be done."},"finish_reason":"stop"}],"usage":{"prompt_tokens":90,"completion_tokens":13,"total_tokens":103}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	words := strings.Fields("Everything in the logs of that night points to the second node, which lost its clock and then its lease.")
	for i := range pieces {
		fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s \"},\"finish_reason\":null}]}\n\n", words[i%len(words)])
		if err := out.Flush(); err != nil {
			return
		}
		if i == pieces/2 && r.Header.Get("X-Waits") != "" {
			<-r.Context().Done()
			return
		}
	}
	fmt.Fprint(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
}

// way is how a call gets to the model.
type way struct {
	name    string
	address string
	of      []busy // whose time is measured
}

// ways are straight to the model, through a plain reverse proxy, and through Shroud with
// all that it does in production: a vault of 1,000 values that the agent may read, the
// provider's key in it, calls counted and remembered.
func ways(b *testing.B) (all []way, header string, d *daemon) {
	needSoftHSM(b)
	model, _ := bare(b, bareModel)
	plain, proxy := bare(b, "http://"+model)
	d = newDev(b, "--set", "shroud.providers=local=http://"+model+"/v1", "--set", "limits.rate=0").start()
	k := d.talker(b, map[string]any{"max_requests_per_minute": 0, "max_requests_per_day": 0, "max_tokens_per_request": 0})
	put := func(i int) []byte {
		return request("PUT", secretPath(k.vault, fmt.Sprintf("app/key-%d", i)), d.owner.APIKey, fmt.Sprintf(`{"value":"value-%04d-%x-of-the-vault"}`, i, i*i*7919+13))
	}
	volley{d.api, 201, put, nil}.load(b, 16, 1000)
	d.human().put(k.vault, "providers/local/api-key", "sk-of-the-site-000000000001").is(b, 201)
	k.say("local", chat, said("hello")).is(b, 200) // what is made once
	header = "X-Shroud-Agent-Key: " + k.id + ":" + k.key + "\r\nX-Shroud-Provider: local\r\n"
	return []way{
		{"direct", model, nil},
		{"plain", plain, []busy{{"proxy", proxy.cmd.Process.Pid}}},
		{"shroud", d.shroud, d.processes()[:1]},
	}, header, d
}

// asks is a call of a model as it goes over the line.
func asks(header, body string) []byte {
	return fmt.Appendf(nil, "POST "+chat+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
}

// prompt is one of 400 bytes that was not sent before: what was seen is not inspected
// again.
func prompt(i int) string {
	return strings.Repeat(fmt.Sprintf("Please look at run %06d of the deployment and say what went wrong. ", i), 6)[:400]
}

// BenchmarkE2EShroud is a prompt of 400 bytes to a model that is instant.
func BenchmarkE2EShroud(b *testing.B) {
	all, header, _ := ways(b)
	n := 0
	for _, to := range all {
		for _, width := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/conns=%d", to.name, width), func(b *testing.B) {
				requests := make([][]byte, b.N)
				for i := range requests {
					n++
					requests[i] = asks(header, said(prompt(n)))
				}
				took := make([]time.Duration, b.N)
				defer costs(b, to.of)()
				b.ResetTimer()
				b.ReportMetric(timed(b, to.address, width, requests, took), "req/s")
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

// timed is load, with the time that each request takes.
func timed(b *testing.B, address string, width int, requests [][]byte, took []time.Duration) float64 {
	var wires []*wire
	for range width {
		wires = append(wires, dial(b, address))
	}
	begin := time.Now()
	var done sync.WaitGroup
	for c, w := range wires {
		done.Go(func() {
			for i := c; i < len(requests); i += width {
				from := time.Now()
				if status, err := w.send(requests[i]); err != nil || status != 200 {
					b.Errorf("status %d, %v", status, err)
					return
				}
				took[i] = time.Since(from)
			}
		})
	}
	done.Wait()
	return float64(len(requests)) / time.Since(begin).Seconds()
}

// BenchmarkE2EShroudResent is a conversation of 400 kB that is sent again with one new
// message.
func BenchmarkE2EShroudResent(b *testing.B) {
	all, header, _ := ways(b)
	var turns []string
	for i := range 100 {
		quoted, _ := json.Marshal(strings.Repeat(fmt.Sprintf("In turn %d we spoke of the plan. ", i), 120))
		turns = append(turns, `{"role":"user","content":`+string(quoted)+`}`)
	}
	old, n := strings.Join(turns, ","), 0
	for _, to := range all {
		b.Run(to.name, func(b *testing.B) {
			b.SetBytes(int64(len(old)))
			requests := make([][]byte, b.N)
			for i := range requests {
				n++
				requests[i] = asks(header, fmt.Sprintf(`{"model":"m","messages":[%s,{"role":"user","content":"and now, %d?"}]}`, old, n))
			}
			defer costs(b, to.of)()
			b.ResetTimer()
			timed(b, to.address, 1, requests, make([]time.Duration, b.N))
		})
	}
}

// BenchmarkE2EShroudStream is a stream of 200 pieces, each sent by itself, and one of
// one piece: a model that says all at once takes the processor from who passes on what
// it said first.
func BenchmarkE2EShroudStream(b *testing.B) {
	all, header, _ := ways(b)
	for _, to := range all {
		for _, pieces := range []int{1, 200} {
			b.Run(fmt.Sprintf("%s/pieces=%d", to.name, pieces), func(b *testing.B) {
				requests := make([][]byte, b.N)
				for i := range requests {
					requests[i] = asks(header+fmt.Sprintf("X-Pieces: %d\r\n", pieces), said(prompt(i), `"stream":true`))
				}
				first := make([]time.Duration, b.N)
				defer costs(b, to.of)()
				b.ResetTimer()
				cut := firstBytes(b, to, requests, first)
				slices.Sort(first)
				b.ReportMetric(float64(cut), "cut")
				b.ReportMetric(float64(first[len(first)/2].Microseconds()), "first-p50-µs")
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(pieces), "µs/piece")
			})
		}
	}
}

// firstBytes sends requests one after the other, and says how long the first byte of each
// takes. httputil.ReverseProxy loses the end of some, which are cut.
func firstBytes(b *testing.B, to way, requests [][]byte, first []time.Duration) (cut int) {
	conn := dial(b, to.address)
	for i, request := range requests {
		begin := time.Now()
		if _, err := conn.conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := conn.in.Peek(1); err != nil {
			b.Fatal(err)
		}
		first[i] = time.Since(begin)
		res, err := http.ReadResponse(conn.in, nil)
		if err != nil {
			b.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil && strings.HasSuffix(string(text), "[DONE]\n\n") {
			continue
		}
		if to.name != "plain" {
			b.Fatal(err, string(text))
		}
		cut++
		conn = dial(b, to.address)
	}
	return cut
}

// BenchmarkE2EShroudStreams is a thousand streams at once, each of which has begun and
// does not end: what the daemon has of the machine's memory then.
func BenchmarkE2EShroudStreams(b *testing.B) {
	const streams, pieces = 1000, 20
	all, header, d := ways(b)
	shroud := all[len(all)-1]
	idle := float64(kilobytes(d.pid, "status", "RssAnon")) / 1024
	for range b.N {
		var begun sync.WaitGroup
		conns := make([]*wire, streams)
		for i := range conns {
			conns[i] = dial(b, shroud.address)
		}
		begin := make(chan struct{}, 32) // so many at a time
		for i, c := range conns {
			begun.Go(func() {
				begin <- struct{}{}
				defer func() { <-begin }()
				if _, err := c.conn.Write(asks(header+fmt.Sprintf("X-Waits: yes\r\nX-Pieces: %d\r\n", pieces), said(prompt(i), `"stream":true`))); err != nil {
					b.Error(err)
					return
				}
				if err := heard(c.in, pieces/2+1); err != nil {
					b.Error(err)
				}
			})
		}
		begun.Wait()
		b.ReportMetric(float64(kilobytes(d.pid, "status", "VmRSS"))/1024, "daemon-MB")
		anon := float64(kilobytes(d.pid, "status", "RssAnon")) / 1024
		b.ReportMetric(anon, "daemon-anon-MB")
		b.ReportMetric((anon-idle)*1024/streams, "kB/stream")
		for _, c := range conns {
			_ = c.conn.Close()
		}
	}
}

// heard reads until so many events are there.
func heard(in *bufio.Reader, events int) error {
	for events > 0 {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "data: ") {
			events--
		}
	}
	return nil
}
