package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

// forwarding is a daemon with a forward proxy, and an agent whose clients know of it
// what they are told: the proxy's address, and whom to trust.
type forwarding struct {
	*daemon
	agent   *talker
	address string
	proxy   string // with the agent's credentials, as HTTPS_PROXY
	ca      string // a file
	vault   string
}

// forwards starts a daemon whose forward proxy reaches hosts.
func forwards(t *testing.T, upstreamCA string, hosts []string, more ...string) *forwarding {
	t.Helper()
	f := &forwarding{address: porttest.Address(t)}
	args := []string{
		"--set", "forward.listen=" + f.address, "--set", "forward.hosts=" + strings.Join(hosts, ","),
		"--set", "egress.ca_file=" + upstreamCA, "--set", "egress.allow_loopback=true",
	}
	f.daemon = newLocal(t, append(args, more...)...).start()
	f.agent = f.talker(t, map[string]any{"max_requests_per_minute": 0})
	f.learn(t)
	return f
}

// learn is what somebody tells the agent's clients.
func (f *forwarding) learn(t *testing.T) {
	t.Helper()
	f.ca = filepath.Join(t.TempDir(), "ca.pem")
	f.vault = f.agent.vault
	f.proxy = "http://" + f.agent.id + ":" + f.agent.key + "@" + f.address
	res, err := http.Get("http://" + f.address + "/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil {
		err = os.WriteFile(f.ca, text, 0o600)
	}
	if err != nil || !strings.Contains(string(text), "NODE_EXTRA_CA_CERTS") {
		t.Fatalf("%s %v", text, err)
	}
}

// goClient is Go's own client through the proxy.
func (f *forwarding) goClient(t *testing.T) *http.Client {
	t.Helper()
	at, err := url.Parse(f.proxy)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
	}}
}

// service is a host with a key that it gives back in all its answers.
func service(t *testing.T) (host, ca string, asked *atomic.Pointer[http.Request]) {
	t.Helper()
	asked = &atomic.Pointer[http.Request]{}
	p := newPair(t)
	cert, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		got := r.Header.Get("Authorization")
		w.Header().Set("X-Echo", got)
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "you sent "+got+" and "+string(body))
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return "localhost:" + s.URL[strings.LastIndexByte(s.URL, ':')+1:], p.cert, asked
}

// TestForwardProxy has clients that know nothing but HTTPS_PROXY call a service with a
// key that their agent never sees, and a model.
func TestForwardProxy(t *testing.T) {
	const key, word = "sk_live_canaryOfTheService42", "CANARY-7f3b2c9d1e5a"
	host, serviceCA, asked := service(t)
	model := newUpstream(t, "openai", word, httptest.NewServer)
	f := forwards(t, serviceCA, []string{host}, "--set", "shroud.providers=openai="+model.URL+"/v1")
	h := f.human()
	h.do("PUT", secretPath(f.vault, "api/service"), map[string]any{"value": key, "metadata": map[string]any{"allowed_hosts": []string{host}}}).is(t, 201)
	h.put(f.vault, "door/word", word).is(t, 201)
	h.put(f.vault, "providers/openai/api-key", "key-of-the-vault").is(t, 201)

	sent := func(who, want, told string) {
		t.Helper()
		r := asked.Swap(nil)
		if r == nil || r.Header.Get("Authorization") != want || r.Header.Get("Proxy-Authorization") != "" || r.URL.String() != "/v1/charges?a=b%20c" {
			t.Errorf("%s: the service was asked %+v", who, r)
		}
		if strings.Contains(told, key) || !strings.Contains(told, "[REDACTED:api/service]") {
			t.Errorf("%s was told %s", who, told)
		}
	}
	at := "https://" + host + "/v1/charges?a=b%20c"

	t.Run("curl", func(t *testing.T) {
		for _, args := range [][]string{{"-H", "Authorization: Bearer {{secret:api/service}}"}, {"-u", "me:{{secret:api/service}}"}} {
			out, err := exec.Command("curl", append([]string{"-sSi", "--max-time", "30", "--proxy", f.proxy, "--cacert", f.ca, at}, args...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v %s", err, out)
			}
			want := "Bearer " + key
			if args[0] == "-u" {
				want = "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+key))
			}
			sent("curl", want, string(out))
		}
	})
	t.Run("Go", func(t *testing.T) {
		req, _ := http.NewRequest("POST", at, strings.NewReader("a body"))
		req.Header.Set("Authorization", "Bearer {{secret:api/service}}")
		res, err := f.goClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if res.ProtoMajor != 2 || !strings.HasSuffix(string(body), "a body") {
			t.Errorf("%s %s %v", res.Proto, body, err)
		}
		sent("Go", "Bearer "+key, string(body)+res.Header.Get("X-Echo"))
	})
	t.Run("Node", func(t *testing.T) {
		js := npm(t)
		js.env = []string{"NODE_USE_ENV_PROXY=1", "HTTPS_PROXY=" + f.proxy, "NODE_EXTRA_CA_CERTS=" + f.ca}
		line, err := js.lines(t, "fetch.mjs")(map[string]any{"url": at, "method": "GET", "headers": map[string]string{"authorization": "Bearer {{secret:api/service}}"}})
		if err != nil {
			t.Fatal(err)
		}
		sent("Node", "Bearer "+key, string(line))

		ask := js.lines(t, filepath.Join("sdk", "openai.mjs"))
		for _, todo := range []string{"chat", "stream"} {
			line, err := ask(map[string]any{"base": "https://api.openai.com", "todo": todo, "text": "I know that " + word + " opens it.", "headers": map[string]string{
				"Authorization": "Bearer {{secret:providers/openai/api-key}}",
			}})
			var a sdkAnswer
			if err != nil || json.Unmarshal(line, &a) != nil || a.Text != "the word is [REDACTED:door/word], I think" {
				t.Errorf("%s: %s %v", todo, line, err)
			}
			if asked := model.last(); !strings.Contains(asked.body, "I know that [REDACTED:door/word] opens it.") || asked.credential() != "key-of-the-vault" {
				t.Errorf("%s: the model was asked %+v", todo, asked)
			}
		}
	})

	t.Run("refused", func(t *testing.T) {
		h.do("PUT", secretPath(f.vault, "api/other"), map[string]any{"value": key + "-2", "metadata": map[string]any{"allowed_hosts": []string{"other.example"}}}).is(t, 201)
		for text, want := range map[string]string{
			"{{secret:api/other}}": "host_not_allowed", "{{secret:door/word}}": "no_allowed_hosts", "{{secret:not/there}}": "secret_use_denied",
			"{{ secret:api/service}}": "invalid_placeholder", key: "secret_in_request",
		} {
			req, _ := http.NewRequest("GET", at, nil)
			req.Header.Set("X-Key", text)
			res, err := f.goClient(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var p api.Problem
			err = json.NewDecoder(res.Body).Decode(&p)
			if _ = res.Body.Close(); err != nil || p.Code != want || p.Status != res.StatusCode || res.Header.Get("Content-Type") != api.ProblemContentType {
				t.Errorf("%s is refused with %+v, %v", want, p, err)
			}
		}
		if got := through(t, f.address, "localhost:1", "Proxy-Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(f.agent.id+":"+f.agent.key))+"\r\n"); got != 403 {
			t.Errorf("another port: %d", got)
		}
		if r := asked.Load(); r != nil {
			t.Errorf("the service was asked %+v", r)
		}
	})

	events := h.do("GET", "/v1/audit/events?limit=100", nil).is(t, 200).String()
	for where, text := range map[string]string{"log": f.log(), "audit log": events} {
		for _, secret := range []string{key, word, f.agent.key, base64.StdEncoding.EncodeToString([]byte("me:" + key))} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret is in the %s", where)
			}
		}
	}
	if !strings.Contains(events, `"secret.used"`) || strings.Contains(events, "charges") {
		t.Error("the audit log does not say what was used, or says too much")
	}
	f.outlives(t)
	if export := f.human().do("GET", "/v1/audit/export", nil).is(t, 200).String(); strings.Count(export, `"forward.ca"`) != 1 {
		t.Error("the audit log does not say that a CA was made, once")
	}
}

// outlives starts the daemon again: what clients trust is as it was, and is no key.
func (f *forwarding) outlives(t *testing.T) {
	t.Helper()
	before, _ := os.ReadFile(f.ca)
	f.restart()
	res, err := http.Get("http://" + f.address + "/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	after, _ := io.ReadAll(res.Body)
	if !bytes.Equal(before, after) || bytes.Contains(after, []byte("PRIVATE")) {
		t.Errorf("another CA after a restart, or its key: %s", after)
	}
}
