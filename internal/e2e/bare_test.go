package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
)

// bareVariable makes the test program serve next to nothing, in a process of
// its own: what HTTP and the router cost on this machine, to hold the daemon's
// figures against.
const bareVariable = "ONECLAW_E2E_BARE"

func serveBare() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.GET("/v1/vaults/:vault/secrets/*path", func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"path": c.Param("path"), "type": "generic", "value": benchValue, "version": 1})
	})
	server := http.Server{Handler: g}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bare starts that server and returns its address.
func bare(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	p := launch(b, filepath.Join(dir, "out"), filepath.Join(dir, "err"), []string{bareVariable + "=1"}, os.Args[0])
	var address string
	eventually(b, patience, "listening", func() bool {
		text, err := os.ReadFile(p.stdout)
		address, _ = strings.CutPrefix(strings.TrimSpace(string(text)), "http://")
		return err == nil && strings.HasSuffix(string(text), "\n")
	})
	return address
}
