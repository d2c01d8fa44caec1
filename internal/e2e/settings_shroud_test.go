package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/porttest"
)

// The cases of TestEverySettingDoesSomething that are about Shroud.

func settingShroud(t *testing.T, l *lab) {
	m := newModel(t, func(string) string { return "hello" })
	l.refusesSet(t, "shroud.providers", "shroud.providers=Local="+m.URL)
	l.refusesSet(t, "shroud.providers", "shroud.providers=local=ftp://host")
	address := porttest.Address(t)
	d := l.with(t, "shroud.listen="+address, "shroud.providers=local="+m.URL+"/v1")
	if d.shroud != "http://"+address {
		t.Errorf("shroud is at %s", d.shroud)
	}
	k := d.talker(t, nil)
	k.say("local", chat, said("x")).is(t, 200)
	d.kill()
	d = l.with(t, "shroud.listen="+address)
	k.d = d
	k.say("local", chat, said("x")).is(t, 502)
	d.kill()
	if d = l.with(t, "shroud.listen="); d.shroud != "" {
		t.Errorf("shroud is at %s", d.shroud)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("somebody listens")
	}
}

func settingProviderCA(t *testing.T, l *lab) {
	m := &model{says: func(string) string { return "hello" }}
	s := httptest.NewTLSServer(m)
	t.Cleanup(s.Close)
	ca := caFile(t, s)
	for file, want := range map[string]int{"": 502, ca: 200} {
		d := l.with(t, "shroud.listen=127.0.0.1:0", "shroud.providers=local="+s.URL+"/v1", "shroud.provider_ca_file="+file)
		d.talker(t, nil).say("local", chat, said("x")).is(t, want)
		d.kill()
	}
}

// caFile has the CA of a server that no system trusts.
func caFile(t *testing.T, s *httptest.Server) string {
	name := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func settingSilence(t *testing.T, l *lab) {
	m := newModel(t, func(string) string { time.Sleep(1500 * time.Millisecond); return "hello" })
	for silence, want := range map[string]int{"1s": 502, "1m": 200} {
		d := l.with(t, "shroud.listen=127.0.0.1:0", "shroud.providers=local="+m.URL+"/v1", "shroud.silence="+silence)
		d.talker(t, nil).say("local", chat, said("x")).is(t, want)
		d.kill()
	}
}

func settingShroudPlain(t *testing.T, l *lab) {
	port := porttest.Port(t)
	on := "shroud.listen=0.0.0.0:" + port
	newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", on)...).refuses(2, "shroud.listen", "shroud.shared_cert", "shroud.plain_http")
	l.with(t, on, "shroud.plain_http=true")
	res, err := http.Get("http://127.0.0.1:" + port + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

// settingShroudTLS is about the four settings of certificates: the listener is of
// the same type as that of metrics, whose cases are thorough.
func settingShroudTLS(t *testing.T, l *lab) {
	certificates(t, l, "shroud", func(d *daemon) string { return d.shroud + "/healthz" })
}

// certificates is about those settings of the listener of a section, which answers
// anybody at an address.
func certificates(t *testing.T, l *lab, section string, at func(*daemon) string) {
	t.Helper()
	shared, own, client := newPair(t), newPair(t), newPair(t)
	for _, c := range []struct {
		settings []string
		want     pair
		client   *pair
	}{
		{[]string{section + ".shared_cert=true"}, shared, nil},
		{[]string{section + ".cert_file=" + own.cert, section + ".key_file=" + own.key}, own, nil},
		{[]string{section + ".cert_file=" + own.cert, section + ".key_file=" + own.key, section + ".client_ca_file=" + client.cert}, own, &client},
	} {
		d := l.with(t, append(c.settings, section+".listen=127.0.0.1:0", "tls.cert_file="+shared.cert, "tls.key_file="+shared.key)...)
		get := func(shows ...pair) (string, *x509.Certificate) {
			conf := &tls.Config{InsecureSkipVerify: true}
			for _, p := range shows {
				cert, err := tls.LoadX509KeyPair(p.cert, p.key)
				if err != nil {
					t.Fatal(err)
				}
				conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
			}
			h := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
			res, err := h.Get(at(d))
			if err != nil {
				return "", nil
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			return string(body), res.TLS.PeerCertificates[0]
		}
		var shows []pair
		if c.client != nil {
			if body, _ := get(); body != "" {
				t.Errorf("%v: somebody without a certificate is let in", c.settings)
			}
			shows = []pair{*c.client}
		}
		if body, cert := get(shows...); body == "" || string(cert.Raw) != string(c.want.der) {
			t.Errorf("%v: %q, another certificate", c.settings, body)
		}
		d.kill()
	}
}
