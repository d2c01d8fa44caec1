package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// tooler is an agent that calls tools.
type tooler struct {
	d              *daemon
	id, key, vault string
}

// tooler registers an agent with a vault that it may use as it likes.
func (d *daemon) tooler(t testing.TB) *tooler {
	t.Helper()
	made := into[api.AgentCreatedResponse](t, d.human().do("POST", "/v1/agents", map[string]any{"name": "tooler"}).is(t, 201))
	k := &tooler{d: d, id: made.Agent.ID, key: made.APIKey, vault: d.human().vault(t, "tools")}
	d.human().policy(k.vault, k.id, "**", "read", "write", "delete").is(t, 201)
	return k
}

// toolSession is a session with the MCP server, as plain as it gets.
type toolSession struct {
	k    *tooler
	id   string
	last atomic.Int64
}

// session begins a session.
func (k *tooler) session(t testing.TB) *toolSession {
	t.Helper()
	s := &toolSession{k: k}
	header, _ := s.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	if s.id = header.id; s.id == "" {
		t.Fatalf("no session: %d", header.status)
	}
	s.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return s
}

// head is what comes before the body of an answer.
type head struct {
	status int
	id     string // of the session that began
}

func (s *toolSession) post(t testing.TB, body string) (head, []byte) {
	t.Helper()
	req, err := http.NewRequest("POST", s.k.d.mcp+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.k.key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if s.id != "" {
		req.Header.Set("Mcp-Session-Id", s.id)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return head{res.StatusCode, res.Header.Get("Mcp-Session-Id")}, text
}

// call calls a tool and returns its text.
func (s *toolSession) call(t testing.TB, tool string, args map[string]any) (text string, failed bool) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": s.last.Add(1), "method": "tools/call", "params": map[string]any{"name": tool, "arguments": args},
	})
	res, out := s.post(t, string(body))
	_, data, stream := bytes.Cut(out, []byte("data: "))
	if !stream {
		data = out
	}
	var answer struct {
		Result struct {
			Content []struct{ Text string }
			IsError bool
		}
	}
	if err := json.Unmarshal(data, &answer); err != nil || len(answer.Result.Content) == 0 {
		t.Fatalf("%s: %d %s: %v", tool, res.status, out, err)
	}
	for _, c := range answer.Result.Content {
		text += c.Text
	}
	return text, answer.Result.IsError
}

// says calls a tool that is to succeed with a text.
func (s *toolSession) says(t testing.TB, tool string, args map[string]any, want string) {
	t.Helper()
	if text, failed := s.call(t, tool, args); failed || text != want {
		t.Errorf("%s: %q, want %q", tool, text, want)
	}
}

// A daemon without its keys says so to clients of tools, and is back with them
// once it has: the client begins a new session, as it is told to.
func TestMCPComesAndGoes(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t)
	d.start()
	k := d.tooler(t)
	s := k.session(t)
	s.says(t, "put_secret", map[string]any{"path": "a/b", "value": "CANARY-41d6"}, "Secret stored at 'a/b' (version 1, type: api_key).")
	d.restart()
	if res, _ := s.post(t, `{"jsonrpc":"2.0","id":9,"method":"ping"}`); res.status != http.StatusNotFound {
		t.Errorf("a session of before the restart: %d", res.status)
	}
	k.session(t).says(t, "get_secret", map[string]any{"path": "a/b"}, `{"path":"a/b","type":"api_key","version":1,"value":"CANARY-41d6"}`)
	d.stop()
	d.args = append(d.args, "--sealed", "--set", "mcp.listen="+strings.TrimPrefix(d.mcp, "http://"))
	at := d.mcp
	d.spawn()
	eventually(t, patience, "the listener answers", func() bool {
		res, err := http.Get(at + "/health")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusServiceUnavailable
	})
	if res, text := s.post(t, `{"jsonrpc":"2.0","id":9,"method":"ping"}`); res.status != http.StatusServiceUnavailable || !strings.Contains(string(text), "sealed") {
		t.Errorf("a sealed appliance: %d %s", res.status, text)
	}
	d.kill()
	if log := d.log(); strings.Contains(log, "CANARY-41d6") || strings.Contains(log, k.key) {
		t.Error("a secret is in the log")
	}
}

// BenchmarkMCPStart is from the start of `oneclawd mcp` to its first answer.
func BenchmarkMCPStart(b *testing.B) {
	const hello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` + "\n"
	for b.Loop() {
		cmd := exec.Command(binary, "mcp")
		cmd.Env = []string{"ONECLAW_LOCAL_ONLY=true"}
		in, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		_, _ = io.WriteString(in, hello)
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, `"1claw"`) {
			b.Fatalf("%s %v", line, err)
		}
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}
