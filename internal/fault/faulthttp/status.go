// Package faulthttp says how kinds of errors are told over HTTP (RFC 9110), the same at
// every door. It must not know a door, nor what a body looks like.
package faulthttp

import (
	"net/http"

	"github.com/oneclaw/oneclawd/internal/fault"
)

var statuses = map[fault.Kind]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.PaymentRequired: http.StatusPaymentRequired,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Gone:            http.StatusGone,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unprocessable:   http.StatusUnprocessableEntity,
	fault.RateLimited:     http.StatusTooManyRequests,
	fault.Sealed:          http.StatusServiceUnavailable,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.StorageFull:     http.StatusInsufficientStorage,
}

// Status is the HTTP status of a kind. One that is not known is our own fault: 500.
func Status(k fault.Kind) int {
	if s, ok := statuses[k]; ok {
		return s
	}
	return http.StatusInternalServerError
}
