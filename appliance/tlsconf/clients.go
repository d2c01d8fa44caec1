package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Clients says which certificates a listener wants of its clients. The zero
// value asks for none.
type Clients struct {
	// Ask asks for a certificate. Whoever has none is served too, and nobody is
	// verified here: certificates are pinned, and self-signed ones will do.
	Ask bool

	// CAFile, if set, has the certificates of CAs, PEM. Only who has a certificate
	// of one of them is let in.
	CAFile string

	// HTTP1 offers them HTTP/1.1 alone.
	HTTP1 bool
}

// apply makes t ask for what c wants.
func (c Clients) apply(t *tls.Config, log *slog.Logger) error {
	if c.HTTP1 {
		t.NextProtos = []string{"http/1.1"}
	}
	if c.CAFile == "" {
		if c.Ask {
			t.ClientAuth = tls.RequestClientCert
		}
		return nil
	}
	cas := &authorities{file: c.CAFile}
	if _, err := cas.now(); err != nil {
		return err
	}
	t.ClientAuth = tls.RequireAndVerifyClientCert
	// A session that is resumed is not verified anew: it would outlive a CA that
	// was taken out of the file.
	t.SessionTicketsDisabled = true
	each := t.Clone()
	t.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		pool, err := cas.now()
		if err != nil {
			log.Warn("the new CAs of clients are not taken; the old ones go on", "err", err)
		}
		with := each.Clone()
		with.ClientCAs = pool
		return with, nil
	}
	return nil
}

// authorities are the CAs in a file, which is read again when it changes.
type authorities struct {
	file string

	mu   sync.Mutex
	seen caStamp
	pool *x509.CertPool
}

type caStamp struct {
	changed time.Time
	size    int64
}

// now are the CAs of this moment. What is wrong with a changed file is told
// once, together with the CAs of before.
func (a *authorities) now() (*x509.CertPool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var seen caStamp
	info, err := os.Stat(a.file)
	if err == nil {
		seen = caStamp{info.ModTime(), info.Size()}
	}
	if seen == a.seen && a.pool != nil {
		return a.pool, nil
	}
	a.seen = seen // before reading: what changes meanwhile has another stamp
	if err != nil {
		return a.pool, err
	}
	text, err := os.ReadFile(a.file)
	if err != nil {
		return a.pool, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return a.pool, fmt.Errorf("%s holds no certificate, PEM", a.file)
	}
	a.pool = pool
	return pool, nil
}
