package mcp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/mcp"
)

// BenchmarkGetSecret reads a secret with the tool and by the API, from 16 callers over
// connections that stay open. Where a machine is busy with other things the processor's time
// says more than the rate; callers and appliance are one process.
func BenchmarkGetSecret(b *testing.B) {
	a := newAgent(b)
	a.keep("k", "password", canary)
	token, err := live.api.AgentToken(b.Context(), api.AgentTokenRequest{APIKey: &a.key})
	if err != nil {
		b.Fatal(err)
	}
	over := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	send := func(b *testing.B, method, url, body string, header ...string) {
		req, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
		if err != nil {
			b.Error(err)
			return
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := over.Do(req)
		if err != nil {
			b.Error(err)
			return
		}
		defer res.Body.Close()
		if text, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(text), canary) {
			b.Errorf("%s %s %v", res.Status, text, err)
		}
	}
	session := a.connect(ancient, nil).ID()
	var calls atomic.Int64
	for name, read := range map[string]func(*testing.B){
		"api": func(b *testing.B) {
			send(b, "GET", live.api.BaseURL()+"/v1/vaults/"+a.vault+"/secrets/k", "", "Authorization", "Bearer "+token.AccessToken)
		},
		"tool": func(b *testing.B) {
			send(b, "POST", live.url, callGet, append(plain, "Authorization", "Bearer "+a.key)...)
		},
		"tool, with progress": func(b *testing.B) { // which the SDK serves
			send(b, "POST", live.url, strings.Replace(callGet, `"_meta":{`, `"_meta":{"progressToken":1,`, 1), append(plain, "Authorization", "Bearer "+a.key)...)
		},
		"tool, in a session": func(b *testing.B) {
			body := strings.Replace(callInSession, `"id":0`, `"id":`+strconv.FormatInt(calls.Add(1), 10), 1)
			send(b, "POST", live.url, body, "Authorization", "Bearer "+a.key, "Content-Type", "application/json",
				"Accept", "application/json, text/event-stream", "Mcp-Protocol-Version", ancient, "Mcp-Session-Id", session)
		},
	} {
		b.Run(name, func(b *testing.B) {
			before := processorTime(b)
			defer func() { b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op") }()
			b.SetParallelism(8)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					read(b)
				}
			})
		})
	}
}

const callGet = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_secret","arguments":{"path":"k"},"_meta":{
	"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},
	"io.modelcontextprotocol/clientInfo":{"name":"b","version":"1"}}}}`

// plain are the headers of a call without a session.
var plain = []string{
	"Content-Type", "application/json", "Accept", "application/json, text/event-stream",
	"Mcp-Protocol-Version", recent, "Mcp-Method", "tools/call", "Mcp-Name", "get_secret",
}

const callInSession = `{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{"name":"get_secret","arguments":{"path":"k"}}}`

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIdleSession is the memory of a session that waits.
func BenchmarkIdleSession(b *testing.B) {
	a := newAgent(b)
	h := mcp.NewHandler(mcp.Config{API: live.api, MaxSessions: 1 << 24})
	before := memory()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/mcp", strings.NewReader(initialize))
		r.Header.Set("Authorization", "Bearer "+a.key)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(memory()-before)/float64(b.N), "bytes/session")
	_ = h.Close(b.Context())
}

// memory is what the heap and the stacks take.
func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
