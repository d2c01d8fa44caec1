package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/appliance/tlsconf"
)

// Timeouts of every listener: enough for a 5 MB body on a slow line, not enough
// to hold a connection for nothing. There is none for answers, which may be
// streams.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// ListenerConfig is what may be set of a listener besides its address. It is
// embedded in the section of each.
type ListenerConfig struct {
	PlainHTTP    bool   `toml:"plain_http" doc:"Speak HTTP without TLS to other machines too."`
	SharedCert   bool   `toml:"shared_cert" doc:"Speak TLS with the certificate of [tls]."`
	CertFile     string `toml:"cert_file" doc:"Speak TLS with this certificate instead, PEM, with its intermediates. A file that changes is used without a restart."`
	KeyFile      string `toml:"key_file" doc:"Its private key, PEM."`
	ClientCAFile string `toml:"client_ca_file" doc:"CAs of clients, PEM: only who has a certificate of one of them is let in. A file that changes holds for new connections."`
}

// listening is one listener as the configuration has it.
type listening struct {
	ListenerConfig
	section string // "metrics": where its settings are
	address string
	askCert bool   // ask for a certificate that nobody verifies
	http1   bool   // speak HTTP/1.1 alone
	remedy  string // the settings that make it speak TLS
}

// onAPI is the listener of the API, whose certificate is that of [tls].
func (c Config) onAPI() listening {
	return listening{
		section: "api", address: c.API.Listen, askCert: c.TLS.ClientCerts, remedy: "tls.local_ca or tls.cert_file",
		ListenerConfig: ListenerConfig{PlainHTTP: c.API.PlainHTTP, SharedCert: c.encrypted()},
	}
}

// on is the listener of a section that embeds a ListenerConfig.
func on(section, address string, l ListenerConfig) listening {
	return listening{ListenerConfig: l, section: section, address: address, remedy: section + ".shared_cert or " + section + ".cert_file"}
}

func (l ListenerConfig) encrypted() bool { return l.SharedCert || l.CertFile != "" }

// url is the base URL of the listener at an address.
func (l ListenerConfig) url(address string) string {
	if l.encrypted() {
		return "https://" + address
	}
	return "http://" + address
}

// check says what is wrong with the settings of a listener, or nil.
func (l listening) check(c Config) error {
	host, _, err := net.SplitHostPort(l.address)
	switch {
	case err != nil:
		return bad(l.section+".listen", "%q is not host:port", l.address)
	case (l.CertFile == "") != (l.KeyFile == ""):
		return bad(l.section+".cert_file", "cert_file and key_file come together")
	case l.SharedCert && l.CertFile != "":
		return bad(l.section+".shared_cert", "either a certificate of its own or that of [tls]")
	case l.SharedCert && !c.encrypted():
		return bad(l.section+".shared_cert", "there is no certificate to share; set tls.local_ca or tls.cert_file")
	case l.ClientCAFile != "" && !l.encrypted():
		return bad(l.section+".client_ca_file", "clients show certificates over TLS only; set %s", l.remedy)
	case !l.encrypted() && !l.PlainHTTP && !isLoopback(host):
		return bad(l.section+".listen", "%s can be reached from other machines, and without TLS everybody on the way reads along; set %s, or %s.plain_http = true behind a proxy that has the certificate", l.address, l.remedy, l.section)
	}
	return nil
}

// isLoopback reports whether only this machine reaches what listens on host.
func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// listener is an address on which the appliance answers HTTP.
type listener struct {
	net.Listener
	url    string
	server *http.Server
	own    *tlsconf.Source // of its certificate, nil where it has none of its own
}

// bind opens a listener; nothing is served yet. Whoever runs the daemon lists it
// in d.listeners: then it is served, its certificate kept up to date, and it is
// the last to be closed.
func (d *daemon) bind(l listening, h http.Handler) (_ *listener, err error) {
	out := &listener{server: &http.Server{
		Handler: h, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}}
	if err := d.secure(out, l); err != nil {
		return nil, fmt.Errorf("the certificate of the listener of [%s]: %w", l.section, err)
	}
	if out.Listener, err = net.Listen("tcp", l.address); err != nil {
		return nil, fmt.Errorf("listening on %s: %w; set %s.listen to a free address", l.address, err, l.section)
	}
	out.url = l.url(out.Addr().String())
	return out, nil
}

// secure gives a listener its certificate, if it is to have one.
func (d *daemon) secure(out *listener, l listening) (err error) {
	if !l.encrypted() {
		return nil
	}
	source := d.tls
	if l.CertFile != "" {
		source, err = tlsconf.Open(tlsconf.Config{CertFile: l.CertFile, KeyFile: l.KeyFile, TLS12: d.cfg.TLS.MinVersion == tls12, Log: d.log})
		if err != nil {
			return err
		}
		out.own = source
	}
	out.server.TLSConfig, err = source.ServerConfig(tlsconf.Clients{Ask: l.askCert, CAFile: l.ClientCAFile, HTTP1: l.http1})
	return err
}

// serve answers until the listener is shut down.
func (l *listener) serve() error {
	if l.server.TLSConfig == nil {
		return ended(l.server.Serve(l.Listener))
	}
	return ended(l.server.ServeTLS(l.Listener, "", ""))
}

// renew keeps the listener's own certificate up to date until ctx ends.
func (l *listener) renew(ctx context.Context) error {
	if l.own == nil {
		return nil
	}
	return ended(l.own.Run(ctx))
}

// drain lets nobody in any more, and waits for requests under way for as long as
// ctx lasts.
func (l *listener) drain(ctx context.Context) error { return l.server.Shutdown(ctx) }

// stop drains, and then cuts off what is left.
func (l *listener) stop(ctx context.Context) error {
	err := l.drain(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return l.server.Close() // what is left are connections without a request
	}
	return err
}

// closeAll closes listeners that were never served.
func closeAll(all []*listener) {
	for _, l := range all {
		_ = l.Close()
	}
}

// sharedTLS is the source of the certificate of [tls], nil if there is none.
func (c Config) sharedTLS(log *slog.Logger) (*tlsconf.Source, error) {
	if !c.encrypted() {
		return nil, nil
	}
	s, err := tlsconf.Open(c.tlsSource(log))
	if err != nil {
		return nil, fmt.Errorf("the certificate of [tls]: %w", err)
	}
	return s, nil
}

// tlsSource is the source of certificates that [tls] means.
func (c Config) tlsSource(log *slog.Logger) tlsconf.Config {
	return tlsconf.Config{
		CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile, Dir: filepath.Join(c.Data, "tls"), Names: c.names(),
		TLS12: c.TLS.MinVersion == tls12, Log: log,
	}
}
