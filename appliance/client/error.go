package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// Kinds of refusal, for errors.Is. An *Error is of each kind that its status,
// type or code says.
var (
	ErrInvalid          = errors.New("the request is not valid")               // 400, 413, 415, 422
	ErrUnauthenticated  = errors.New("the credentials were not taken")         // 401
	ErrQuota            = errors.New("the quota is used up")                   // 402
	ErrForbidden        = errors.New("not allowed")                            // 403
	ErrNotFound         = errors.New("not found")                              // 404
	ErrConflict         = errors.New("in conflict with what there is")         // 409, 412
	ErrGone             = errors.New("expired or used up")                     // 410
	ErrRateLimited      = errors.New("too many requests")                      // 429
	ErrUnavailable      = errors.New("the appliance cannot answer now")        // 502, 503, 504
	ErrApprovalRequired = errors.New("people have to approve it first")        // 403 approval_required
	ErrResourceLimit    = errors.New("there may be no more of what was asked") // 403 resource_limit_exceeded
)

// Error is a refusal, in the appliance's words.
type Error struct {
	Problem api.Problem
	// RetryAfter is how long the appliance asks to wait; 0 if it does not say.
	RetryAfter time.Duration
	// Body is the answer as it came where it was no problem, cut to 64 KiB.
	Body []byte
}

// Error says what went wrong. The text is fit for a person.
func (e *Error) Error() string {
	text := e.Problem.Detail
	if text == "" {
		text = e.Problem.Title
	}
	if text == "" {
		text = http.StatusText(e.Problem.Status)
	}
	return fmt.Sprintf("%s (HTTP %d)", text, e.Problem.Status)
}

// Is reports whether e is of a kind of this package.
func (e *Error) Is(kind error) bool {
	switch e.Problem.Type {
	case api.TypeApproval:
		if kind == ErrApprovalRequired {
			return true
		}
	case api.TypeResourceLimit:
		if kind == ErrResourceLimit {
			return true
		}
	}
	return kind == kinds[e.Problem.Status]
}

var kinds = map[int]error{
	http.StatusBadRequest: ErrInvalid, http.StatusRequestEntityTooLarge: ErrInvalid,
	http.StatusUnsupportedMediaType: ErrInvalid, http.StatusUnprocessableEntity: ErrInvalid,
	http.StatusUnauthorized: ErrUnauthenticated, http.StatusPaymentRequired: ErrQuota,
	http.StatusForbidden: ErrForbidden, http.StatusNotFound: ErrNotFound,
	http.StatusConflict: ErrConflict, http.StatusPreconditionFailed: ErrConflict, http.StatusGone: ErrGone,
	http.StatusTooManyRequests: ErrRateLimited,
	http.StatusBadGateway:      ErrUnavailable, http.StatusServiceUnavailable: ErrUnavailable, http.StatusGatewayTimeout: ErrUnavailable,
}

const (
	maxProblem    = 64 << 10
	maxRetryAfter = 365 * 24 * 60 * 60 // seconds: more is no time to wait, and could be too much for a Duration
)

// refusal reads the body of an answer that is no success. A body that is not a
// problem came from something in between; the status still says the kind.
func refusal(res *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	e := &Error{}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != api.ProblemContentType || json.Unmarshal(body, &e.Problem) != nil {
		e.Problem, e.Body = api.Problem{Type: api.TypeBlank, Title: http.StatusText(res.StatusCode)}, body
	}
	e.Problem.Status = res.StatusCode
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(min(s, maxRetryAfter)) * time.Second
	}
	return e
}
