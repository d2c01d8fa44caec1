package shroud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/translate"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// maxAnswer bounds an answer that has to be read whole before any of it is shown.
const maxAnswer = 64 << 20

// forward asks the model, and those that the agent falls back to while it does not
// answer, and passes the answer on.
func (c *call) forward() error {
	if err := c.reserve(); err != nil {
		return err
	}
	a := c.ask()
	for a.another() && c.fallBack() {
		a.close()
		a = c.ask()
	}
	defer a.close()
	err := a.err
	if err == nil {
		err = a.pass()
	}
	a.account(err)
	return err
}

// pass gives the provider's answer to the agent.
func (a *attempt) pass() error {
	c := a.c
	err := c.answer(a)
	switch {
	case errors.Is(err, errLeft):
		a.end = abandoned
	case err != nil && a.ctx.Err() != nil:
		a.end = c.failure()
		return c.noAnswer(a.ctx, err)
	case errors.Is(err, errBrokeOff):
		a.end = failed
	}
	return err
}

var (
	errSilent   = errors.New("shroud: the provider said nothing for too long")
	errBrokeOff = errors.New("shroud: the answer broke off")
	errLeft     = fault.New(fault.Unavailable, "abandoned", "the client went away")
)

// failure tells a provider that fails from a client that went away.
func (c *call) failure() outcome {
	if c.ctx.Err() != nil {
		return abandoned
	}
	return failed
}

// noAnswer is what a client is told. Errors of connections name addresses and, in
// URLs, keys: those are for nobody.
func (c *call) noAnswer(ctx context.Context, err error) error {
	if c.ctx.Err() != nil {
		return errLeft
	}
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if errors.Is(context.Cause(ctx), errSilent) {
		return badGateway{"the provider " + c.up.Name + " said nothing for " + c.up.Silence.String(), err}
	}
	return badGateway{"upstream error: the provider " + c.up.Name + " could not be reached", err}
}

// watched is a body whose reader gives up on silence.
type watched struct {
	io.ReadCloser
	timer   *time.Timer
	silence time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.silence)
	defer w.timer.Stop() // a client that reads slowly is not the provider's silence
	return w.ReadCloser.Read(p)
}

// outbound is the request as the provider gets it.
func (c *call) outbound(ctx context.Context) (*http.Request, error) {
	path, query, body, err := c.rewritten()
	if err != nil {
		return nil, err
	}
	target := strings.TrimSuffix(c.up.Base, "/") + path
	if query != "" {
		target += "?" + query
	}
	req, err := http.NewRequestWithContext(ctx, c.r.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("shroud: the address of %s: %w", c.up.Name, err)
	}
	if c.req == nil {
		req.Body = nil
	}
	for name, values := range c.r.Header {
		if !provider.Private(name) && !namedByConnection(c.r.Header, name) && c.clean(values) {
			req.Header[name] = values
		}
	}
	for name, value := range c.up.Style.Defaults() {
		if req.Header.Get(name) == "" {
			req.Header.Set(name, value)
		}
	}
	if c.key.Len() > 0 {
		c.spent = strings.TrimSpace(string(c.key.Reveal()))
		if strings.ContainsFunc(c.spent, unicode.IsControl) {
			return nil, errBadKey
		}
		req.Header.Set(c.up.Style.Credential(c.spent))
	}
	req.Header.Set("Accept-Encoding", "identity")
	return req, nil
}

// rewritten is where the request goes, and its body as inspection left it.
func (c *call) rewritten() (path, query string, body []byte, err error) {
	path, query = c.route.Path, provider.Query(c.r.URL.RawQuery)
	if c.req == nil {
		return path, query, nil, nil
	}
	if c.policy.Limits.Budget > 0 && c.up.Style == provider.OpenAI {
		c.hidesUsage = c.req.AskUsage()
	}
	if body, err = c.req.Rewrite(c.edits); err != nil || !c.route.Translated {
		return path, query, body, err
	}
	to, err := translate.Request(c.up.Style, body)
	c.wants = translate.Answer{Model: c.model, Created: c.began.Unix(), Usage: to.Usage}
	return to.Path, to.Query, to.Body, err
}

// clean reports whether the values of a header hold nothing that must not get out.
func (c *call) clean(values []string) bool {
	for _, v := range values {
		if len(c.matcher.Find(v)) > 0 || c.spent != "" && strings.Contains(v, c.spent) {
			return false
		}
	}
	return true
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

// answer passes the provider's answer on: event by event if it is a stream, else
// whole.
func (c *call) answer(a *attempt) error {
	res := a.res
	if res.Header.Get("Content-Encoding") != "" && res.Header.Get("Content-Encoding") != "identity" {
		return badGateway{"upstream error: the provider encodes its answers, which cannot be read then", nil}
	}
	if c.streams(res) {
		return c.stream(a)
	}
	return c.whole(res)
}

// streams reports whether an answer comes event by event.
func (c *call) streams(res *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return res.StatusCode < 400 && (kind == "text/event-stream" || c.route.Array)
}

func (c *call) whole(res *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		c.heard = len(body)
		return badGateway{"upstream error: the answer broke off", fmt.Errorf("%w: %w", errBrokeOff, err)}
	case len(body) > maxAnswer:
		return badGateway{"upstream error: the answer is too large to be inspected", nil}
	}
	if c.route.Translated {
		if body, err = c.wants.Response(c.up.Style, res.StatusCode, body); err != nil {
			return badGateway{"upstream error: the answer cannot be translated", err}
		}
	}
	if !utf8.Valid(body) {
		return badGateway{"upstream error: the answer cannot be read", nil}
	}
	if len(c.spent) >= redact.Shortest { // some repeat the key that they refuse
		body = bytes.ReplaceAll(body, []byte(c.spent), []byte("[REDACTED:provider-key]"))
	}
	parsed, err := provider.ParseResponse(c.route.Format, res.StatusCode, body)
	if err != nil {
		return badGateway{"upstream error: the answer cannot be read", err}
	}
	if !c.route.Idle { // what counts tokens takes none
		c.usage = parsed.Usage
	}
	edits, err := c.inspectAnswer(&parsed.Message)
	if err != nil {
		return err
	}
	if body, err = parsed.Rewrite(edits); err != nil {
		return err
	}
	c.head(res)
	c.w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	c.w.WriteHeader(res.StatusCode)
	c.sent = true
	if _, err := c.w.Write(body); err != nil {
		return errLeft
	}
	_ = http.NewResponseController(c.w).Flush() // before what is remembered of the call is written
	return nil
}

// head writes the header of an answer, but for its length.
func (c *call) head(res *http.Response) {
	h := c.w.Header()
	for name, values := range res.Header {
		if !provider.PrivateAnswer(name) && !namedByConnection(res.Header, name) && c.clean(values) {
			h[name] = values
		}
	}
	if c.asked != "" {
		h.Set(headerAnsweredBy, ascii([]byte(c.up.Name+"/"+c.model)))
	}
	c.found.header(h)
	c.status = res.StatusCode
}
