package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// subject is what a tool's errors are about.
type subject uint8

const (
	ofVault subject = iota
	ofSecret
	ofTransaction
)

// at is an error about the secret at a path.
type at struct {
	path string
	err  error
}

// Error implements error.
func (e at) Error() string { return e.err.Error() }

// Unwrap returns the error.
func (e at) Unwrap() error { return e.err }

// told is an error in words for the model: what it reads decides what it does
// next.
type told string

// Error implements error.
func (t told) Error() string { return string(t) }

func tell(format string, args ...any) error { return told(fmt.Sprintf(format, args...)) }

// explain says an error in the words that published clients know.
func (s *server) explain(ctx context.Context, err error, about subject) error {
	var refused *client.Error
	var words told
	switch {
	case errors.As(err, &words):
		return words
	case errors.As(err, &refused):
		return explainRefusal(err, refused.Problem, about)
	case fault.As(err) != nil:
		return told(fault.As(err).Msg)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	s.cfg.log().Warn("a tool's call of the API failed", "err", err)
	return told("The appliance does not answer. Is it running?")
}

func explainRefusal(err error, p api.Problem, about subject) error {
	detail := p.Detail
	if detail == "" {
		detail = fmt.Sprintf("HTTP %d", p.Status)
	}
	switch {
	case errors.Is(err, client.ErrQuota):
		return told("Quota exhausted. The organisation has used what its plan allows; its owner can raise the limit.")
	case errors.Is(err, client.ErrResourceLimit):
		return tell("Resource limit reached: %s. Delete what is not needed any more, or ask the owner of the organisation.", detail)
	case about == ofSecret:
		return explainSecret(err, p, detail)
	case about == ofTransaction && p.Status == http.StatusForbidden:
		return tell("Access denied: %s", strings.TrimPrefix(detail, "Access denied: "))
	case about == ofTransaction && p.Status == http.StatusUnprocessableEntity:
		if p.Code == "simulation_failed" {
			return tell("Simulation failed: %s", detail)
		}
		return tell("Transaction rejected: %s", detail)
	}
	return told(detail)
}

func explainSecret(err error, p api.Problem, detail string) error {
	var of at
	if !errors.As(err, &of) {
		return told(detail)
	}
	switch {
	case errors.Is(err, client.ErrGone):
		return tell("Secret at path '%s' is expired or has exceeded its maximum access count.", of.path)
	case errors.Is(err, client.ErrNotFound) && p.Code != "vault_not_found":
		return tell("No secret found at path '%s'.", of.path)
	}
	return told(detail)
}
