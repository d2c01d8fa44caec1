package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestMCPIdleSessions has a thousand sessions wait, each with the stream on which it would
// hear of news, and then some of each agent's work at once.
func TestMCPIdleSessions(t *testing.T) {
	const agents, each, kbEach = 4, 250, 64
	d := newLocal(t, "--set", "mcp.listen=127.0.0.1:0")
	d.env = []string{"GOGC=50"} // what is resident is to be what is used, more or less
	d.start()
	as := make([]*tooler, agents)
	for i := range as {
		as[i] = d.tooler(t)
		as[i].keepOwn(t)
	}
	before := megabytes(d.proc.cmd.Process.Pid)
	open := map[*tooler][]*toolSession{}
	for _, k := range as {
		for range each {
			s := k.session(t)
			s.listen(t)
			open[k] = append(open[k], s)
		}
	}
	if got := (megabytes(d.proc.cmd.Process.Pid) - before) * 1024 / (agents * each); got > kbEach {
		t.Errorf("a session that waits takes %.0f KB", got)
	} else {
		t.Logf("a session that waits, and its stream: %.0f KB", got)
	}
	var all sync.WaitGroup
	for _, k := range as {
		for i := 0; i < each; i += each / 10 {
			all.Go(func() { open[k][i].readsOwn(t) })
		}
	}
	all.Wait()
	// The share is not the whole: there is room for others, and for one's own in the place
	// of the one that was used the longest ago.
	d.tooler(t).session(t).says(t, "list_secrets", nil, "No secrets found in this vault.")
	for range 16 {
		as[0].session(t)
	}
	const over = each + 16 - 4096/16
	eventually(t, patience, fmt.Sprint(over, " sessions made room"), func() bool {
		ended := 0
		for _, s := range open[as[0]] {
			if res, _ := s.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); res.status == http.StatusNotFound {
				ended++
			}
		}
		return ended == over
	})
}

// own is a secret of an agent that no other may see.
func (k *tooler) own() string { return "CANARY-" + k.id }

func (k *tooler) keepOwn(t *testing.T) {
	k.d.human().do("PUT", secretPath(k.vault, "own"), map[string]any{"value": k.own(), "type": "note"}).is(t, 201)
}

func (s *toolSession) readsOwn(t *testing.T) {
	want := fmt.Sprintf(`{"path":"own","type":"note","version":1,"value":"%s"}`, s.k.own())
	if text, failed := s.call(t, "get_secret", map[string]any{"path": "own"}); failed || text != want {
		t.Errorf("%s, want %s", text, want)
	}
}

// listen opens the stream of a session, until the test ends.
func (s *toolSession) listen(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.k.d.mcp+"/mcp", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + s.k.key, "Accept": "text/event-stream", "Mcp-Session-Id": s.id} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("a stream: %s %s", res.Status, kind)
	}
}
