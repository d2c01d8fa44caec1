package forwardproxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/vault/use"
)

// maxBody bounds a request, in bytes. An answer may be of any length.
const maxBody = 5 << 20

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// exchange is one request on its way, and its answer.
type exchange struct {
	p     *Proxy
	w     http.ResponseWriter
	r     *http.Request
	agent shroud.Agent
	to    use.Origin

	body   []byte
	filter use.Filter  // of what must not get to the agent, nor out through it
	permit *use.Permit // nil for a request without placeholders
	ruled  bool        // a refusal was recorded where it was decided
	handed bool        // Shroud has it, and records it

	sent    bool // the answer has begun
	status  int
	found   int // values that were taken out of it
	silence *time.Timer
}

// pass takes a request to its host, and the answer back.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, a shroud.Agent, to use.Origin) {
	began := p.Now()
	x := &exchange{p: p, w: w, r: r, agent: a, to: to}
	leave, err := x.admit()
	if err == nil {
		defer leave()
		if of, ok := p.providers[to]; ok {
			err = x.ask(of)
		} else {
			err = x.fetch()
		}
	}
	if x.permit != nil {
		if lost := x.permit.Settle(context.WithoutCancel(r.Context()), x.status, x.found, err); lost != nil {
			p.Log.Error("what came of a use is not in the audit log", "agent", a.ID, "err", lost)
		}
	}
	if !x.handed {
		p.record(r, Report{
			Agent: a.Principal, Host: to.String(), Method: r.Method, Status: x.status, Redactions: x.found, Began: began,
			Recorded: x.permit != nil || x.ruled,
		}, err)
	}
	switch {
	case err != nil && x.sent:
		panic(http.ErrAbortHandler) // or the client would take what it has for all
	case err != nil:
		Refuse(w, err)
	}
}

// admit says whether a request is one that can be passed on at all.
func (x *exchange) admit() (leave func(), err error) {
	r := x.r
	switch {
	case !aims(r, x.to):
		x.w.Header().Set("Connection", "close")
		return nil, errMisdirected
	case r.Header.Get("Upgrade") != "", namedByConnection(r.Header, "Upgrade"):
		return nil, errUpgrade
	case !slices.Contains(methods, r.Method), !strings.HasPrefix(r.URL.Path, "/"):
		return nil, errMethod
	}
	return x.p.underway.enter(x.agent.ID)
}

// fetch takes a request to a host that is no provider of models.
func (x *exchange) fetch() error {
	if err := x.read(); err != nil {
		return err
	}
	if err := x.inspect(); err != nil {
		return err
	}
	header, err := x.fill()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(x.r.Context())
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, x.r.Method, x.to.String()+x.r.URL.RequestURI(), bytes.NewReader(x.body))
	if err != nil {
		return use.ErrURL
	}
	if req.Header = header; len(x.body) == 0 {
		req.Body = http.NoBody
	}
	x.silence = time.AfterFunc(x.p.Silence, func() { cancel(use.ErrTimeout) })
	defer x.silence.Stop()
	res, err := x.p.Client.Do(req)
	if err != nil {
		return x.unreached(ctx, err)
	}
	defer res.Body.Close()
	return x.answer(ctx, res)
}

// unreached is what an agent is told of a host that does not answer. Errors of
// connections name addresses: those are for nobody.
func (x *exchange) unreached(ctx context.Context, err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if x.r.Context().Err() != nil {
		return errLeft
	}
	if errors.Is(context.Cause(ctx), use.ErrTimeout) {
		return use.ErrTimeout.Because(err)
	}
	if status, f := explain(err); status != http.StatusInternalServerError {
		return f
	}
	x.p.Log.Info("a host of the forward proxy did not answer", "host", x.to.String(), "err", err)
	return use.ErrUnreachable.Because(err)
}

// read reads the body, whole: nothing leaves before all of it was looked at.
func (x *exchange) read() (err error) {
	if e := x.r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return errEncoded
	}
	var tooLarge *http.MaxBytesError
	x.body, err = io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxBody))
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case err != nil:
		return errCutOff.Because(err)
	}
	return nil
}

// inspect refuses a request that holds a value of the vaults: where one may go is said
// where it is written, and a placeholder is how it gets there.
func (x *exchange) inspect() error {
	screen, err := x.p.Screens.For(x.r.Context(), x.agent.Principal)
	if err != nil {
		return err
	}
	x.filter, _ = screen.With(nil)
	query, err := url.QueryUnescape(x.r.URL.RawQuery)
	if err != nil {
		query = ""
	}
	for _, text := range []string{x.r.URL.RequestURI(), x.r.URL.Path, query} {
		if use.HasPlaceholder("", text) {
			return use.ErrInURL
		}
		if x.holds(text) {
			return errHolds.Detail("the request holds a value of the vaults in its address; secrets do not go into addresses, which are logged everywhere")
		}
	}
	for name, values := range x.r.Header {
		if x.holds(name) || slices.ContainsFunc(values, x.holds) {
			return errHolds.Detail("the request holds a value of the vaults in a header: write {{secret:path}} in its place, and the proxy fills it in")
		}
	}
	if x.holds(string(x.body)) {
		return errHolds.Detail("the request holds a value of the vaults in its body: a value goes into headers, by its placeholder, or with an execution (POST /v1/agents/{agent_id}/execute)")
	}
	return nil
}

func (x *exchange) holds(text string) bool {
	_, found := x.filter.Clean(text)
	return found > 0 || x.filter.Hides(text)
}

// namedByConnection reports whether a header is for this connection only (RFC 9110
// section 7.6.1).
func namedByConnection(h http.Header, name string) bool {
	for _, line := range h.Values("Connection") {
		for one := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(one), name) {
				return true
			}
		}
	}
	return false
}
