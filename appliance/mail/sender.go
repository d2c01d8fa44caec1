package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// TLS says how the connection is encrypted.
type TLS string

// The ways.
const (
	StartTLS    TLS = "starttls" // on the mail port; required, never left out
	ImplicitTLS TLS = "tls"      // from the first byte
	NoTLS       TLS = "none"     // for a server on this machine only
)

// Config says which server takes our mails.
type Config struct {
	Host     string
	Port     int    // 587, or 465 for ImplicitTLS, if 0
	TLS      TLS    // StartTLS if ""
	Username string // "" means no authentication
	Password plain.Bytes
	From     string        // "1Claw <noreply@example.com>"
	Timeout  time.Duration // of each step; 20 s if 0
	// Dial opens connections: the appliance's way out.
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	RootCAs *x509.CertPool // instead of the system's
}

// Sender is an outbox.Sender. Its methods may be called at once.
type Sender struct {
	cfg    Config
	from   *netmail.Address
	domain string
}

// New checks c and returns a Sender. It does not connect.
func New(c Config) (*Sender, error) {
	if c.TLS == "" {
		c.TLS = StartTLS
	}
	if c.Port == 0 {
		if c.Port = 587; c.TLS == ImplicitTLS {
			c.Port = 465
		}
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	from, err := netmail.ParseAddress(c.From)
	switch {
	case c.Host == "" || strings.ContainsAny(c.Host, " /:@") && !isIP(c.Host):
		return nil, fmt.Errorf("mail: %q is not the name of a mail server", c.Host)
	case c.Port < 1 || c.Port > 65535:
		return nil, fmt.Errorf("mail: %d is not a port", c.Port)
	case c.TLS != StartTLS && c.TLS != ImplicitTLS && c.TLS != NoTLS:
		return nil, fmt.Errorf("mail: %q is none of starttls, tls and none", c.TLS)
	case c.TLS == NoTLS && !here(c.Host):
		return nil, fmt.Errorf("mail: without TLS the mail server must be on this machine: localhost, 127.0.0.1 or ::1")
	case err != nil || outbox.CheckAddress(from.Address) != nil:
		return nil, fmt.Errorf("mail: %q is not a sender such as 1Claw <noreply@example.com>", c.From)
	case c.Dial == nil:
		return nil, errors.New("mail: no way out to the mail server")
	}
	s := &Sender{cfg: c, from: &netmail.Address{Name: outbox.Line(from.Name), Address: from.Address}}
	s.domain = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	return s, nil
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// here reports whether a host is this machine.
func here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// Send implements outbox.Sender.
func (s *Sender) Send(ctx context.Context, m outbox.Message) error {
	msg, err := s.compose(m)
	if err != nil {
		return &outbox.Failure{Text: "the mail cannot be written: the address or the subject is not valid", Permanent: true}
	}
	client, hangUp, err := s.client(ctx)
	if err != nil {
		return explain(err)
	}
	defer hangUp()
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() { // what goes wrong after it was taken is no failure
		return nil
	}
	return explain(err)
}

// Check connects, encrypts and authenticates, and sends nothing.
func (s *Sender) Check(ctx context.Context) error {
	client, hangUp, err := s.client(ctx)
	if err != nil {
		return explain(err)
	}
	defer hangUp()
	if err := client.DialWithContext(ctx); err != nil {
		return explain(err)
	}
	_ = client.Close()
	return nil
}

// compose writes the mail.
func (s *Sender) compose(m outbox.Message) (*gomail.Msg, error) {
	if err := outbox.CheckAddress(m.To); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	msg.Subject(outbox.Line(m.Subject))
	msg.SetMessageIDWithValue(m.ID.String() + "@" + s.domain)
	msg.SetDateWithValue(m.CreatedAt)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday answers
	msg.SetBodyString(gomail.TypeTextPlain, m.Body)
	return msg, nil
}

// client prepares one connection, which ends when ctx does or hangUp is called.
func (s *Sender) client(ctx context.Context) (_ *gomail.Client, hangUp func(), err error) {
	var stop func() bool
	hangUp = func() {
		if stop != nil {
			stop()
		}
	}
	secure := &tls.Config{ServerName: s.cfg.Host, RootCAs: s.cfg.RootCAs, MinVersion: tls.VersionTLS12}
	addr := net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)) // the library's lacks the brackets of IPv6
	dial := func(dialing context.Context, network, _ string) (net.Conn, error) {
		conn, err := s.cfg.Dial(dialing, network, addr)
		if err != nil {
			return nil, err
		}
		stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
		if s.cfg.TLS != ImplicitTLS {
			return conn, nil
		}
		over := tls.Client(conn, secure)
		if err := over.HandshakeContext(dialing); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return over, nil
	}
	options := []gomail.Option{
		gomail.WithPort(s.cfg.Port), gomail.WithTimeout(s.cfg.Timeout), gomail.WithTLSConfig(secure),
		gomail.WithDialContextFunc(dial), gomail.WithHELO(s.domain),
	}
	switch s.cfg.TLS {
	case ImplicitTLS:
		options = append(options, gomail.WithSSL())
	case NoTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.cfg.Username != "" {
		options = append(options, s.credentials()...)
	}
	client, err := gomail.NewClient(s.cfg.Host, options...)
	return client, hangUp, err
}

// credentials sign in, by challenge and response where the server can. PLAIN and
// LOGIN, which give the password away, are for encrypted connections and for
// this machine only.
func (s *Sender) credentials() []gomail.Option {
	plainly, login := gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
	if s.cfg.TLS == NoTLS {
		plainly, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
	}
	return []gomail.Option{
		gomail.WithUsername(s.cfg.Username), gomail.WithPassword(string(s.cfg.Password.Reveal())),
		gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, plainly, login),
	}
}
