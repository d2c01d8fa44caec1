package mcp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/mcp"
)

// BenchmarkGetSecret reads a secret with the tool and by the API, from 16 callers over
// connections that stay open.
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
	for name, read := range map[string]func(*testing.B){
		"api": func(b *testing.B) {
			send(b, "GET", live.api.BaseURL()+"/v1/vaults/"+a.vault+"/secrets/k", "", "Authorization", "Bearer "+token.AccessToken)
		},
		"tool": func(b *testing.B) {
			send(b, "POST", live.url, callGet, "Authorization", "Bearer "+a.key, "Content-Type", "application/json",
				"Accept", "application/json, text/event-stream", "Mcp-Protocol-Version", recent, "Mcp-Method", "tools/call", "Mcp-Name", "get_secret")
		},
	} {
		b.Run(name, func(b *testing.B) {
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

// BenchmarkIdleSession is the memory of a session that waits.
func BenchmarkIdleSession(b *testing.B) {
	a := newAgent(b)
	h := mcp.NewHandler(mcp.Config{API: live.api, MaxSessions: 1 << 20})
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
