// Package mail hands the mails of the outbox to a mail server, over SMTP.
//
// The connection is encrypted and the server's certificate checked, unless the
// server is on this machine: mails hold keys and tokens. Each attempt is one
// connection, and the Message-ID is the message's own, so that a mail that was
// taken twice can be seen to be one.
//
// What servers answer may quote addresses and worse. Of an answer only its code
// is kept; errors and the log have no other part of it.
package mail
