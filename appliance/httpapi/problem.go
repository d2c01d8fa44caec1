package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/fault/faulthttp"
)

// visibleTypes are the codes that clients look for in type, with their titles.
var visibleTypes = map[string]string{
	api.TypeResourceLimit: "Resource Limit Exceeded",
	api.TypeApproval:      "Approval Required",
}

// internalDetail is all that an internal fault says.
const internalDetail = "An unexpected error occurred"

// Refusals that the API itself makes.
var (
	errNoBearer = fault.New(fault.Unauthenticated, "missing_token", "Missing or malformed Authorization header: a bearer token is needed")
	errNoRoute  = fault.New(fault.NotFound, "no_such_route", "No such route")
	errTooMany  = fault.New(fault.RateLimited, "rate_limited", "Too many requests")
	errDraining = fault.New(fault.Unavailable, "shutting_down", "The appliance is shutting down")
	errBusy     = fault.New(fault.Unavailable, "timeout", "The request took too long")
)

// problemDetails is an api.Problem that huma can send.
type problemDetails struct {
	api.Problem
	header http.Header
}

// Error implements error.
func (p *problemDetails) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *problemDetails) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *problemDetails) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (p *problemDetails) ContentType(string) string { return api.ProblemContentType }

func newProblem(status int, code, detail string) *problemDetails {
	p := &problemDetails{Problem: api.Problem{
		Type: api.TypeBlank, Title: http.StatusText(status), Status: status, Code: code, Detail: detail,
	}}
	if title, ok := visibleTypes[code]; ok {
		p.Type, p.Title = code, title
	}
	return p
}

// toProblem turns an error into what the client may know of it. Only a
// *fault.Error has a text that is safe to show.
func toProblem(err error) *problemDetails {
	var ready *problemDetails
	if errors.As(err, &ready) {
		return ready
	}
	f := fault.As(err)
	if f == nil && errors.Is(err, context.DeadlineExceeded) {
		f = errBusy
	}
	if f == nil {
		return newProblem(http.StatusInternalServerError, "", internalDetail)
	}
	status := faulthttp.Status(f.Kind)
	if status == http.StatusInternalServerError { // nothing of it is for others
		return newProblem(status, "", internalDetail)
	}
	p := newProblem(status, f.Code, f.Msg)
	p.Approval = f.Ref
	switch status {
	case http.StatusBadRequest:
		p.Fields = f.Fields
	case http.StatusUnauthorized:
		p.header = http.Header{"Www-Authenticate": {"Bearer"}}
	}
	if f.RetryAfter > 0 {
		p.header = http.Header{"Retry-After": {retryAfter(f.RetryAfter)}}
	}
	return p
}

// retryAfter is in whole seconds, the only form that every client parses.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// problem is toProblem for the request of ctx. It logs what the client will
// not be told; this is the edge where errors end.
func (s *Server) problem(ctx context.Context, err error) *problemDetails {
	p := toProblem(err)
	if p.Status < http.StatusInternalServerError {
		return p
	}
	level := slog.LevelWarn
	var id, route string
	if c := callFrom(ctx); c != nil {
		id, route = c.id, c.route
	}
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		level = slog.LevelInfo // the client left; nobody reads the answer
	case p.Status == http.StatusInternalServerError:
		level, p.RequestID = slog.LevelError, id
	}
	cause := err
	if f := fault.As(err); f != nil && f.Err != nil {
		cause = f.Err
	}
	s.log.LogAttrs(ctx, level, "request failed",
		slog.String("request", id), slog.String("route", route),
		slog.Int("status", p.Status), slog.String("code", p.Code), slog.Any("error", cause))
	return p
}

// refuse answers with err where no handler is in charge.
func (s *Server) refuse(ctx context.Context, w http.ResponseWriter, err error) {
	writeProblem(w, s.problem(ctx, err))
}

func writeProblem(w http.ResponseWriter, p *problemDetails) {
	h := w.Header()
	for k, v := range p.header {
		h[k] = v
	}
	h["Content-Type"] = []string{api.ProblemContentType}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone if this fails
}
