package tlsconf

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	lookEvery = 2 * time.Second
	warnFrom  = 14 * 24 * time.Hour // before a certificate that others look after ends
	warnEvery = 24 * time.Hour

	retryEvery = time.Hour // renewing our own, where that failed
)

// Config says where the certificate comes from: CertFile and KeyFile, or else
// Dir, for a CA of our own.
type Config struct {
	CertFile, KeyFile string // PEM; the certificate with what leads to its CA

	Dir   string   // where the CA and its certificate are kept
	Names []string // what they are for: host names and addresses

	// TLS12 speaks TLS 1.2 too, with clients that know nothing newer.
	TLS12 bool

	Log *slog.Logger     // slog.Default() if nil
	Now func() time.Time // time.Now if nil
}

func (c Config) local() bool { return c.CertFile == "" }

func (c *Config) fill() {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Source has the certificate that is in force. All methods may be called at once.
type Source struct {
	c       Config
	current atomic.Pointer[tls.Certificate]

	mu     sync.Mutex // for what follows
	seen   stamp
	warned time.Time
	tried  time.Time // when our own was last to be renewed
}

// Open loads the certificate, or has the local CA make it.
func Open(c Config) (*Source, error) {
	c.fill()
	s := &Source{c: c}
	_, err := s.Refresh()
	return s, err
}

// ServerConfig is for a listener: TLS 1.3, with the hybrid key exchange
// X25519MLKEM768 for clients that know it, which is the default of crypto/tls.
// Listeners may share a source.
func (s *Source) ServerConfig(clients Clients) (*tls.Config, error) {
	t := &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.current.Load(), nil
		},
	}
	if s.c.TLS12 {
		t.MinVersion = tls.VersionTLS12
	}
	return t, clients.apply(t, s.c.Log)
}

// PublicKey is that of the certificate in force.
func (s *Source) PublicKey() crypto.PublicKey { return s.current.Load().Leaf.PublicKey }

// Run keeps the certificate up to date until ctx ends.
func (s *Source) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			changed, err := s.Refresh()
			switch {
			case err != nil:
				s.c.Log.Warn("the new TLS certificate is not taken; the old one goes on", "err", err)
			case changed:
				st := s.Status()
				s.c.Log.Info("a new TLS certificate is in force", "names", st.Names, "until", st.NotAfter)
			}
		}
	}
}

// Refresh takes a certificate that changed, and renews our own in time. What is
// wrong with a changed one is told once.
func (s *Source) Refresh() (changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c.local() {
		return s.renew()
	}
	seen, err := stampOf(s.c.CertFile, s.c.KeyFile)
	if err != nil && s.current.Load() != nil {
		return false, s.missing(err)
	}
	if err != nil {
		return false, err
	}
	if seen == s.seen {
		s.warnOfEnd()
		return false, nil
	}
	s.seen = seen // before reading: what changes meanwhile has another stamp
	pair, err := tls.LoadX509KeyPair(s.c.CertFile, s.c.KeyFile)
	if err != nil {
		return false, fmt.Errorf("%s with %s: %w", s.c.CertFile, s.c.KeyFile, err)
	}
	if now := s.c.Now(); now.After(pair.Leaf.NotAfter) {
		return false, fmt.Errorf("%s ended on %s", s.c.CertFile, pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	s.warned = time.Time{}
	s.current.Store(&pair)
	s.warnOfEnd()
	return true, nil
}

// missing tells once that a file is gone.
func (s *Source) missing(err error) error {
	if s.seen == (stamp{}) {
		return nil
	}
	s.seen = stamp{}
	return err
}

// warnOfEnd says once a day that somebody has forgotten to renew.
func (s *Source) warnOfEnd() {
	now, leaf := s.c.Now(), s.current.Load()
	if leaf == nil || leaf.Leaf.NotAfter.Sub(now) > warnFrom || now.Sub(s.warned) < warnEvery {
		return
	}
	s.warned = now
	s.c.Log.Warn("the TLS certificate ends soon", "file", s.c.CertFile, "until", leaf.Leaf.NotAfter)
}

// stamp is what changes when one of two files does.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

func stampOf(cert, key string) (s stamp, err error) {
	a, err1 := os.Stat(cert)
	b, err2 := os.Stat(key)
	if err := errors.Join(err1, err2); err != nil {
		return s, err
	}
	return stamp{a.ModTime(), b.ModTime(), a.Size(), b.Size()}, nil
}

// renew makes a certificate of our own where there is none that will do.
func (s *Source) renew() (changed bool, err error) {
	now := s.c.Now()
	if have := s.current.Load(); have != nil && (have.Leaf.NotAfter.Sub(now) > renewBefore || now.Sub(s.tried) < retryEvery) {
		return false, nil
	}
	s.tried = now
	if err := os.MkdirAll(s.c.Dir, 0o700); err != nil {
		return false, err
	}
	ca, err := openCA(s.c.Dir, s.c.Names, now)
	if err != nil {
		return false, err
	}
	file := filepath.Join(s.c.Dir, serverFile)
	pair, err := loadOwn(file)
	if err == nil && ca.made(pair.Leaf, s.c.Names, now) {
		s.current.Store(&pair)
		return true, nil
	}
	if pair, err = ca.issue(file, s.c.Names, now); err != nil {
		return false, err
	}
	s.current.Store(&pair)
	return true, nil
}
