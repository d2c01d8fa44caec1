package use

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Call is a request as an agent asks for it.
type Call struct {
	Binding string // name or identifier; "" for none
	Method  string
	URL     string
	Query   map[string]string // added to that of URL, encoded
	Header  map[string]string
	Body    string
	DryRun  bool // decide only: nothing is counted, opened or sent
}

// target is where the call goes, as it is resolved: URL with Query.
func (c Call) target() (string, error) {
	if len(c.Query) == 0 {
		return c.URL, nil
	}
	more := url.Values{}
	for name, value := range c.Query {
		if lookalike(name) || lookalike(value) {
			return "", ErrInURL
		}
		more.Set(name, value)
	}
	mark := "?"
	if strings.Contains(c.URL, "?") {
		mark = "&"
	}
	return c.URL + mark + more.Encode(), nil
}

// Bounds of a request.
const (
	maxHeaders = 64
	maxHeader  = 8 << 10
	maxBody    = 1 << 20
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// fixed are the headers that are not the agent's to set: they say where the
// request goes, how long it is, or how the answer is encoded.
var fixed = []string{
	"accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
}

// request is a call that was read: where it goes, and templates of the rest.
type request struct {
	method  string
	url     *url.URL
	origin  Origin
	header  []field // in the order of their names
	body    Template
	content string // media type of the body, lower case, without parameters
}

type field struct {
	name  string
	value Template
	basic bool // the value is what a header of Basic credentials encodes
}

// read reads all of a call but where it goes.
func read(c Call) (r request, err error) {
	r.method = c.Method
	if !slices.Contains(methods, c.Method) {
		return r, ErrMethod
	}
	if r.header, err = readHeader(c.Header); err != nil {
		return r, err
	}
	for _, f := range r.header {
		if f.name == "content-type" {
			kind, _, _ := strings.Cut(f.value.String(), ";")
			r.content = strings.ToLower(strings.TrimSpace(kind))
		}
	}
	if len(c.Body) > maxBody {
		return r, ErrBody
	}
	if r.body, err = ParseTemplate(c.Body); err != nil {
		return r, err
	}
	if len(r.refs()) > maxRefs {
		return r, ErrManyRefs
	}
	return r, nil
}

// aim says where the request goes.
func (r *request) aim(raw string) (err error) {
	if hasPlaceholder(raw) {
		return ErrInURL
	}
	r.url, r.origin, err = parseURL(raw)
	return err
}

func readHeader(in map[string]string) ([]field, error) {
	if len(in) > maxHeaders {
		return nil, ErrHeader
	}
	var out []field
	for name, text := range in {
		f, err := readField(strings.ToLower(name), text)
		if err != nil {
			return nil, err
		}
		if !token(f.name) || len(text) > maxHeader || strings.ContainsFunc(text, control) || slices.Contains(fixed, f.name) || strings.HasPrefix(f.name, "proxy-") {
			return nil, ErrHeader
		}
		if slices.ContainsFunc(out, func(have field) bool { return have.name == f.name }) {
			return nil, ErrHeader
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// readField reads a header. Clients that are given a user and a password encode them, and
// with them a placeholder in their place.
func readField(name, text string) (f field, err error) {
	f.name = name
	if pair, ok := basicPair(name, text); ok {
		text, f.basic = pair, true
	}
	f.value, err = ParseTemplate(text)
	return f, err
}

// basicPair is the user and password of a header, if it has such with a placeholder in
// them.
func basicPair(name, text string) (pair string, ok bool) {
	scheme, encoded, _ := strings.Cut(text, " ")
	if name != authHeader || !strings.EqualFold(scheme, "basic") {
		return "", false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	return string(raw), err == nil && hasPlaceholder(string(raw))
}

// hasPlaceholder reports whether a text has a placeholder, or what looks like one.
func hasPlaceholder(text string) bool { return strings.Contains(text, begin) || lookalike(text) }

// HasPlaceholder reports whether the value of a header has a placeholder in it, or what looks
// like one. The name is in lower case.
func HasPlaceholder(name, value string) bool {
	_, basic := basicPair(name, value)
	return basic || hasPlaceholder(value)
}

// token reports whether a lower-case name is one of a header (RFC 9110 section 5.6.2).
func token(s string) bool {
	return s != "" && len(s) <= 256 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") == ""
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// refs are all secrets that the request names.
func (r request) refs() []Ref {
	all := r.body.refs(nil)
	for _, f := range r.header {
		all = f.value.refs(all)
	}
	return all
}

// Outgoing is a request that leaves. It holds values: it is for a Sender only.
type Outgoing struct {
	Method string
	URL    plain.Bytes // of a binding with auth_type query it holds the value
	Header []Header
	Body   plain.Bytes
}

// Header is one field of a request that leaves.
type Header struct {
	Name  string
	Value plain.Bytes
}

// with is the request with values in it.
func (r request) with(values map[Ref][]byte) (out Outgoing, err error) {
	out.Method, out.URL = r.method, plain.FromString(r.url.String())
	for _, f := range r.header {
		value := f.value.fill(values, func(dst, v []byte) []byte { return append(dst, v...) })
		if !headerValue(value) {
			return out, ErrControl
		}
		if f.basic {
			value = base64.StdEncoding.AppendEncode([]byte("Basic "), value)
		}
		out.Header = append(out.Header, Header{f.name, plain.New(value)})
	}
	body := r.body.fill(values, encodingOf(r.content))
	if len(body) > maxBody {
		return out, ErrBody
	}
	out.Body = plain.New(body)
	return out, nil
}

// headerValue reports whether a value can go into a header: a line break in it
// would be another header.
func headerValue(v []byte) bool {
	return !slices.ContainsFunc(v, func(b byte) bool { return control(rune(b)) })
}

// encodingOf is how a value is written into a body of a type, so that no
// character of it ends the string or field that its placeholder is in.
func encodingOf(content string) func(dst, value []byte) []byte {
	switch {
	case content == "application/json" || strings.HasSuffix(content, "+json"):
		return func(dst, v []byte) []byte {
			if !utf8.Valid(v) {
				v = []byte(strings.ToValidUTF8(string(v), "\uFFFD"))
			}
			text, err := json.Marshal(string(v))
			if err != nil { // strings always can be
				return dst
			}
			return append(dst, text[1:len(text)-1]...)
		}
	case content == "application/x-www-form-urlencoded":
		return func(dst, v []byte) []byte { return append(dst, url.QueryEscape(string(v))...) }
	}
	return func(dst, v []byte) []byte { return append(dst, v...) }
}
