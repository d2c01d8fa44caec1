// Package auditstream sends the audit log elsewhere while it grows: to a syslog
// server and to a file of JSON lines.
//
// It owns how far each destination is, the syslog messages (RFC 5424), how they
// are transported (RFC 5425, RFC 6587) and the file with its rotation. Events
// arrive in the order of the log and at least once: where a destination is moves
// only after it has what was sent. Nothing waits for it; what cannot be sent now
// stays in the log and is sent later.
//
// It must not know how an event looks as JSON, which is the API's to say, nor
// open connections by itself: both are handed in.
package auditstream
