package httpapi

import (
	"net/http"
	"net/url"
	"strings"
)

// origins are the web origins whose pages may call the API: the appliance's
// own public one and those the operator adds. There is no wildcard, and no
// cookie that a foreign page could ride on: the API takes bearer tokens only.
type origins map[string]struct{}

// originsOf reads URLs or origins; one that has no host is left out.
func originsOf(urls ...string) origins {
	o := origins{}
	for _, raw := range urls {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			o[strings.ToLower(u.Scheme+"://"+u.Host)] = struct{}{}
		}
	}
	return o
}

var (
	varyOrigin   = []string{"Origin"}
	corsMethods  = []string{"GET, POST, PUT, PATCH, DELETE"}
	corsAge      = []string{"600"}
	corsRequest  = []string{"Authorization, Content-Type, Idempotency-Key, X-Request-Id, X-Payment, X-Share-Passphrase, X-Cmek-Old-Key, X-Cmek-New-Key"}
	corsResponse = []string{strings.Join([]string{
		requestIDHeader, auditEventHeader, auditIndexHeader, auditLeafHeader, "Retry-After",
		"X-RateLimit-Requests-Used", "X-RateLimit-Requests-Limit", "X-RateLimit-Requests-Percent",
		"X-Credit-Balance-Cents", "X-Overage-Method", "X-Quota-Warning", "X-Credit-Expiring-Soon",
	}, ", ")}
)

// preflight sets the CORS headers of an answer and reports whether r was only
// a browser's question, which is then answered.
func (o origins) preflight(c *call, r *http.Request) bool {
	origin := r.Header["Origin"]
	if len(origin) != 1 {
		return false
	}
	h := c.Header()
	h["Vary"] = varyOrigin
	_, allowed := o[strings.ToLower(origin[0])]
	if allowed {
		h["Access-Control-Allow-Origin"] = origin
		h["Access-Control-Expose-Headers"] = corsResponse
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if allowed {
		h["Access-Control-Allow-Methods"] = corsMethods
		h["Access-Control-Allow-Headers"] = corsRequest
		h["Access-Control-Max-Age"] = corsAge
	}
	c.route = "preflight"
	c.WriteHeader(http.StatusNoContent)
	return true
}
