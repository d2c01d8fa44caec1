package shroud

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/detect/pii"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/translate"
	"github.com/oneclaw/oneclawd/shroud/redact"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// maxBody bounds a request, in bytes. An answer may be of any length.
const maxBody = 5 << 20

// maxExpected bounds the memory that a request gets for saying that it is long.
const maxExpected = 512 << 10

var (
	errNoRoute   = fault.New(fault.NotFound, "no_such_route", "Shroud does not know this path of the provider's API, and what it does not know it cannot inspect")
	errTooLarge  = fault.New(fault.TooLarge, "request_too_large", "a request may have at most 5 MB")
	errConfig    = fault.New(fault.Denied, "invalid_shroud_config", "the agent's shroud_config cannot be read, so nothing is allowed; correct it")
	errTwoModels = fault.New(fault.Invalid, "two_models", "the path names one model and the body another")
	errBadKey    = fault.New(fault.Unauthenticated, "bad_api_key", "the provider's key holds a character that no key has")
	errNoKey     = fault.New(fault.Unauthenticated, "no_api_key", "no API key: vault lookup failed and no X-Shroud-Api-Key header")
	errEncoding  = fault.New(fault.Invalid, "encoded_body", "send the body without Content-Encoding: it has to be read")
)

// Manifests knows what must not get out through an agent. An error means that it
// cannot tell. manifest.Keeper is one.
type Manifests interface {
	For(ctx context.Context, p identity.Principal) (m *redact.Matcher, version uint64, err error)
}

// Keys has the keys of providers, as far as an agent may use them. They are the
// caller's to wipe.
type Keys interface {
	// ForProvider is the first key of a provider, by its names, that p may read.
	ForProvider(ctx context.Context, p identity.Principal, names ...string) (plain.Bytes, error)
	// Named is what the header X-Shroud-Api-Key says.
	Named(ctx context.Context, p identity.Principal, header string) (plain.Bytes, error)
}

// Server is the proxy. Its fields are set before the first call and not changed.
type Server struct {
	Agents    Agents
	Manifests Manifests
	Keys      Keys
	Meter     *meter.Meter
	Upstreams map[string]*Upstream // by name
	Recorder  Recorder
	Log       *slog.Logger
	Now       func() time.Time

	policies policies
	seen     readings
}

// call is one request on its way.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	ctx   context.Context
	began time.Time

	known  Known
	agent  Agent
	policy Policy
	up     *Upstream
	route  provider.Route
	req    *provider.Request
	model  string

	matcher *redact.Matcher  // of what must not get out
	texts   []*reading       // of the request
	edits   map[int]string   // of its texts
	tokens  pii.Placeholders // of personal data in it
	found   inspection
	sent    bool // the answer has begun
	status  int  // of the provider's answer, from then on
	usage   provider.Usage
	key     plain.Bytes // the provider's
	spent   string      // the same, which must not come back
	price   meter.Price // of the model, if one runs
	held    *meter.Reservation
	owed    meter.MicroUSD // for an answer of which nothing is known
	asked   string         // provider and model that were asked first, if others answer
	heard   int            // bytes of a stream's texts, so far

	hidesUsage bool             // the client did not ask for the usage that we did
	wants      translate.Answer // where the call is translated: what the client's side knows
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz", "/health/live", "/health/ready":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{\"status\":\"ok\"}\n")
		return
	}
	s.Pass(w, r, Known{})
}

// Known is what is known of a call before its headers are read. The zero value is
// nothing.
type Known struct {
	Agent    *Agent // as Enter let it in
	Provider string // by its name
	// Key is the provider's key, which is the caller's to wipe. It is asked once the
	// call was inspected and allowed, and nil where the headers say what it is.
	Key func(context.Context) (plain.Bytes, error)
}

// Pass takes a call through its stages, as ServeHTTP does, with what is known of it.
func (s *Server) Pass(w http.ResponseWriter, r *http.Request, k Known) {
	c := &call{s: s, w: w, r: r, ctx: r.Context(), began: s.Now(), known: k}
	err := c.run()
	if err != nil && !c.sent {
		c.refuse(err)
	}
	s.Recorder.Call(c.ctx, c.report(err))
}

// run takes a call through its stages, in the order of the package's picture.
func (c *call) run() (err error) {
	if c.known.Agent != nil {
		c.agent = *c.known.Agent
	} else if c.agent, err = c.s.enter(c.r); err != nil {
		return err
	}
	if c.policy, err = c.s.policies.of(c.agent.Config); err != nil {
		return errConfig.Because(err)
	}
	if err := c.count(); err != nil {
		return err
	}
	defer func() { c.held.Settle(c.cost()) }()
	if err := c.find(); err != nil {
		return err
	}
	if err := c.read(); err != nil {
		return err
	}
	if err := c.inspect(); err != nil {
		return err
	}
	if err := c.allow(); err != nil {
		return err
	}
	if c.key, err = c.keyOf(c.up); err != nil {
		return err
	}
	defer func() { c.key.Wipe() }()
	return c.forward()
}

// find says whom the call is for and what it is.
func (c *call) find() (err error) {
	name := c.known.Provider
	if name == "" {
		if name, err = single(c.r.Header, headerProvider); err != nil {
			return err
		}
	}
	if name == "" {
		return errNoProvider
	}
	up, ok := c.s.Upstreams[provider.Canonical(name)]
	if !ok {
		return badGateway{text: "provider " + shown(name) + " has no client pool"}
	}
	if strings.ContainsFunc(c.r.URL.Path, func(r rune) bool { return r < '!' || r == 0x7f || strings.ContainsRune("?#%\\", r) }) {
		return errNoRoute // it would be another path where it is read again
	}
	c.up = up
	if c.route, ok = provider.Lookup(up.Style, c.r.Method, c.r.URL.Path, c.r.URL.RawQuery); !ok {
		return errNoRoute
	}
	return nil
}

// read takes the whole request, and apart.
func (c *call) read() error {
	if c.r.Header.Get("Content-Encoding") != "" {
		return errEncoding
	}
	in := bytes.NewBuffer(make([]byte, 0, min(max(c.r.ContentLength, 0), maxExpected)+bytes.MinRead))
	_, err := in.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	body := in.Bytes()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case err != nil:
		return fault.New(fault.Invalid, "cut_off", "the request was cut off").Because(err)
	}
	if c.r.Method == http.MethodGet {
		body = nil
	} else if c.req, err = provider.ParseRequest(c.route.Format, body); err != nil {
		return err
	}
	return c.chooseModel()
}

// chooseModel finds the model: in the body, in the path, or in the header.
func (c *call) chooseModel() error {
	header, err := single(c.r.Header, headerModel)
	if err != nil {
		return err
	}
	inBody := ""
	if c.req != nil {
		inBody = strings.TrimPrefix(c.req.Model, "models/")
	}
	if c.route.Model != "" && inBody != "" && inBody != c.route.Model {
		return errTwoModels
	}
	c.model = cmp.Or(c.route.Model, inBody, header)
	switch {
	case c.model == "" && !c.route.Idle && c.route.Format != provider.Opaque:
		return errNoModel
	case c.req != nil && inBody == "" && header != "" && c.route.NamesModel():
		c.req, err = c.req.NameModel(c.route.Format, header)
	}
	return err
}

// allow asks the agent's policy.
func (c *call) allow() error {
	if err := c.policy.Provider(c.up.Name); err != nil {
		return err
	}
	if c.model != "" {
		if err := c.policy.Model(c.model); err != nil {
			return err
		}
	}
	if c.policy.MaxInput <= 0 || c.req == nil {
		return nil
	}
	if n, too := c.tooLong(c.policy.MaxInput); too {
		return errTooManyTokens.Detail("the request has about %d tokens; the agent may send %d at once (max_tokens_per_request)", n, c.policy.MaxInput)
	}
	return nil
}

// keyOf is a provider's key: what the header says, if it is the one that the header
// is for, or what the agent may read of the provider's in a vault.
func (c *call) keyOf(up *Upstream) (plain.Bytes, error) {
	if c.known.Key != nil && up == c.up {
		return c.known.Key(c.ctx)
	}
	header, err := single(c.r.Header, headerAPIKey)
	if err != nil {
		return plain.Bytes{}, err
	}
	if header != "" && up == c.up {
		return c.s.Keys.Named(c.ctx, c.agent.Principal, header)
	}
	names := []string{up.Name}
	if up.Name == "google" {
		names = append(names, "gemini")
	}
	key, err := c.s.Keys.ForProvider(c.ctx, c.agent.Principal, names...)
	if fault.KindOf(err) == fault.NotFound {
		if up.Keyless {
			return plain.Bytes{}, nil
		}
		return plain.Bytes{}, errNoKey
	}
	return key, err
}

// refuse answers with an error.
func (c *call) refuse(err error) {
	if code, _, _ := status(err); code >= http.StatusInternalServerError && !errors.Is(err, errLeft) {
		c.s.Log.Warn("a call through Shroud failed", "agent", c.agent.ID, "status", code, "err", err)
	}
	c.found.header(c.w.Header())
	Refuse(c.w, err)
}

// shown is a name that somebody sent, made safe for a message.
func shown(name string) string {
	const most = 40
	out := []byte{}
	for i := 0; i < len(name) && len(out) < most; i++ {
		if b := name[i]; b > ' ' && b < 0x7f && b != '"' && b != '<' && b != '\\' {
			out = append(out, b)
		}
	}
	return string(out)
}
