package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

// Options says which appliance a Client speaks to, and as whom. With neither
// Key nor Token it can call what is public.
type Options struct {
	// BaseURL is where the API is, such as "https://vault.internal:8200". A path
	// in it comes before those of the operations.
	BaseURL string

	// Key is an agent's ocv_ key or a person's 1ck_ key. It is exchanged for a
	// token at the first call that needs one, and again before the token ends.
	Key string
	// AgentID is needed only where agents of several organisations share what
	// they prove themselves with.
	AgentID string
	// Token is a token to use as it is. It is not renewed, and goes before Key.
	Token string

	// CMEK has the keys of vaults whose values their writers encrypt, by the vault's
	// id: GetSecret and GetSecretVersion decrypt with them. While a key is being
	// rotated a vault has two. PutSecret sends what it is given: Key.Seal it first.
	CMEK map[string][]cmek.Key
	// FindCMEK is asked for the keys of a vault that CMEK has none of, by its id as the
	// caller wrote it, when one of its values is encrypted: for keys that are kept
	// elsewhere.
	FindCMEK func(vault string) ([]cmek.Key, error)

	// Pay is asked once for each call that is refused until it is paid for (x402), and
	// returns the X-PAYMENT header to send it again with, or "" to let it be. What may
	// be paid, and to whom, is for it to decide: the offer is the appliance's word.
	Pay func(context.Context, PaymentRequired) (header string, err error)

	// HTTP sends the requests: its transport holds what there is of TLS settings,
	// client certificates and proxies. The zero value gives up on a request
	// after a minute.
	HTTP *http.Client
	// UserAgent says which program calls; "oneclaw-go" if empty.
	UserAgent string
	// Attempts is how often a request that is safe to repeat is sent before its
	// failure is reported; 3 if zero.
	Attempts int
}

// String says where o leads, and never what it proves itself with.
func (o Options) String() string { return "options of a client of " + hostOf(o.BaseURL) }

// GoString keeps %#v from printing credentials.
func (o Options) GoString() string { return o.String() }

// LogValue keeps logs free of credentials.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// hostOf is what of a base URL may be shown: it has no user in it.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "an address that is none"
	}
	return u.Host
}

// Client calls the API of one appliance. It is safe for concurrent use.
type Client struct {
	base     *url.URL
	http     *http.Client
	agent    string // User-Agent
	attempts int
	session  *session
	keys     map[string][]cmek.Key // by vault id in lower case
	find     func(vault string) ([]cmek.Key, error)
	pay      func(context.Context, PaymentRequired) (string, error)
}

const (
	requestTimeout  = time.Minute
	defaultAttempts = 3
)

// New returns a Client. It opens no connection.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(o.BaseURL, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("client: the base URL must look like http://127.0.0.1:8200")
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("client: the base URL may have a path, but no user, query or fragment")
	}
	c := &Client{base: base, http: &http.Client{Timeout: requestTimeout}, agent: o.UserAgent, attempts: o.Attempts, keys: map[string][]cmek.Key{}, find: o.FindCMEK, pay: o.Pay}
	for vault, keys := range o.CMEK {
		c.keys[strings.ToLower(vault)] = slices.Clone(keys)
	}
	if o.HTTP != nil {
		given := *o.HTTP
		c.http = &given
	}
	// The API redirects nobody. Somebody else who does would be sent what the
	// request carries.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.agent == "" {
		c.agent = "oneclaw-go"
	}
	if c.attempts <= 0 {
		c.attempts = defaultAttempts
	}
	c.session, err = newSession(o)
	return c, err
}

// As returns a Client that calls the same appliance as whoever has this
// credential: a token, an ocv_ key or a 1ck_ key.
func (c *Client) As(credential string) *Client {
	other := *c
	o := Options{Token: credential}
	if isKey(credential) {
		o = Options{Key: credential}
	}
	other.session, _ = newSession(o) // fails only for a key of no known kind
	return &other
}

// BaseURL is where the appliance is.
func (c *Client) BaseURL() string { return c.base.String() }

// String names the appliance and never what the Client proves itself with.
func (c *Client) String() string { return fmt.Sprintf("client of %s", c.base.Host) }

// GoString keeps %#v from printing credentials.
func (c *Client) GoString() string { return c.String() }
