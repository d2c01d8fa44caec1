// Package syslogtest is a syslog server for tests, written from the RFCs and not
// from what it is to test.
//
// It owns a parser of RFC 5424 messages that accepts the grammar and nothing
// else, and a server that takes them framed by octet counting (RFC 5425). It must
// not know who sends to it. Only tests import it.
package syslogtest
