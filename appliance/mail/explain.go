package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/oneclaw/oneclawd/vault/outbox"
)

// settingsWait is how long to wait where only a change of settings, ours or the
// server's, will help.
const settingsWait = 10 * time.Minute

// explain turns what the library reports into a Failure without a word of the
// server's. It is final only if the server refuses this addressee or this mail
// for good: a server that is down, refuses our credentials or does not like our
// sender may be put right, and the mails are still wanted then.
func explain(err error) *outbox.Failure {
	var refused *gomail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() != 0 {
		return byCode(refused)
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return byReply(reply.Code)
	}
	if untrusted(err) {
		return &outbox.Failure{Text: "no trusted TLS connection to the mail server", Wait: settingsWait}
	}
	if strings.Contains(err.Error(), "AUTH") {
		return &outbox.Failure{Text: "the mail server offers no way of signing in that we use", Wait: settingsWait}
	}
	return &outbox.Failure{Text: "the mail server cannot be reached, or broke off", Err: err}
}

// byCode explains an answer to a mail. RFC 5321: 4yz is for now, 5yz for good.
func byCode(e *gomail.SendError) *outbox.Failure {
	code := e.ErrorCode()
	f := &outbox.Failure{Permanent: code >= 500}
	switch {
	case code < 500:
		f.Text = fmt.Sprintf("the mail server asks to try again later (%d)", code)
	case e.Reason == gomail.ErrSMTPRcptTo:
		f.Text = fmt.Sprintf("the mail server refuses the address (%d)", code)
	case e.Reason == gomail.ErrSMTPData || e.Reason == gomail.ErrSMTPDataClose || e.Reason == gomail.ErrWriteContent:
		f.Text = fmt.Sprintf("the mail server refuses the mail (%d)", code)
	default:
		f.Text, f.Permanent, f.Wait = fmt.Sprintf("the mail server refuses our sender address (%d)", code), false, settingsWait
	}
	return f
}

// byReply explains an answer before there was a mail.
func byReply(code int) *outbox.Failure {
	switch code {
	case 534, 535, 530, 538:
		return &outbox.Failure{Text: fmt.Sprintf("the mail server refuses our credentials (%d)", code), Wait: settingsWait}
	}
	return &outbox.Failure{Text: fmt.Sprintf("the mail server does not want to talk to us (%d)", code)}
}

// untrusted reports whether err is about certificates or a lack of TLS.
func untrusted(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
		host   x509.HostnameError
		ca     x509.UnknownAuthorityError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &host) ||
		errors.As(err, &ca) || strings.Contains(err.Error(), "STARTTLS")
}
