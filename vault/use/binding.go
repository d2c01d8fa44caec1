package use

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
)

// Binding lets one agent use one secret at one place, where the appliance puts it
// into requests. It is a grant by a person, good as long as that person may read
// the secret. Its JSON form is how it is stored.
type Binding struct {
	ID          id.ID  `json:"id"`
	Org         id.ID  `json:"org"`
	Agent       id.ID  `json:"agent"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`

	BaseURL string   `json:"base_url"`
	Auth    Auth     `json:"auth"`
	Hosts   []string `json:"hosts,omitempty"`   // besides that of BaseURL
	Methods []string `json:"methods,omitempty"` // empty: all
	Paths   []string `json:"paths,omitempty"`   // empty: all below BaseURL

	Vault id.ID            `json:"vault"`
	Path  vault.SecretPath `json:"path"`
	// Secret and DeletedThrough are those of the secret that was meant: one that is
	// written at its path after it was deleted is another.
	Secret         id.ID  `json:"secret"`
	DeletedThrough uint32 `json:"deleted_through,omitempty"`

	Active    bool      `json:"active"`
	GivenBy   id.ID     `json:"given_by"` // the person by whose right it is used
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// means reports whether sec is the secret that the binding was given for.
func (b Binding) means(sec vault.Secret) bool {
	return sec.ID == b.Secret && sec.DeletedThrough == b.DeletedThrough
}

// AuthType is how a value goes into a request.
type AuthType string

// The ways.
const (
	Bearer     AuthType = "bearer" // Authorization: Bearer value
	Basic      AuthType = "basic"  // Authorization: Basic, of User and the value
	InHeader   AuthType = "header" // Name: Prefix value
	InQuery    AuthType = "query"  // ?Name=value
	authHeader          = "authorization"
)

// Auth says where the value goes.
type Auth struct {
	Type   AuthType `json:"type"`
	Name   string   `json:"name,omitempty"`   // of the header or the parameter
	Prefix string   `json:"prefix,omitempty"` // of the value in a header
	User   string   `json:"user,omitempty"`   // "" for a value that is user:password
}

// check says whether the binding can be used as it is.
func (b Binding) check() error {
	switch {
	case b.Name == "" || len(b.Name) > 64 || len(b.Description) > 1024 || strings.Trim(strings.ToLower(b.Name), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		return ErrBindingName
	case !b.Auth.good():
		return ErrBindingAuth
	}
	u, _, err := parseURL(b.BaseURL)
	if err != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(b.BaseURL, "{{") || !plainPath(u) {
		return ErrBindingBase
	}
	if _, err := ParseHosts(b.Hosts); err != nil || len(b.Paths) > maxHosts {
		return ErrBindingRule
	}
	for _, m := range b.Methods {
		if !slices.Contains(methods, m) {
			return ErrBindingRule
		}
	}
	for _, p := range b.Paths {
		if !strings.HasPrefix(p, "/") || len(p) > 512 || !printable(p) || strings.Contains(strings.TrimSuffix(p, "*"), "*") {
			return ErrBindingRule
		}
	}
	return nil
}

func (a Auth) good() bool {
	text := len(a.Name) <= 256 && len(a.Prefix) <= 256 && len(a.User) <= 256 && !strings.ContainsFunc(a.Name+a.Prefix+a.User, control)
	switch a.Type {
	case Bearer:
		return text
	case Basic:
		return text && !strings.Contains(a.User, ":")
	case InHeader:
		name := strings.ToLower(a.Name)
		return text && token(name) && !slices.Contains(fixed, name) && !strings.HasPrefix(name, "proxy-")
	case InQuery:
		return text && a.Name != ""
	}
	return false
}

// resolve is where a call goes: url, or what it says below the base URL.
func (b Binding) resolve(raw string) string {
	if strings.HasPrefix(raw, "http://") || strings.HasPrefix(raw, "https://") {
		return raw
	}
	base := strings.TrimSuffix(b.BaseURL, "/")
	if raw == "" || strings.HasPrefix(raw, "?") {
		return base + raw
	}
	return base + "/" + strings.TrimPrefix(raw, "/")
}

// permits says why a request may not be made by the binding, or nil.
func (b Binding) permits(r request) error {
	base, origin, err := parseURL(b.BaseURL)
	if err != nil {
		return ErrForbids
	}
	hosts, err := ParseHosts(b.Hosts)
	switch {
	case !b.Active:
		return ErrInactive
	case err != nil || !plainPath(r.url):
		return ErrForbids
	case r.origin == origin && !below(r.url.EscapedPath(), base.EscapedPath()),
		r.origin != origin && !hosts.Allow(r.origin):
		return ErrForbids
	case len(b.Methods) > 0 && !slices.Contains(b.Methods, r.method),
		len(b.Paths) > 0 && !slices.ContainsFunc(b.Paths, func(p string) bool { return matches(r.url.EscapedPath(), p) }):
		return ErrForbids
	}
	if b.Auth.Type == InQuery {
		if r.url.Query().Has(b.Auth.Name) {
			return ErrForbids
		}
		return nil
	}
	if slices.ContainsFunc(r.header, func(f field) bool { return f.name == b.Auth.header() }) {
		return ErrHeader
	}
	return nil
}

// header is the name of the header that the value goes into.
func (a Auth) header() string {
	if a.Type == InHeader {
		return strings.ToLower(a.Name)
	}
	return authHeader
}

// below reports whether path is base or below it.
func below(path, base string) bool {
	base = strings.TrimSuffix(base, "/")
	return path == base || strings.HasPrefix(path, base+"/")
}

// matches reports whether a path is one of an entry of Paths.
func matches(path, entry string) bool {
	if prefix, ok := strings.CutSuffix(entry, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return path == entry
}

// plainPath reports whether servers agree on what the path of u is: there is
// nothing in it that one of them would resolve or decode to another.
func plainPath(u *url.URL) bool {
	path := strings.ToLower(u.EscapedPath())
	for _, odd := range []string{"//", "%2e", "%2f", "%5c", "%25", "%00", ";"} {
		if strings.Contains(path, odd) {
			return false
		}
	}
	return !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

// apply puts the value into a request.
func (a Auth) apply(out *Outgoing, value []byte) error {
	if !headerValue(value) {
		return ErrControl
	}
	var text []byte
	switch a.Type {
	case Bearer:
		text = append([]byte("Bearer "), value...)
	case Basic:
		pair := value
		if a.User != "" {
			pair = append([]byte(a.User+":"), value...)
		}
		text = base64.StdEncoding.AppendEncode([]byte("Basic "), pair)
	case InHeader:
		text = append([]byte(a.Prefix), value...)
	case InQuery:
		to := string(out.URL.Reveal())
		mark := "?"
		if strings.Contains(to, "?") {
			mark = "&"
		}
		out.URL = plain.FromString(to + mark + url.QueryEscape(a.Name) + "=" + url.QueryEscape(string(value)))
		return nil
	}
	out.Header = append(out.Header, Header{a.header(), plain.New(text)})
	return nil
}

// valueOf is what is stored of a credential, if it is sent as the caller believes.
func (a Auth) valueOf(c Credential) (plain.Bytes, error) {
	same := strings.EqualFold
	if a.Type == InQuery {
		same = func(x, y string) bool { return x == y }
	}
	if c.Type != a.Type || c.Value.Len() == 0 || c.Name != "" && !same(c.Name, a.Name) {
		return plain.Bytes{}, ErrCredential
	}
	switch {
	case a.Type != Basic || c.User == a.User:
		return c.Value, nil
	case a.User != "" || strings.Contains(c.User, ":"):
		return plain.Bytes{}, ErrCredential
	}
	return plain.New(slices.Concat([]byte(c.User+":"), c.Value.Reveal())), nil // the value is user:password
}
