package shroud

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/fault/faulthttp"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// status is the HTTP status of an error, and the text that may be shown.
func status(err error) (code int, text string, wait time.Duration) {
	var bad badGateway
	if errors.As(err, &bad) {
		return http.StatusBadGateway, bad.text, 0
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return http.StatusInternalServerError, "an internal error", 0
	}
	return faulthttp.Status(f.Kind), f.Msg, f.RetryAfter
}

// Refuse answers with an error, as providers' clients read it.
func Refuse(w http.ResponseWriter, err error) {
	code, text, wait := status(err)
	h := w.Header()
	retryAfter(h, wait)
	h.Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(provider.ErrorBody(code, text), '\n'))
}

// badGateway is a provider that cannot be asked or does not answer.
type badGateway struct {
	text  string // for the client
	cause error  // for the log
}

func (e badGateway) Error() string { return e.text }
func (e badGateway) Unwrap() error { return e.cause }

// retryAfter writes how long to wait, in seconds.
func retryAfter(h http.Header, wait time.Duration) {
	if wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	}
}
