package forwardproxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/vault/use"
)

// fill returns the header as the host gets it, with the values in the places of their
// placeholders. It is the decision about them, too.
func (x *exchange) fill() (http.Header, error) {
	out, held := http.Header{}, map[string]string{}
	for name, values := range x.r.Header {
		lower := strings.ToLower(name)
		if private(lower) || namedByConnection(x.r.Header, name) {
			continue
		}
		if !slices.ContainsFunc(values, func(v string) bool { return use.HasPlaceholder(lower, v) }) {
			out[name] = values
			continue
		}
		if len(values) != 1 {
			return nil, use.ErrHeader
		}
		held[lower] = values[0]
	}
	if out["User-Agent"] == nil {
		out["User-Agent"] = nil // or one is put in
	}
	out.Set("Accept-Encoding", "identity") // what is encoded cannot be read
	if len(held) == 0 {
		return out, nil
	}
	if err := x.borrow(held); err != nil {
		return nil, err
	}
	x.filter = x.permit.Filter
	for _, h := range x.permit.Header {
		out.Set(h.Name, string(h.Value.Reveal()))
	}
	return out, nil
}

// borrow has the secrets that headers name decided about, for the host.
func (x *exchange) borrow(held map[string]string) (err error) {
	x.permit, err = x.p.Permits.Permit(x.r.Context(), x.agent.Principal, use.Call{Method: x.r.Method, URL: x.to.String(), Header: held})
	x.ruled = err != nil
	return err
}

// private reports whether a header of a request ends here: what is for one connection,
// what is for the proxy, and what says of the client's network what is nobody's business.
func private(lower string) bool {
	switch lower {
	case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect", "host",
		"content-length", "content-encoding", "accept-encoding", "forwarded", "via", "x-real-ip":
		return true
	}
	return strings.HasPrefix(lower, "proxy-") || strings.HasPrefix(lower, "x-forwarded-") || strings.HasPrefix(lower, "x-shroud-")
}
