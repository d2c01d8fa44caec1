package mcp

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// OAuth is where clients find out who gives out tokens for this server (RFC 9728).
// They do at one origin and at no other: most clients that find out anything ignore
// the credential they were given. The zero value tells nobody.
type OAuth struct {
	Origin string // https://mcp.example.com
	Issuer string // the authorization server; its clients are agents
}

// Resource is what tokens have to be for.
func (o OAuth) Resource() string { return o.Origin + "/mcp" }

const metadataPath = "/.well-known/oauth-protected-resource"

var errHost = fault.New(fault.Denied, "foreign_host", "The Host of the request is not this machine: over the loopback no other name is served but that of mcp.resource_origin")

// here reports whether a request came to the origin.
func (o OAuth) here(r *http.Request) bool {
	scheme, host, ok := strings.Cut(o.Origin, "://")
	if !ok {
		return false
	}
	standard := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return strings.TrimSuffix(strings.ToLower(r.Host), standard) == strings.TrimSuffix(host, standard)
}

// describe answers with the document that leads clients to the authorization server.
func (o OAuth) describe(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"resource": o.Resource(), "authorization_servers": []string{o.Issuer},
		"bearer_methods_supported": []string{"header"}, "resource_name": name,
	})
}

// challenge is what a client is told that is not let in.
func (o OAuth) challenge(r *http.Request) string {
	plain := `Bearer realm="` + name + `"`
	if !o.here(r) {
		return plain
	}
	if r.Header.Get("Authorization") != "" {
		plain += `, error="invalid_token"`
	}
	return plain + `, resource_metadata="` + o.Origin + metadataPath + `/mcp"`
}

// ownHost reports whether a request over the loopback names this machine, or the
// origin. What does not is of a page whose name was made to lead here.
func (o OAuth) ownHost(r *http.Request) bool {
	at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return at == nil || !isLoopback(at.String()) || isLoopback(r.Host) || o.here(r)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// issued are the claims of a token by which it is known whose it is. They are believed
// after the API has taken it.
type issued struct {
	Issuer string  `json:"iss"`
	Until  float64 `json:"exp"`
}

// issuedBy reads the claims of a token, if it is one of the authorization server's.
func (o OAuth) issuedBy(token string) (issued, bool) {
	var said issued
	return said, o.Issuer != "" && readPayload(token, &said) == nil && said.Issuer == o.Issuer
}

// exchange is the account of the agent that is the client to whom the authorization
// server gave a token. It ends with that token: what the API gave for it is good for
// longer.
func (a *accounts) exchange(ctx context.Context, token string, said issued) (*account, error) {
	t, err := a.api.AgentToken(ctx, api.AgentTokenRequest{AccessToken: token})
	if err != nil {
		return nil, err
	}
	return &account{
		api: a.api.As(t.AccessToken), user: t.AgentID, agent: t.AgentID, bound: t.VaultIDs,
		until: time.Unix(int64(said.Until), 0),
	}, nil
}

// CheckOrigin says whether text is an origin at which OAuth may be spoken: one
// whose connections nobody reads along.
func CheckOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && text == u.Scheme+"://"+strings.ToLower(u.Host) &&
		(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Host))
}
