package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// sink is a response that costs nothing itself.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

func serve(b *testing.B, h http.Handler, method, url, body string) {
	b.ReportAllocs()
	for b.Loop() {
		r, _ := http.NewRequest(method, url, strings.NewReader(body))
		if body == "" {
			r.Body = http.NoBody
		}
		r.RemoteAddr = "203.0.113.7:4711"
		r.Header.Set("Authorization", "Bearer human")
		h.ServeHTTP(&sink{http.Header{}}, r)
	}
}

func benchWorld(b *testing.B) *world {
	return newWorld(b, unlimited, func(c *Config) {
		c.Limits.Global = Rate{PerSecond: 1e9, Burst: 1e6}
		c.Log = slog.New(slog.NewJSONHandler(discard{}, nil)) // format the access line, do not store it
	})
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func bareGin() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.GET("/v1/t/authed", func(c *gin.Context) { c.Status(204) })
	g.GET("/v1/t/:vault/things/*path", func(c *gin.Context) {
		c.JSON(200, thing{Vault: c.Param("vault"), Path: c.Param("path")})
	})
	g.PUT("/v1/t/puts/:id", func(c *gin.Context) {
		var in api.PutSecretRequest
		if err := c.ShouldBindJSON(&in); err != nil {
			c.Status(400)
			return
		}
		c.Status(204)
	})
	return g
}

const smallPut = `{"value":"sk_live_abcdefghijklmnop","type":"api_key","metadata":{"team":"payments","env":"prod"}}`

func BenchmarkEmpty(b *testing.B) {
	b.Run("gin", func(b *testing.B) { serve(b, bareGin(), get, "/v1/t/authed", "") })
	b.Run("stack", func(b *testing.B) { serve(b, benchWorld(b), get, "/v1/t/authed", "") })
}

func BenchmarkGet(b *testing.B) {
	b.Run("gin", func(b *testing.B) { serve(b, bareGin(), get, "/v1/t/V/things/api-keys/stripe", "") })
	b.Run("stack", func(b *testing.B) { serve(b, benchWorld(b), get, "/v1/t/V/things/api-keys/stripe", "") })
}

func BenchmarkPut(b *testing.B) {
	b.Run("gin", func(b *testing.B) { serve(b, bareGin(), put, putURL, smallPut) })
	b.Run("stack", func(b *testing.B) { serve(b, benchWorld(b), put, putURL, smallPut) })
}

func BenchmarkCheckJSON(b *testing.B) {
	body := []byte(smallPut)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := checkJSON(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := newLimiter(Rate{PerSecond: 1e9, Burst: 1 << 20}, defaultGlobal)
	ctx := context.WithValue(context.Background(), callKey{}, &call{})
	b.ReportAllocs()
	for b.Loop() {
		l.take(callFrom(ctx).ip)
	}
}
