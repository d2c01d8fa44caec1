package httpapi

import "net/http"

// The values of the headers that every answer carries, made once. A header
// map only ever replaces such a slice or copies it to grow, so sharing is safe.
var (
	noSniff    = []string{"nosniff"}
	noStore    = []string{"no-store"}
	noReferrer = []string{"no-referrer"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	sameOrigin = []string{"same-origin"}
	hsts       = []string{"max-age=31536000"}
)

// secure sets the headers that keep an answer out of caches, frames and
// guesses about its type. API answers hold secrets and render nothing.
func (c *call) secure() {
	h := c.Header()
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	h["Referrer-Policy"] = noReferrer
	h["Content-Security-Policy"] = noContent
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	h[requestIDHeader] = []string{c.id}
	if c.tls { // over plain HTTP the header means nothing and must not be sent
		h["Strict-Transport-Security"] = hsts
	}
}

var _ http.ResponseWriter = (*call)(nil)
