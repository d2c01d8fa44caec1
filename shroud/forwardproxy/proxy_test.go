package forwardproxy_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Asked", r.Method+" "+r.URL.String())
	w.Header().Set("Set-Cookie", "a=b")
	w.Header().Set("Alt-Svc", `h3=":443"`)
	fmt.Fprintf(w, "%v %s", r.Header, body)
}

// A request comes to its host as it was, but for what is the proxy's, and so does the answer.
func TestPasses(t *testing.T) {
	w := newWorld(t, echo)
	res, text := w.does("POST", "https://example.com/a%2Fb?q=%20", "a body", "X-Own", "1", "X-Own", "2", "X-Shroud-Provider", "openai", "Via", "1.1 me",
		"X-Forwarded-For", "10.0.0.1", "Cookie", "c=d", "Accept-Encoding", "gzip", "User-Agent", "mine")
	if res.StatusCode != 200 || res.Header.Get("X-Asked") != "POST /a%2Fb?q=%20" || res.Header.Get("Alt-Svc") != "" || res.Header.Get("Set-Cookie") == "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	for _, want := range []string{"X-Own:[1 2]", "Cookie:[c=d]", "User-Agent:[mine]", "Accept-Encoding:[identity]", "a body"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	for _, not := range []string{"Proxy-Auth", "Shroud", "Via", "Forwarded", "gzip"} {
		if strings.Contains(text, not) {
			t.Errorf("%s is in %s", not, text)
		}
	}
	if res, _ := w.does("HEAD", "https://example.com/", ""); res.StatusCode != 200 || res.ProtoMajor != 2 {
		t.Errorf("HEAD: %s %d", res.Proto, res.StatusCode)
	}
	if res, text := w.does("GET", "https://a.sub.example.com/", ""); res.StatusCode != 502 || !strings.Contains(text, "target_unreachable") {
		t.Errorf("a host with the certificate of another: %d %s", res.StatusCode, text) // what httptest has is for example.com
	}
	if got := w.recorded(); !slices.Equal(got, []string{"", "", "target_unreachable"}) {
		t.Errorf("recorded %q", got)
	}
}

// What is for a provider of models is Shroud's, with the key that the client sent.
func TestModels(t *testing.T) {
	w := newWorld(t, echo)
	for _, c := range []struct{ path, header, value, key, shroud string }{
		{"/v1/chat/completions", "Authorization", "Bearer sk-own", "sk-own", "/chat/completions"},
		{"/v1/chat/completions", "X-Api-Key", "sk-own", "sk-own", "/chat/completions"},
		{"/v1/models", "Authorization", "Bearer {{secret:providers/openai/api-key}}", "", "/models"},
		{"/v1/models", "X-Other", "x", "", "/models"},
		{"/v2/models", "X-Other", "x", "", "/%"},
		{"/v1%2Fmodels", "X-Other", "x", "", "/%"},
	} {
		w.known, w.paths = nil, nil
		if _, text := w.does("POST", "https://api.openai.com"+c.path, "{}", c.header, c.value); text != "from shroud" || len(w.known) != 1 {
			t.Errorf("%v: %s", c, text)
			continue
		}
		k := w.known[0]
		if k.Provider != "openai" || k.Agent.ID != w.agent || w.paths[0] != c.shroud || (k.Key == nil) != (c.key == "") {
			t.Errorf("%v: %+v %s", c, k, w.paths[0])
		}
		if k.Key != nil {
			if got, err := k.Key(t.Context()); err != nil || string(got.Reveal()) != c.key {
				t.Errorf("%v: %s %v", c, got.Reveal(), err)
			}
		}
	}
	if res, text := w.does("POST", "https://api.openai.com/v1/chat/completions", "{}", "Openai-Organization", "{{secret:a}}"); res.StatusCode != 400 || !strings.Contains(text, "placeholder_not_filled") {
		t.Errorf("a placeholder elsewhere: %d %s", res.StatusCode, text)
	}
	if w.times() != 0 {
		t.Error("it went past Shroud")
	}
}

// Nothing leaves of a request that is refused, and it says why.
func TestRefusals(t *testing.T) {
	w := newWorld(t, echo)
	encoded := base64.StdEncoding.EncodeToString([]byte("user:" + secret))
	for _, c := range []struct {
		name, method, url, body, header, value string
		status                                 int
		code                                   string
	}{
		{"a value in the body", "POST", "https://example.com/", "x " + secret, "", "", 403, "secret_in_request"},
		{"in a header", "GET", "https://example.com/", "", "Authorization", "Bearer " + secret, 403, "secret_in_request"},
		{"encoded in a header", "GET", "https://example.com/", "", "Authorization", "Basic " + encoded, 403, "secret_in_request"},
		{"in the address", "GET", "https://example.com/?a=" + secret, "", "", "", 403, "secret_in_request"},
		{"in disguise", "POST", "https://example.com/", strings.Join(strings.Split(secret, ""), "\u200b"), "", "", 403, "secret_in_request"},
		{"a placeholder in the address", "GET", "https://example.com/%7B%7Bsecret:a%7D%7D", "", "", "", 400, "secret_in_url"},
		{"in the query", "GET", "https://example.com/?a=%7B%7Bsecret%3Aa%7D%7D", "", "", "", 400, "secret_in_url"},
		{"an encoded body", "POST", "https://example.com/", "x", "Content-Encoding", "gzip", 400, "encoded_body"},
		{"a long body", "POST", "https://example.com/", strings.Repeat("x", 5<<20+1), "", "", 413, "request_too_large"},
		{"another method", "TRACE", "https://example.com/", "", "", "", 400, "invalid_method"},
		{"a host that egress forbids", "GET", "https://nowhere.sub.example.com/", "", "", "", 403, "host_forbidden"},
	} {
		var header []string
		if c.header != "" {
			header = []string{c.header, c.value}
		}
		res, text := w.does(c.method, c.url, c.body, header...)
		if res.StatusCode != c.status || !strings.Contains(text, `"code":"`+c.code+`"`) || res.Header.Get("Content-Type") != "application/problem+json" || strings.Contains(text, secret) {
			t.Errorf("%s: %d %s", c.name, res.StatusCode, text)
		}
	}
	if n := w.times(); n != 0 {
		t.Errorf("the host was asked %d times", n)
	}
	if got := w.recorded(); len(got) != 11 || slices.Contains(got, "") {
		t.Errorf("recorded %q", got)
	}
}

// A tunnel is opened to what is on the list, for who may have one.
func TestConnect(t *testing.T) {
	w := newWorld(t, echo)
	agent := func(s string) string {
		return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(s)) + "\r\n"
	}
	for _, c := range []struct {
		target, credentials string
		status              int
		code                string
	}{
		{"example.com:443", w.credentials(), 200, ""},
		{"EXAMPLE.com.:443", w.credentials(), 200, ""},
		{"example.com:8443", w.credentials(), 200, ""},
		{"a.b.sub.example.com:443", w.credentials(), 200, ""},
		{"api.openai.com:443", w.credentials(), 200, ""},
		{"example.com:80", w.credentials(), 403, "host_not_listed"},
		{"sub.example.com:443", w.credentials(), 403, "host_not_listed"},
		{"example.com.evil.org:443", w.credentials(), 403, "host_not_listed"},
		{"plain.example:443", w.credentials(), 403, "host_not_listed"},
		{"127.0.0.1:443", w.credentials(), 403, "target_is_an_address"},
		{"[::1]:443", w.credentials(), 403, "target_is_an_address"},
		{"0x7f.1:443", w.credentials(), 400, "invalid_target"},
		{"example.com:443", "", 407, "proxy_credentials"},
		{"example.com:443", "Proxy-Authorization: Basic !\r\n", 407, "proxy_credentials"},
		{"example.com:443", "Authorization: Bearer x\r\n", 407, "proxy_credentials"},
		{"example.com:443", w.credentials() + w.credentials(), 407, "proxy_credentials"},
		{"evil.org:443", agent(w.agent.String() + ":ocv_wrong"), 407, "invalid_credentials"},
		{"example.com:443", agent(id.New().String() + ":" + key), 407, "invalid_credentials"},
	} {
		res, p := w.dial().says("CONNECT "+c.target+" HTTP/1.1\r\nHost: other.example\r\n"+c.credentials+"\r\n", "CONNECT")
		if res == nil || res.StatusCode != c.status || p.Code != c.code {
			t.Errorf("%s, %q: %+v %+v", c.target, c.credentials, res, p)
		} else if c.status == 407 && len(res.Header.Values("Proxy-Authenticate")) != 2 {
			t.Errorf("%s, %q: %v", c.target, c.credentials, res.Header)
		}
	}
}

// What comes through a tunnel is for the host that it is to.
func TestTunnelIsForOneHost(t *testing.T) {
	w := newWorld(t, echo)
	if _, err := w.tunnel("example.com:443", "a.sub.example.com"); err == nil {
		t.Error("the handshake may be for another host")
	}
	for _, c := range []struct {
		name, request string
		status        int
		code          string
	}{
		{"its host", "GET / HTTP/1.1\r\nHost: Example.com:443\r\n", 200, ""},
		{"an absolute form of its", "GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n", 200, ""},
		{"another host", "GET / HTTP/1.1\r\nHost: a.sub.example.com\r\n", 421, "misdirected_request"},
		{"another port", "GET / HTTP/1.1\r\nHost: example.com:8443\r\n", 421, "misdirected_request"},
		{"no host", "GET / HTTP/1.1\r\nHost:\r\n", 421, "misdirected_request"},
		{"an absolute form", "GET https://a.sub.example.com/ HTTP/1.1\r\nHost: example.com\r\n", 421, "misdirected_request"},
		{"without encryption", "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n", 421, "misdirected_request"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: example.com\r\nHost: a.sub.example.com\r\n", 400, ""},
		{"a tunnel in the tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n", 421, "misdirected_request"},
		{"WebSocket", "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", 501, "upgrade_refused"},
		{"all of the server", "OPTIONS * HTTP/1.1\r\nHost: example.com\r\n", 400, "invalid_method"},
		{"a header that is too long", "GET / HTTP/1.1\r\nHost: example.com\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n", 431, ""},
		{"two lengths", "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400, ""},
		{"a length that is none", "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: +1\r\n", 400, ""},
		{"another encoding", "POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: gzip, chunked\r\n", 501, ""},
		{"a space before the colon", "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length : 1\r\n", 400, ""},
	} {
		before := w.times()
		c2, err := w.tunnel("example.com:443", "example.com")
		if err != nil {
			t.Fatal(err)
		}
		res, p := c2.says(c.request+"\r\n", "GET")
		if res == nil || res.StatusCode != c.status || p.Code != c.code {
			t.Errorf("%s: %+v %+v", c.name, res, p)
		}
		if asked := w.times() - before; asked != map[bool]int{true: 1}[c.status == 200] {
			t.Errorf("%s: the host was asked %d times", c.name, asked)
		}
	}
}

// A length and chunks at once are one request, read as chunks, or none.
func TestNoSmuggling(t *testing.T) {
	w := newWorld(t, echo)
	c, err := w.tunnel("example.com:443", "example.com")
	if err != nil {
		t.Fatal(err)
	}
	res, _ := c.says("POST /one HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: evil.org\r\n\r\n", "POST")
	if res != nil && res.StatusCode == 200 && (res.Header.Get("X-Asked") != "POST /one" || w.times() != 1) {
		t.Errorf("%+v, asked %d times", res, w.times())
	}
}

// Whoever asks is asked for again with each request: a tunnel may outlive a key.
func TestRevoked(t *testing.T) {
	w := newWorld(t, echo)
	c, err := w.tunnel("example.com:443", "example.com")
	if err != nil {
		t.Fatal(err)
	}
	const get = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
	if res, _ := c.says(get, "GET"); res == nil || res.StatusCode != 200 {
		t.Fatalf("%+v", res)
	}
	w.mu.Lock()
	w.revoked = true
	w.mu.Unlock()
	if res, p := c.says(get, "GET"); res == nil || res.StatusCode != 401 || p.Code != "invalid_credentials" || w.times() != 1 {
		t.Errorf("%+v %+v", res, p)
	}
}

// The proxy answers whoever does not ask it for a tunnel, as well.
func TestNotTunnels(t *testing.T) {
	w := newWorld(t, echo)
	for _, c := range []struct {
		request string
		status  int
		code    string
	}{
		{"GET / HTTP/1.1\r\nHost: example.com\r\n", 400, "not_a_proxy_request"}, // as one that comes from itself would look
		{"GET http://plain.example/ HTTP/1.1\r\nHost: x\r\n", 407, "proxy_credentials"},
		{"GET http://example.com/ HTTP/1.1\r\nHost: x\r\n" + w.credentials(), 403, "host_not_listed"},
		{"GET http://plain.example:81/ HTTP/1.1\r\nHost: x\r\n" + w.credentials(), 403, "host_not_listed"},
		{"GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n" + w.credentials(), 403, "host_not_listed"},
		{"GET https://example.com/ HTTP/1.1\r\nHost: x\r\n" + w.credentials(), 400, "invalid_target"},
		{"GET ftp://example.com/ HTTP/1.1\r\nHost: x\r\n" + w.credentials(), 400, "invalid_target"},
		{"GET http://plain.example/ HTTP/1.1\r\nHost: x\r\n" + w.credentials() + "Connection: upgrade\r\nUpgrade: websocket\r\n", 501, "upgrade_refused"},
	} {
		if res, p := w.dial().says(c.request+"\r\n", "GET"); res == nil || res.StatusCode != c.status || p.Code != c.code {
			t.Errorf("%q: %+v %+v", c.request, res, p)
		}
	}
	c := w.dial()
	if res, _ := c.says("CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n"+w.credentials()+"\r\n", "CONNECT"); res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	if res, _ := c.says("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "GET"); res == nil || res.StatusCode != 400 || w.times() != 0 {
		t.Errorf("without encryption in a tunnel: %+v", res)
	}
}

// An answer loses values wherever its pieces are cut, as it comes and in its header; one
// that hides a value ends, and not as if it were whole.
func TestAnswers(t *testing.T) {
	release := make(chan struct{}, 1)
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(rw)
		switch r.URL.Path {
		case "/pieces":
			for i := range len(secret) {
				_, _ = io.WriteString(rw, "<"+secret[:i])
				_ = out.Flush()
				_, _ = io.WriteString(rw, secret[i:]+">")
				_ = out.Flush()
			}
		case "/waits":
			_, _ = io.WriteString(rw, "first\n")
			_ = out.Flush()
			<-release
			_, _ = io.WriteString(rw, "second\n")
		case "/header":
			rw.Header().Set("X-Echo", "it is "+secret)
			rw.Header().Set("X-"+secret, "1")
			rw.Header().Set("Location", "https://evil.org/"+secret)
			rw.WriteHeader(302)
		case "/disguise":
			_, _ = io.WriteString(rw, strings.Join(strings.Split(secret, ""), "\u200b"))
		case "/late":
			_, _ = io.WriteString(rw, "so far, so good\n")
			_ = out.Flush()
			<-release
			_, _ = io.WriteString(rw, strings.Join(strings.Split(secret, ""), "\u200b")+".")
		case "/encoded":
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(rw, "x")
		case "/breaks":
			_, _ = io.WriteString(rw, "half of it\n")
			_ = out.Flush()
			<-release
			panic(http.ErrAbortHandler)
		}
	})
	if _, text := w.does("GET", "https://example.com/pieces", ""); text != strings.Repeat("<[REDACTED:a/secret]>", len(secret)) {
		t.Errorf("in pieces: %s", text)
	}
	if res, _ := w.does("GET", "https://example.com/header", ""); res.StatusCode != 302 || res.Header.Get("X-Echo") != "it is [REDACTED:a/secret]" || strings.Contains(fmt.Sprint(res.Header), secret) {
		t.Errorf("in the header: %d %v", res.StatusCode, res.Header)
	}
	for path, code := range map[string]string{"/disguise": "answer_withheld", "/encoded": "answer_encoded"} {
		if res, text := w.does("GET", "https://example.com"+path, ""); res.StatusCode != 502 || !strings.Contains(text, code) {
			t.Errorf("%s: %d %s", path, res.StatusCode, text)
		}
	}
	for _, path := range []string{"/late", "/breaks"} {
		res, err := w.client().Get("https://example.com" + path)
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(res.Body)
		if _, err := in.ReadString('\n'); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		release <- struct{}{}
		text, err := io.ReadAll(in)
		if _ = res.Body.Close(); err == nil || len(text) > 0 {
			t.Errorf("%s ends as if it were whole: %q", path, text)
		}
	}
	res, err := w.client().Get("https://example.com/waits")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	if line, err := in.ReadString('\n'); line != "first\n" {
		t.Errorf("%q %v", line, err)
	}
	release <- struct{}{}
	if line, err := in.ReadString('\n'); line != "second\n" {
		t.Errorf("%q %v", line, err)
	}
}

// A client that goes away ends what the host is asked for; an agent that asks for too
// much at once is told so.
func TestUnderway(t *testing.T) {
	gone := make(chan struct{}, 100)
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(rw).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	})
	var open []*http.Response
	c := w.client()
	for {
		res, err := c.Get("https://example.com/")
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == 429 {
			if _ = res.Body.Close(); res.Header.Get("Retry-After") == "" {
				t.Errorf("%v", res.Header)
			}
			break
		}
		if open = append(open, res); len(open) > 64 { //nolint:bodyclose // all are closed below
			t.Fatal("there is no limit")
		}
	}
	for _, res := range open {
		_ = res.Body.Close()
	}
	for range open {
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Fatal("the host still talks to nobody")
		}
	}
	if len(open) != 64 {
		t.Errorf("%d at once", len(open))
	}
}
