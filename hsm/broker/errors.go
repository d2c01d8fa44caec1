package broker

import (
	"errors"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// sentinel finds the error of package hsm that has this code, nil if none does.
func sentinel(code string) *fault.Error {
	for _, e := range []*fault.Error{
		hsm.ErrUnavailable, hsm.ErrAuthentic, hsm.ErrWrongPIN, hsm.ErrNoRootKey, hsm.ErrUnsupported, hsm.ErrFull,
		hsm.ErrLimit, hsm.ErrSealed, hsm.ErrNoAccountKey, hsm.ErrScalar,
	} {
		if e.Code == code {
			return e
		}
	}
	return nil
}

// errorParts are the fields of a reply that is an error: code, message, cause.
// An error without code is an internal fault, all of it cause.
func errorParts(err error) (code, msg, cause string) {
	f := fault.As(err)
	if f == nil {
		return "", "", err.Error()
	}
	if f.Err != nil {
		cause = f.Err.Error()
	}
	return f.Code, f.Msg, cause
}

// parseError makes an error of those fields, such that errors.Is finds the
// sentinel it was.
func parseError(body []byte) error {
	f := fields{rest: body}
	code, msg, cause := string(f.next()), string(f.next()), string(f.next())
	if !f.done() {
		return errFrame
	}
	known := sentinel(code)
	if known == nil {
		return errors.New("hsm broker: " + code + " " + msg + " " + cause)
	}
	known = known.Detail("%s", msg)
	if cause != "" {
		known = known.Because(errors.New(cause))
	}
	return known
}
