package forwardproxy_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A host that is listed as http:// is asked without encryption, and inspected like any.
func TestPlainHosts(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		echo(rw, r)
		_, _ = rw.Write([]byte(" it is " + secret))
	})
	res, text := w.does("POST", "http://plain.example/a%2Fb?q=%20", "a body", "X-Own", "1", "Via", "1.1 me")
	if res.StatusCode != 200 || res.Header.Get("X-Asked") != "POST /a%2Fb?q=%20" || !strings.Contains(text, "X-Own:[1]") || !strings.Contains(text, "a body it is [REDACTED:a/secret]") {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, text)
	}
	for _, not := range []string{"Proxy-", "Via", secret, key} {
		if strings.Contains(text, not) {
			t.Errorf("%s is in %s", not, text)
		}
	}
	for name, does := range map[string]func() (*reply, string){
		"in a body":   func() (*reply, string) { return w.does("POST", "http://plain.example/", "it is "+secret) },
		"in a header": func() (*reply, string) { return w.does("GET", "http://plain.example/", "", "X-Own", secret) },
		"encoded": func() (*reply, string) {
			return w.does("POST", "http://plain.example/", base64.StdEncoding.EncodeToString([]byte(secret)))
		},
		"in the address": func() (*reply, string) { return w.does("GET", "http://plain.example/?k="+secret, "") },
	} {
		if res, text := does(); res.StatusCode != 403 || !strings.Contains(text, "secret_in_request") {
			t.Errorf("%s: %d %s", name, res.StatusCode, text)
		}
	}
	if got := w.recorded(); w.times() != 1 || !slices.Equal(got, []string{"", "secret_in_request", "secret_in_request", "secret_in_request", "secret_in_request"}) {
		t.Errorf("asked %d times, recorded %q", w.times(), got)
	}
	if r := w.reports[0]; r.Host != "http://plain.example" || r.Status != 200 || r.Redactions != 1 || r.Took <= 0 {
		t.Errorf("%+v", r)
	}
}
