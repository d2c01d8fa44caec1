package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// catchAll is the key in a huma.Operation's Metadata for the name of the path
// parameter that may hold slashes.
const catchAll = "catch-all"

// adapter puts huma's operations on a gin router. huma's own adapter cannot
// serve a parameter with slashes in it (huma issue 896), and secret paths have
// them. Clients send such a path with raw slashes, with each segment escaped,
// or as one segment full of %2F. The router matches on URL.Path, which net/http
// has decoded, once, so that all three are one path by then and nothing here
// decodes again: %252F stays %2F.
type adapter struct{ router *gin.Engine }

// ServeHTTP implements huma.Adapter.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, h func(huma.Context)) {
	name, _ := op.Metadata[catchAll].(string)
	path, tail := ginPath(op.Path, name)
	a.router.Handle(op.Method, path, func(c *gin.Context) {
		ctx := &request{base: humagin.NewContext(op, c), gin: c}
		if name != "" {
			ctx.name, ctx.tail = name, tail
			ctx.value = strings.TrimPrefix(c.Param(name), "/")
		}
		h(ctx)
	})
}

// ginPath turns /a/{id}/{path}/{version} with catch-all "path" into
// /a/:id/*path and reports the parameter that follows it, if any: gin wants a
// catch-all to be the last.
func ginPath(p, catch string) (path, tail string) {
	segs := strings.Split(p, "/")
	for i, s := range segs {
		if !strings.HasPrefix(s, "{") {
			continue
		}
		n := strings.Trim(s, "{}")
		if n == catch {
			if i+1 < len(segs) {
				tail = strings.Trim(segs[i+1], "{}")
			}
			segs[i] = "*" + n
			segs = segs[:i+1]
			break
		}
		segs[i] = ":" + n
	}
	return strings.Join(segs, "/"), tail
}

// base is embedded under another name than Context, which is a method of it.
type base = huma.Context

// request is huma's view of a request, bent where clients need it.
type request struct {
	base
	gin *gin.Context

	name, tail, value string // the catch-all, what follows it, and both values
}

// Unwrap gives the context of huma's own gin adapter.
func (c *request) Unwrap() huma.Context { return c.base }

// Param implements huma.Context.
func (c *request) Param(n string) string {
	switch {
	case c.name == "" || n != c.name && n != c.tail:
		return c.gin.Param(n)
	case c.tail == "":
		return c.value
	}
	i := strings.LastIndexByte(c.value, '/')
	switch {
	case n == c.tail:
		return c.value[i+1:]
	case i < 0:
		return ""
	}
	return c.value[:i]
}

// Header implements huma.Context. The API speaks JSON only, so neither what a
// client calls its body nor what it would like to read changes anything.
func (c *request) Header(name string) string {
	switch name {
	case "Content-Type":
		return "application/json"
	case "Accept":
		return ""
	}
	return c.gin.GetHeader(name)
}

// SetReadDeadline implements huma.Context. Most requests have no body to wait
// for.
func (c *request) SetReadDeadline(t time.Time) error {
	if c.gin.Request.Body == http.NoBody {
		return nil
	}
	return c.base.SetReadDeadline(t)
}
