package appliance

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/appliance/mail"
)

// MailConfig names the mail server that takes the appliance's mails.
type MailConfig struct {
	Host         string   `toml:"host" doc:"Mail server that takes what the appliance sends. Empty: nothing is sent; mails wait where owners can read them, with oneclawd outbox."`
	Port         int      `toml:"port" doc:"Its port. 0: 587, or 465 if mail.tls is tls."`
	TLS          string   `toml:"tls" doc:"starttls (required, never left out), tls (from the first byte), or none (only with a server on this machine)."`
	Username     string   `toml:"username" doc:"Account on the mail server. Empty: no sign-in."`
	PasswordFile string   `toml:"password_file" doc:"File that holds its password, mode 0600. ONECLAW_MAIL_PASSWORD works too."`
	From         string   `toml:"from" doc:"Sender of the mails, such as 1Claw <noreply@example.com>."`
	Timeout      Duration `toml:"timeout" doc:"How long to wait for each answer of the mail server."`
}

func defaultMail() MailConfig {
	return MailConfig{TLS: string(mail.StartTLS), Timeout: Duration(20 * time.Second)}
}

// checkMail asks the sender itself, setting by setting, so that there is one
// opinion about what is right.
func (c Config) checkMail() error {
	m := c.Mail
	if m.Host == "" {
		return nil
	}
	if m.Timeout < Duration(time.Second) || m.Timeout > Duration(5*time.Minute) {
		return bad("mail.timeout", "must be between 1s and 5m")
	}
	right := mail.Config{Host: "localhost", From: "1Claw <noreply@example.com>", Dial: undialled}
	one := func(key string, set func(*mail.Config)) error {
		try := right
		set(&try)
		if _, err := mail.New(try); err != nil {
			return bad(key, "%s", strings.TrimPrefix(err.Error(), "mail: "))
		}
		return nil
	}
	for _, err := range []error{
		one("mail.host", func(t *mail.Config) { t.Host = m.Host }),
		one("mail.port", func(t *mail.Config) { t.Port = m.Port }),
		one("mail.tls", func(t *mail.Config) { t.TLS = mail.TLS(m.TLS) }),
		one("mail.tls", func(t *mail.Config) { t.TLS, t.Host = mail.TLS(m.TLS), m.Host }),
		one("mail.from", func(t *mail.Config) { t.From = m.From }),
	} {
		if err != nil {
			return err
		}
	}
	if m.Username == "" && m.PasswordFile != "" {
		return bad("mail.username", "a password needs a username")
	}
	return nil
}

// undialled is a way out for a sender that is only asked about its settings.
func undialled(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }

// mailSender hands mails to the configured server, which may be anywhere: it was
// configured. It is nil where none is.
func (c Config) mailSender(private func(context.Context) bool) (*mail.Sender, error) {
	m := c.Mail
	if m.Host == "" {
		return nil, nil
	}
	if m.Port == 0 {
		if m.Port = 587; m.TLS == string(mail.ImplicitTLS) {
			m.Port = 465
		}
	}
	ways, err := c.Egress.waysOut(private, net.JoinHostPort(m.Host, strconv.Itoa(m.Port)))
	if err != nil {
		return nil, err
	}
	password, err := secretFrom(mailVariable, m.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("mail.password_file: %w", err)
	}
	return mail.New(mail.Config{
		Host: m.Host, Port: m.Port, TLS: mail.TLS(m.TLS), Username: m.Username, Password: password, From: m.From,
		Timeout: time.Duration(m.Timeout), Dial: ways.dialContext,
	})
}
