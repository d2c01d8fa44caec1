package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
)

// bareVariable makes the test program serve next to nothing, in a process of
// its own: what HTTP and the router cost on this machine, to hold the daemon's
// figures against. It is what to serve: routes, a model that is instant, or, as the
// address of one, a plain reverse proxy to it.
const bareVariable = "ONECLAW_E2E_BARE"

const (
	bareRoutes = "routes"
	bareModel  = "model"
)

func serveBare() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	server := http.Server{Handler: bareHandler(os.Getenv(bareVariable))}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func bareHandler(serves string) http.Handler {
	switch serves {
	case bareModel:
		return http.HandlerFunc(instant)
	case bareRoutes:
		gin.SetMode(gin.ReleaseMode)
		g := gin.New()
		g.GET("/v1/vaults/:vault/secrets/*path", func(c *gin.Context) {
			c.JSON(http.StatusOK, gin.H{"path": c.Param("path"), "type": "generic", "value": benchValue, "version": 1})
		})
		return g
	}
	to, err := url.Parse(serves)
	if err != nil {
		panic(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	return proxy
}

// bare starts a server that serves that and returns its address and process.
func bare(b *testing.B, serves string) (address string, p *process) {
	b.Helper()
	dir := b.TempDir()
	p = launch(b, filepath.Join(dir, "out"), filepath.Join(dir, "err"), []string{bareVariable + "=" + serves}, os.Args[0])
	eventually(b, patience, "listening", func() bool {
		text, err := os.ReadFile(p.stdout)
		address, _ = strings.CutPrefix(strings.TrimSpace(string(text)), "http://")
		return err == nil && strings.HasSuffix(string(text), "\n")
	})
	return address, p
}
