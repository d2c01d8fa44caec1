// Package fault is the error vocabulary of oneclawd.
//
// A domain package declares its errors as *Error sentinels; infrastructure
// errors stay plain and wrapped. Whoever talks to the outside turns a *Error
// into a status and shows Msg; every other error is an internal fault whose
// text must never leave the process. The package knows nothing of HTTP.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind classifies an error by what the caller can do about it.
type Kind uint8

// The kinds. The zero value is Internal, so a forgotten kind fails closed.
const (
	Internal        Kind = iota // our fault; nothing to show
	Invalid                     // the request is malformed
	Unauthenticated             // who asks is not known
	PaymentRequired             // quota is used up
	Denied                      // known, but not allowed
	NotFound                    // no such thing, or not for this caller
	Gone                        // existed once
	Conflict                    // clashes with the present state
	TooLarge                    // over a size limit
	Unprocessable               // well-formed, but cannot be carried out
	RateLimited                 // too many requests; see RetryAfter
	Sealed                      // keys are not open yet
	Unavailable                 // a part we depend on cannot answer now
	StorageFull                 // no space to make a change durable
)

// Error is a failure that may be shown to a caller.
type Error struct {
	Kind Kind
	Code string // stable, snake_case: "secret_not_found"
	Msg  string // safe to show; never holds a secret value or a path on disk
	Err  error  // the cause, for the log only

	// RetryAfter is how long to wait before trying again; 0 means not known.
	RetryAfter time.Duration
	// Ref names what the caller has to look at: an approval, where one is needed.
	Ref string
	// Fields names rejected request fields and why, without their values.
	Fields map[string]string
}

// New returns a sentinel.
func New(kind Kind, code, msg string) *Error {
	return &Error{Kind: kind, Code: code, Msg: msg}
}

// Error implements error. The cause is left out: it is for Unwrap and the log.
func (e *Error) Error() string { return e.Code + ": " + e.Msg }

// Unwrap returns the hidden cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same code, so that a copy
// made by Because or Detail still matches its sentinel.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Because returns a copy of e that remembers cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Err = cause
	return &c
}

// Detail returns a copy of e with another safe message.
func (e *Error) Detail(format string, args ...any) *Error {
	c := *e
	c.Msg = fmt.Sprintf(format, args...)
	return &c
}

// After returns a copy of e that asks the caller to wait d.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// About returns a copy of e that refers to something.
func (e *Error) About(ref string) *Error {
	c := *e
	c.Ref = ref
	return &c
}

// As returns err's *Error, or nil if it has none.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// KindOf returns the kind of err; an error without one is Internal.
func KindOf(err error) Kind {
	if e := As(err); e != nil {
		return e.Kind
	}
	return Internal
}
