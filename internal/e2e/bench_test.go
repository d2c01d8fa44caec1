package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// The benchmarks measure the built daemon over HTTP on a SoftHSM token, with
// everything as in production: each read is decided, audited and synced before
// its value is unwrapped in the token. Generator (wire_test.go), daemon and token
// share the cores of one machine, so the figures are a lower bound; what each
// process took is reported too.

var widths = []int{1, 16, 64}

const benchValue = "sk_live_0123456789abcdef0123456789abcdef"

// benchDaemon is a daemon with a vault, a secret that an agent may read, and
// the agent's key and token.
func benchDaemon(b *testing.B, args ...string) (d *daemon, vault, key, token string) {
	needSoftHSM(b)
	d = newDev(b, args...).start()
	h := d.human()
	vault = h.vault(b, "bench")
	h.put(vault, "api-keys/stripe", benchValue).is(b, 201)
	agent, key := h.agent(b, "bench")
	h.policy(vault, agent, "api-keys/**", "read").is(b, 201)
	return d, vault, key, h.token(b, key)
}

// wide measures at each width, and how much of the processors each of some
// processes took: other work on the machine changes that less than the rate.
func wide(b *testing.B, f volley, of ...busy) {
	for _, width := range widths {
		b.Run(fmt.Sprintf("conns=%d", width), func(b *testing.B) {
			defer costs(b, of)()
			b.ReportMetric(f.load(b, width, b.N), "req/s")
		})
	}
}

// busy is a process whose time is measured.
type busy struct {
	name string
	pid  int
}

// costs reports what processes took of the processors for each operation from now
// until done is called.
func costs(b *testing.B, of []busy) (done func()) {
	of = append(of[:len(of):len(of)], busy{"generator", os.Getpid()})
	before := make([]int, len(of))
	for i, p := range of {
		before[i] = processorTime(b, p.pid)
	}
	return func() {
		for i, p := range of {
			b.ReportMetric(float64(processorTime(b, p.pid)-before[i])*1e4/float64(b.N), p.name+"-cpu-µs/op")
		}
	}
}

// processes are the daemon and its broker.
func (d *daemon) processes() []busy {
	return []busy{{"daemon", d.pid}, {"broker", d.broker()}}
}

// BenchmarkE2ERead is an agent that reads a secret with its token.
func BenchmarkE2ERead(b *testing.B) {
	d, vault, _, token := benchDaemon(b)
	get := request("GET", secretPath(vault, "api-keys/stripe"), token, "")
	wide(b, volley{d.api, 200, always(get), benchRead}, d.processes()...)
}

// benchRead checks the answer to a read.
func benchRead(body []byte) error {
	var got api.SecretResponse
	if err := json.Unmarshal(body, &got); err != nil || got.Value != benchValue {
		return fmt.Errorf("%q, %w", got.Value, err)
	}
	return nil
}

// BenchmarkE2EReadDuringLogins is BenchmarkE2ERead at 16 connections, alone and
// while 50 others try to sign in as fast as they are let.
func BenchmarkE2EReadDuringLogins(b *testing.B) {
	d, vault, _, token := benchDaemon(b, "--set", "limits.auth_rate=0")
	get := request("GET", secretPath(vault, "api-keys/stripe"), token, "")
	for _, logins := range []int{0, 50} {
		b.Run(fmt.Sprintf("logins=%d", logins), func(b *testing.B) {
			over := storming(d, logins)
			b.ResetTimer()
			b.ReportMetric(volley{d.api, 200, always(get), benchRead}.load(b, 16, b.N), "req/s")
			b.StopTimer()
			b.ReportMetric(float64(over())/b.Elapsed().Seconds(), "logins/s")
			b.ReportMetric(float64(kilobytes(d.pid, "status", "VmHWM"))/1024, "peak-MB")
		})
	}
}

// BenchmarkE2EBareGin is the same request to a handler that does nothing.
func BenchmarkE2EBareGin(b *testing.B) {
	get := request("GET", secretPath("00000000-0000-4000-8000-000000000000", "api-keys/stripe"), "none", "")
	address, _ := bare(b, bareRoutes)
	wide(b, volley{address, 200, always(get), benchRead})
}

// BenchmarkE2EHealth is the cheapest answer of the daemon.
func BenchmarkE2EHealth(b *testing.B) {
	d, _, _, _ := benchDaemon(b)
	get := request("GET", "/v1/health", "", "")
	wide(b, volley{d.api, 200, always(get), nil}, d.processes()...)
}

// BenchmarkE2EWrite writes a new secret each time.
func BenchmarkE2EWrite(b *testing.B) {
	d, vault, _, _ := benchDaemon(b)
	var n atomic.Int64
	wide(b, volley{d.api, 201, func(int) []byte {
		return request("PUT", secretPath(vault, fmt.Sprintf("w/%d", n.Add(1))), d.owner.APIKey, `{"value":"`+benchValue+`"}`)
	}, nil}, d.processes()...)
}

// BenchmarkE2EExchange buys a token with an agent's key, which the token signs.
func BenchmarkE2EExchange(b *testing.B) {
	d, _, key, _ := benchDaemon(b)
	post := request("POST", "/v1/auth/agent-token", "", `{"api_key":"`+key+`"}`)
	wide(b, volley{d.api, 200, always(post), nil}, d.processes()...)
}

// BenchmarkE2EStore loads 100,000 secrets, or ONECLAW_BENCH_SECRETS, through the
// API and measures what a daemon with them costs: how long from a stop to the
// first answered read, and memory. PSS counts a page that both processes map
// half for each.
func BenchmarkE2EStore(b *testing.B) {
	secrets := number(b, "ONECLAW_BENCH_SECRETS", 100_000)
	d, vault, _, token := benchDaemon(b)
	put := func(i int) []byte {
		path := fmt.Sprintf("team%d/app%d/key", i%100, i/100)
		return request("PUT", secretPath(vault, path), d.owner.APIKey, `{"value":"`+benchValue+`"}`)
	}
	b.Logf("loaded %d secrets at %.0f req/s", secrets, volley{d.api, 201, put, nil}.load(b, 64, secrets))
	b.Run("restart", func(b *testing.B) {
		var took time.Duration
		for range b.N {
			d.stop()
			begin := time.Now()
			d.start()
			if got := d.as(token).value(b, vault, "api-keys/stripe"); got != benchValue {
				b.Fatal(got)
			}
			took += time.Since(begin)
		}
		b.ReportMetric(float64(took.Microseconds())/1e3/float64(b.N), "ms-to-first-read")
		b.ReportMetric(megabytes(d.pid), "daemon-fresh-MB")
	})
	b.Run("read", func(b *testing.B) {
		get := func(i int) []byte {
			i = i * 7919 % secrets
			return request("GET", secretPath(vault, fmt.Sprintf("team%d/app%d/key", i%100, i/100)), d.owner.APIKey, "")
		}
		b.ReportMetric(volley{d.api, 200, get, benchRead}.load(b, 16, b.N), "req/s")
		b.ReportMetric(megabytes(d.pid), "daemon-MB")
		b.ReportMetric(megabytes(d.broker()), "broker-MB")
		b.ReportMetric(float64(kilobytes(d.pid, "status", "RssAnon"))/1024, "daemon-anon-MB")
		if info, err := os.Stat(filepath.Join(d.data, "state.db")); err == nil {
			b.ReportMetric(float64(info.Size())/float64(secrets), "file-B/secret")
		}
		if info, err := os.Stat(binary); err == nil {
			b.ReportMetric(float64(info.Size())/(1<<20), "binary-MB")
		}
	})
}

// megabytes is the memory of a process: its PSS, or its RSS where that cannot
// be read.
func megabytes(pid int) float64 {
	kb := kilobytes(pid, "smaps_rollup", "Pss")
	if kb == 0 {
		kb = kilobytes(pid, "status", "VmRSS")
	}
	return float64(kb) / 1024
}
