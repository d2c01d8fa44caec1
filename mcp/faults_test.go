package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/mcp"
)

// What is no message gets an answer that says so, and the session goes on.
func TestOddMessages(t *testing.T) {
	a := newAgent(t)
	s := a.connect(ancient, nil)
	header := []string{"Authorization", "Bearer " + a.key, "Mcp-Session-Id", s.ID()}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"nothing":          {"", 400},
		"half of one":      {`{"jsonrpc":"2.0","id":`, 400},
		"not JSON":         {"\x00\xff", 400},
		"another version":  {`{"jsonrpc":"1.0","id":1,"method":"ping"}`, 400},
		"a deep one":       {strings.Repeat("[", 100_000), 400},
		"too large":        {`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("y", 5<<20) + `"}}`, 413},
		"no such method":   {`{"jsonrpc":"2.0","id":1,"method":"secrets/dump"}`, 400},
		"arguments of 1":   {`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_secret","arguments":1}}`, 200},
		"arguments a list": {`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_secret","arguments":[{"path":"a"}]}}`, 200},
		"a path of 1":      {`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"get_secret","arguments":{"path":1}}}`, 200},
		"the right size":   {`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"put_secret","arguments":{"path":"big","value":"` + strings.Repeat("y", 1<<20) + `"}}}`, 200},
	} {
		status, body := post(t, live.url, c.body, header...)
		if status != c.status || status == 200 && !strings.Contains(body, "error") && !strings.Contains(body, "isError") && name != "the right size" {
			t.Errorf("%s: %d %.200s, want %d", name, status, body, c.status)
		}
	}
	if text := s.says("list_vaults", nil); !strings.HasPrefix(text, "Found 1 vault(s):") {
		t.Error(text)
	}
}

// Calls whose callers have gone do no harm to those that come after.
func TestCallersGo(t *testing.T) {
	a := newAgent(t)
	a.keep("k", "password", canary)
	for _, era := range []string{ancient, recent} {
		s := a.connect(era, nil)
		var all sync.WaitGroup
		for range 32 {
			ctx, cancel := context.WithCancel(t.Context())
			all.Go(func() {
				_, _ = s.CallTool(ctx, &sdk.CallToolParams{Name: "get_secret", Arguments: args{"path": "k"}})
			})
			all.Go(cancel)
		}
		all.Wait()
		if text := s.says("get_secret", args{"path": "k"}); !strings.Contains(text, canary) {
			t.Errorf("%s: %s", era, text)
		}
	}
}

// A token that has ended in the middle of a session is exchanged once more; one that is
// refused again is not.
func TestTokensEnd(t *testing.T) {
	var exchanges atomic.Int32
	accepts := "t2"
	answer := func(w http.ResponseWriter, status int, body any) {
		w.Header().Set("Content-Type", map[bool]string{true: "application/json", false: api.ProblemContentType}[status < 300])
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/auth/agent-token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, api.TokenResponse{AccessToken: fmt.Sprint("t", exchanges.Add(1)), ExpiresIn: 3600, AgentID: "a", VaultIDs: []string{"v"}})
	})
	mux.HandleFunc("GET /v1/vaults/v/secrets", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+accepts {
			answer(w, 401, api.Problem{Detail: "token has expired"})
			return
		}
		answer(w, 200, api.SecretListResponse{})
	})
	in, err := mcp.InProcess(mux, "http://api.internal")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(mcp.NewHandler(mcp.Config{API: in}))
	t.Cleanup(server.CloseClientConnections)
	s := dial(t, &sdk.StreamableClientTransport{Endpoint: server.URL + "/mcp", HTTPClient: as("ocv_key"), MaxRetries: -1}, ancient, nil)
	if text := s.says("list_secrets", nil); text != "No secrets found in this vault." || exchanges.Load() != 2 {
		t.Errorf("%s, after %d exchanges", text, exchanges.Load())
	}
	accepts = "none"
	s.fails("list_secrets", nil, "token has expired")
	if got := exchanges.Load(); got != 3 {
		t.Errorf("%d exchanges, want one more", got)
	}
}

// A call that is cancelled, or in the era without sessions given up, ends: what it waits
// for is let go of.
func TestCallsAreCancelled(t *testing.T) {
	a := newAgent(t, "read", "use")
	arrived, gone := make(chan struct{}), make(chan struct{})
	host := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server looks for the end of the connection from here on
		arrived <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	}))
	t.Cleanup(host.Close)
	_, err := live.own.PutSecret(t.Context(), a.vault, "k", api.PutSecretRequest{
		Value: canary, Metadata: api.Object(`{"allowed_hosts":["` + host.URL + `"]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, era := range []string{ancient, recent} {
		s := a.connect(era, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.CallTool(ctx, &sdk.CallToolParams{Name: "http_request_with_secret", Arguments: args{
				"url": host.URL, "headers": args{"authorization": "Bearer {{secret://" + a.vault + "/k}}"},
			}})
			ended <- err
		}()
		<-arrived
		cancel()
		<-gone
		if err := <-ended; err == nil {
			t.Errorf("%s: the call came to an end by itself", era)
		}
		if text := s.says("list_secrets", nil); !strings.HasPrefix(text, "Found 1 secret(s):") {
			t.Errorf("%s: %s", era, text)
		}
	}
}
