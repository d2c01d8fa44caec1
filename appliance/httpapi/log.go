package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"
)

// end turns a panic into a 500 and writes the access line.
func (s *Server) end(c *call, r *http.Request, panicked any) {
	if panicked != nil && panicked != http.ErrAbortHandler {
		s.logPanic(r.Context(), c, panicked)
		if c.status == 0 {
			p := newProblem(http.StatusInternalServerError, "", internalDetail)
			p.RequestID = c.id
			writeProblem(c, p)
		}
	}
	if s.observe != nil {
		s.observe(knownMethod(r.Method), c.route, c.status, time.Since(c.start))
	}
	if c.ended != nil {
		c.ended(knownMethod(r.Method), c.route, c.op, c.status)
	}
	s.logAccess(r, c)
	if panicked == http.ErrAbortHandler {
		panic(panicked) // net/http's own way to drop the connection
	}
}

// logPanic logs where, and what only if the runtime made it: a value that was
// passed to panic can be anything, a secret included. The stack shows argument
// words, never what they point to.
func (s *Server) logPanic(ctx context.Context, c *call, panicked any) {
	what := slog.String("panic", "a value that is not shown")
	if re, ok := panicked.(runtime.Error); ok {
		what = slog.String("panic", re.Error())
	}
	s.log.LogAttrs(ctx, slog.LevelError, "panic while serving a request",
		slog.String("request", c.id), slog.String("route", c.route), what, slog.String("stack", string(debug.Stack())))
}

// logAccess writes one line that holds nothing the client chose but a checked
// request id: the route is the template, never the path, and there are no
// query strings and no headers.
func (s *Server) logAccess(r *http.Request, c *call) {
	ctx := r.Context()
	if !s.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "request",
		slog.String("request", c.id), slog.String("client", c.ip.String()),
		slog.String("method", knownMethod(r.Method)), slog.String("route", c.route),
		slog.Int("status", c.status), slog.Duration("took", time.Since(c.start)))
}

func knownMethod(m string) string {
	switch m {
	case get, post, put, patch, remove, http.MethodHead, http.MethodOptions:
		return m
	}
	return "other"
}
