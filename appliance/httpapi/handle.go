package httpapi

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// Methods, short enough for a table of routes.
const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

// Kinds of principals, for who.
const (
	human = identity.KindUser
	agent = identity.KindAgent
)

const (
	defaultMaxBody  = 5 << 20 // the published limit
	bodyReadTimeout = 30 * time.Second
)

// endpoint is what the API knows of an operation beyond what huma does.
type endpoint struct {
	op     huma.Operation
	access access
	bodies []bodyOf // of answers, beyond what the handler's type says
}

// bodyOf is the body of a status.
type bodyOf struct {
	status int
	body   reflect.Type
}

// opt is an option of a route.
type opt func(*endpoint)

// who limits an operation to some kinds of principals. Without it any
// authenticated one may ask; what they may do is the service's decision.
func who(kinds ...identity.Kind) opt {
	return func(e *endpoint) { e.access.kinds = kinds }
}

// public lets an operation be asked without a token.
func public(e *endpoint) { e.access.public = true }

// optional is public, but a token that is sent has to be a good one, and says
// who asks: a client whose token has ended must hear of it rather than be taken
// for nobody.
func optional(e *endpoint) { e.access.public, e.access.optional = true, true }

// guessable puts a public operation that takes a credential under the limiter
// that slows guessing down; each attempt counts.
func guessable(e *endpoint) { e.access.public, e.access.guessable = true, true }

// keyed is guessable, but a right key does not count. See keyWasRight.
func keyed(e *endpoint) { guessable(e); e.access.keyed = true }

// slashes names the path parameter that may hold slashes. One more parameter
// may follow it.
func slashes(param string) opt {
	return func(e *endpoint) { e.op.Metadata = map[string]any{catchAll: param} }
}

// status is the status of success; without it 200, or 204 without a body.
func status(code int) opt {
	return func(e *endpoint) { e.op.DefaultStatus = code }
}

// maxBody limits the size of the request body, in bytes.
func maxBody(n int64) opt {
	return func(e *endpoint) { e.op.MaxBodyBytes = n }
}

// streams describes an answer that is written bit by bit and is not JSON.
func streams(mediaType string) opt {
	return func(e *endpoint) {
		e.op.Responses = map[string]*huma.Response{"200": {
			Description: "OK", Content: map[string]*huma.MediaType{mediaType: {}},
		}}
	}
}

// answers describes the body of a status, where the handler says any.
func answers(code int, body any) opt {
	return func(e *endpoint) { e.bodies = append(e.bodies, bodyOf{code, reflect.TypeOf(body)}) }
}

// either describes the bodies that one status may have, where the handler says any.
func either(code int, bodies ...any) opt {
	return func(e *endpoint) {
		for _, b := range bodies {
			e.bodies = append(e.bodies, bodyOf{code, reflect.TypeOf(b)})
		}
	}
}

// doc sets the tag and the one-line summary in the OpenAPI document.
func doc(tag, summary string) opt {
	return func(e *endpoint) { e.op.Tags, e.op.Summary = []string{tag}, summary }
}

// reply is an answer with a body.
type reply[T any] struct{ Body T }

// answer wraps body; it keeps handlers to one return line.
func answer[T any](body T) (*reply[T], error) { return &reply[T]{Body: body}, nil }

// none is the input of an operation that takes nothing and the answer of one
// that says nothing (204).
type none struct{}

// route adds one operation to a server.
type route func(*Server)

// handle describes one operation: the only way a route comes to exist. I is a
// struct with path, query and header fields and a Body; O is reply or none.
func handle[I, O any](method, path, id string, fn func(context.Context, *I) (*O, error), opts ...opt) route {
	return func(s *Server) {
		e := endpoint{op: huma.Operation{
			Method: method, Path: path, OperationID: id,
			MaxBodyBytes: defaultMaxBody, BodyReadTimeout: bodyReadTimeout,
		}}
		for _, o := range opts {
			o(&e)
		}
		e.op.MaxBodyBytes++ // huma refuses a body of exactly the limit
		e.op.Middlewares = huma.Middlewares{s.admission(path, id, e.access)}
		switch {
		case e.access.optional:
			e.op.Security = []map[string][]string{{}, {bearerScheme: {}}}
		case !e.access.public:
			e.op.Security = []map[string][]string{{bearerScheme: {}}}
		}
		e.describe(s.huma.OpenAPI().Components.Schemas)
		huma.Register(s.huma, e.op, func(ctx context.Context, in *I) (*O, error) {
			out, err := fn(ctx, in)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			return out, nil
		})
		s.checkParams(method, path)
		checkWidths(reflect.TypeFor[I](), path)
		s.list(method, path, id, e.access)
	}
}

// describe adds the bodies that the handler's type does not tell.
func (e *endpoint) describe(schemas huma.Registry) {
	for _, d := range e.bodies {
		if e.op.Responses == nil {
			e.op.Responses = map[string]*huma.Response{}
		}
		schema := schemas.Schema(d.body, true, d.body.Name())
		if have := e.op.Responses[strconv.Itoa(d.status)]; have != nil {
			before := have.Content["application/json"].Schema
			if before.OneOf == nil {
				before = &huma.Schema{OneOf: []*huma.Schema{before}}
			}
			before.OneOf = append(before.OneOf, schema)
			schema = before
		}
		e.op.Responses[strconv.Itoa(d.status)] = &huma.Response{
			Description: http.StatusText(d.status),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
		}
	}
}

// checkParams panics if the input of an operation does not take every parameter
// of its path. huma leaves such a field empty in silence; it does so where the
// field is in an embedded struct whose own name is not exported.
func (s *Server) checkParams(method, path string) {
	item := s.huma.OpenAPI().Paths[path]
	op := map[string]*huma.Operation{get: item.Get, post: item.Post, put: item.Put, patch: item.Patch, remove: item.Delete}[method]
	for _, seg := range strings.Split(path, "/") {
		name, isParam := strings.CutPrefix(seg, "{")
		name = strings.TrimSuffix(name, "}")
		taken := func(p *huma.Param) bool { return p.In == "path" && p.Name == name }
		if isParam && !slices.ContainsFunc(op.Parameters, taken) {
			panic("httpapi: the input of " + method + " " + path + " does not take " + name)
		}
	}
}

// checkWidths panics if a parameter is of an integer type narrower than 64
// bits: huma would cut a larger number down to it in silence, and version
// 4294967297 would be version 1. Such a field is 64 bits wide with a maximum.
func checkWidths(input reflect.Type, path string) {
	for i := range input.NumField() {
		f := input.Field(i)
		kind := f.Type.Kind()
		narrow := kind != reflect.Int64 && kind != reflect.Uint64 && kind >= reflect.Int && kind <= reflect.Uintptr
		for _, in := range []string{"path", "query", "header"} {
			if _, param := f.Tag.Lookup(in); param && narrow {
				panic("httpapi: parameter " + f.Name + " of " + path + " is not 64 bits wide")
			}
		}
	}
}

// listOf converts a slice. Its result is never nil, so that an empty list is
// written as [] and not as null.
func listOf[A, B any](in []A, convert func(A) B) []B {
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = convert(v)
	}
	return out
}
