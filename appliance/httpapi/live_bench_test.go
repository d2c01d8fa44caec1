package httpapi

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// spread shares b.N requests between width goroutines and counts answers of
// another status.
func spread(b *testing.B, h http.Handler, width int, request func() *http.Request, status int) {
	b.Helper()
	b.ReportAllocs()
	var wg sync.WaitGroup
	var next, bad atomic.Int64
	b.ResetTimer()
	for range width {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				w := &counted{sink: sink{http.Header{}}}
				if h.ServeHTTP(w, request()); w.status != status {
					bad.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := bad.Load(); n > 0 {
		b.Fatalf("%d of %d answers had another status than %d", n, b.N, status)
	}
}

type counted struct {
	sink
	status int
}

func (c *counted) WriteHeader(status int) { c.status = status }
func (c *counted) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return len(p), nil
}

// asking makes requests to the given URLs in turn.
func asking(method string, urls []string, token, body string) func() *http.Request {
	var n atomic.Uint64
	return func() *http.Request {
		r, _ := http.NewRequest(method, urls[n.Add(1)%uint64(len(urls))], strings.NewReader(body))
		if body == "" {
			r.Body = http.NoBody
		}
		r.RemoteAddr = "203.0.113.7:4711"
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return r
	}
}

// benchSecret is what the bare handler answers with: the same JSON.
var benchSecret = api.SecretResponse{
	ID: "0190d6f0-0000-7000-8000-000000000001", Path: "api-keys/stripe", Type: "api_key", Value: "sk_live_abcdefghijklmnop", Version: 1,
	Metadata: api.Object(`{"team":"payments","env":"prod"}`), CreatedBy: "user:0190d6f0-0000-7000-8000-000000000001",
}

func bareSecrets() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.GET("/v1/vaults/:vault/secrets/*path", func(c *gin.Context) { c.JSON(200, benchSecret) })
	g.PUT("/v1/vaults/:vault/secrets/*path", func(c *gin.Context) {
		var in api.PutSecretRequest
		if err := c.ShouldBindJSON(&in); err != nil {
			c.Status(400)
			return
		}
		c.JSON(201, api.SecretMetadataResponse{ID: benchSecret.ID, Path: benchSecret.Path, Type: in.Type, Version: 1, Metadata: in.Metadata})
	})
	g.POST("/v1/auth/agent-token", func(c *gin.Context) {
		var in api.AgentTokenRequest
		if err := c.ShouldBindJSON(&in); err != nil {
			c.Status(400)
			return
		}
		c.JSON(200, api.TokenResponse{AccessToken: strings.Repeat("x", 500), TokenType: "Bearer", ExpiresIn: 3600, AgentID: benchSecret.ID, VaultIDs: []string{}})
	})
	return g
}

// BenchmarkAPI measures what clients do most, from request to answer: the whole
// stack over a real store, the local key module and the audit log, in one
// process, with every event durable before the answer. "bare" is a handler
// that answers the same JSON and does nothing, the price of the libraries.
func BenchmarkAPI(b *testing.B) {
	l := newLive(b, func(c *Config) {
		c.Limits.Global = Rate{PerSecond: 1e9, Burst: 1e6}
		c.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) // format the access line, do not store it
	})
	v := l.vault("owner", "v")
	var urls []string // writers of one path take turns, so there are some
	for i := range 64 {
		urls = append(urls, fmt.Sprintf("%s/secrets/api-keys/stripe-%d", v, i))
		l.want(step{method: put, url: urls[i], as: "owner", body: smallPut, status: 201})
	}
	bot := l.agent("bot", "")
	l.grant("owner", v, bot, "api-keys/**", `["read","write"]`, "")
	l.renew("bot", bot)
	l.forget()
	bare, token := bareSecrets(), l.tokens["bot"]
	for _, op := range []struct {
		name, method string
		urls         []string
		token, body  string
		status       int
	}{
		{"read", get, urls, token, "", 200},
		{"write", put, urls, token, smallPut, 201},
		{"exchange", post, []string{"/v1/auth/agent-token"}, "", `{"api_key":"` + bot.key + `"}`, 200},
	} {
		ask := asking(op.method, op.urls, op.token, op.body)
		b.Run(op.name+"/bare", func(b *testing.B) { spread(b, bare, 1, ask, op.status) })
		b.Run(op.name+"/1", func(b *testing.B) { spread(b, l, 1, ask, op.status) })
		b.Run(op.name+"/64", func(b *testing.B) { spread(b, l, 64, ask, op.status) })
	}
}
