package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/porttest"
)

// scraped is what a Prometheus server gets over TLS that shows a certificate if it
// has one, and whose certificate it was shown.
func scraped(t *testing.T, address string, shows ...pair) (text string, server *x509.Certificate) {
	t.Helper()
	c := &tls.Config{InsecureSkipVerify: true}
	for _, p := range shows {
		cert, err := tls.LoadX509KeyPair(p.cert, p.key)
		if err != nil {
			t.Fatal(err)
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
	res, err := client.Get("https://" + address + "/metrics")
	if err != nil {
		return "", nil
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return string(body), res.TLS.PeerCertificates[0]
}

func settingMetricsPlain(t *testing.T, l *lab) {
	port := porttest.Port(t)
	on := "metrics.listen=0.0.0.0:" + port
	newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", on)...).refuses(2, "metrics.listen", "metrics.shared_cert", "metrics.plain_http")
	l.with(t, on, "metrics.plain_http=true")
	if scrape("127.0.0.1:"+port) == "" {
		t.Error("nothing to scrape")
	}
}

func settingMetricsShared(t *testing.T, l *lab) {
	p, address := newPair(t), porttest.Address(t)
	for _, shared := range []string{"true", "false"} {
		d := l.with(t, "tls.cert_file="+p.cert, "tls.key_file="+p.key, "metrics.listen="+address, "metrics.shared_cert="+shared)
		_, cert := scraped(t, address)
		if plain := scrape(address); (cert != nil && bytes.Equal(cert.Raw, p.der)) != (shared == "true") || strings.Contains(plain, "oneclawd_state") != (shared == "false") {
			t.Errorf("metrics.shared_cert=%s: %v, %.40q", shared, cert != nil, plain)
		}
		d.kill()
	}
}

func settingMetricsCertificate(t *testing.T, l *lab) {
	api, address := newPair(t), porttest.Address(t)
	for _, p := range []pair{newPair(t), newPair(t)} {
		d := l.with(t, "tls.cert_file="+api.cert, "tls.key_file="+api.key, "metrics.listen="+address, "metrics.cert_file="+p.cert, "metrics.key_file="+p.key)
		if text, cert := scraped(t, address); cert == nil || !bytes.Equal(cert.Raw, p.der) || !strings.Contains(text, "oneclawd_state") {
			t.Errorf("%s is not what it shows", p.cert)
		}
		if cert, _ := shaken(t, d); cert == nil || !bytes.Equal(cert.Raw, api.der) {
			t.Error("the API has another certificate than it was given")
		}
		d.kill()
	}
}

func settingMetricsKey(t *testing.T, l *lab) {
	p, other := newPair(t), newPair(t)
	for _, key := range []string{other.key, p.key + ".none"} {
		d := newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)],
			"--set", "metrics.listen=127.0.0.1:0", "--set", "metrics.cert_file="+p.cert, "--set", "metrics.key_file="+key)...)
		d.refuses(1, "[metrics]", key)
	}
}

func settingMetricsClients(t *testing.T, l *lab) {
	server, prometheus, other, address := newPair(t), newPair(t), newPair(t), porttest.Address(t)
	on := []string{"metrics.listen=" + address, "metrics.cert_file=" + server.cert, "metrics.key_file=" + server.key}
	for _, ca := range []string{prometheus.cert, ""} {
		d := l.with(t, append(on, "metrics.client_ca_file="+ca)...)
		if text, _ := scraped(t, address, prometheus); !strings.Contains(text, "oneclawd_state") {
			t.Errorf("metrics.client_ca_file=%s: Prometheus is not let in", ca)
		}
		for who, shows := range map[string][]pair{"nobody": nil, "somebody else": {other}} {
			if text, _ := scraped(t, address, shows...); (text != "") != (ca == "") {
				t.Errorf("metrics.client_ca_file=%s, %s: %.40q", ca, who, text)
			}
		}
		d.human().do("GET", "/v1/vaults", nil).is(t, 200) // the API asks for none
		d.kill()
	}
}
