package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// call is one operation as it goes over the wire.
type call struct {
	method string
	path   string // escaped, from "/"
	query  query
	header http.Header
	body   any  // sent as JSON, unless nil
	public bool // needs no token, and gets none
	// repeatable says that the operation done twice is done once, though its
	// method does not say so: it carries an Idempotency-Key.
	repeatable bool
}

// nothing is the answer of operations that have none.
type nothing struct{}

// do sends a call and decodes the answer to it.
func do[Out any](ctx context.Context, c *Client, in call) (Out, error) {
	var out Out
	res, err := c.send(ctx, in)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if _, none := any(out).(nothing); none || res.StatusCode == http.StatusNoContent {
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxProblem)) // so that the connection is used again
		return out, err
	}
	limited := &io.LimitedReader{R: res.Body, N: maxAnswer + 1}
	if err := json.NewDecoder(limited).Decode(&out); err != nil {
		if limited.N <= 0 {
			err = errTooLong
		}
		var none Out
		return none, fmt.Errorf("client: the answer to %s cannot be read: %w", in.method, err) // a path may be a share's
	}
	return out, nil
}

// maxAnswer bounds an answer that is read whole: more than the appliance ever says.
const maxAnswer = 64 << 20

var errTooLong = errors.New("it is longer than 64 MiB")

// read asks for what is at a path.
func read[Out any](ctx context.Context, c *Client, path string, q query) (Out, error) {
	return do[Out](ctx, c, call{method: http.MethodGet, path: path, query: q})
}

// write sends a body, or none, to a path.
func write[Out any](ctx context.Context, c *Client, method, path string, body any) (Out, error) {
	return do[Out](ctx, c, call{method: method, path: path, body: body})
}

// tell is write for operations that answer nothing.
func tell(ctx context.Context, c *Client, method, path string, body any) error {
	_, err := write[nothing](ctx, c, method, path, body)
	return err
}

// look is read for operations that need no token.
func look[Out any](ctx context.Context, c *Client, path string) (Out, error) {
	return do[Out](ctx, c, call{method: http.MethodGet, path: path, public: true})
}

// ask sends a body to an operation that needs no token.
func ask[Out any](ctx context.Context, c *Client, path string, body any) (Out, error) {
	return do[Out](ctx, c, call{method: http.MethodPost, path: path, body: body, public: true})
}

// send returns the answer to a call that succeeded; the caller closes its body.
func (c *Client) send(ctx context.Context, in call) (*http.Response, error) {
	var body []byte
	if in.body != nil {
		var err error
		if body, err = json.Marshal(in.body); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	res, err := c.authorised(ctx, in, body)
	if err != nil {
		return c.paid(ctx, in, body, err)
	}
	return res, nil
}

// authorised sends a call with a token, and once more with another if that one was
// not taken.
func (c *Client) authorised(ctx context.Context, in call, body []byte) (*http.Response, error) {
	res, token, err := c.insist(ctx, in, body)
	if !in.public && errors.Is(err, ErrUnauthenticated) && token != "" && c.session.refused(token) {
		res, _, err = c.insist(ctx, in, body)
	}
	return res, err
}

// insist repeats a call where that is safe and may help.
func (c *Client) insist(ctx context.Context, in call, body []byte) (res *http.Response, token string, err error) {
	for attempt := 1; ; attempt++ {
		if !in.public {
			if token, err = c.session.bearer(ctx, c); err != nil {
				return nil, "", err
			}
		}
		res, err = c.once(ctx, in, token, body)
		if err == nil || attempt >= c.attempts || !in.again(err) {
			return res, token, err
		}
		if !rest(ctx, pause(attempt, err)) {
			return nil, token, err
		}
	}
}

// once sends a call and tells success from refusal.
func (c *Client) once(ctx context.Context, in call, token string, body []byte) (*http.Response, error) {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	target := c.base.String() + in.path
	if len(in.query) > 0 {
		target += "?" + url.Values(in.query).Encode()
	}
	req, err := http.NewRequestWithContext(ctx, in.method, target, r)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	for name, values := range in.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.agent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("client: %w", cause(err))
	}
	capture(ctx, res.Header)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		return nil, refusal(res)
	}
	return res, nil
}

// cause is why a request got no answer, without its URL: that of a share is a
// credential.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// again reports whether the call may be sent once more after this failure. What
// surely was not done may always be; what perhaps was done, only if doing it
// twice is doing it once.
func (in call) again(err error) bool {
	var refused *Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &refused):
		switch refused.Problem.Status {
		case http.StatusTooManyRequests:
			return refused.RetryAfter <= maxPause
		case http.StatusServiceUnavailable: // 503 is said before anything is done
			return refused.RetryAfter > 0 && refused.RetryAfter <= maxPause
		case http.StatusBadGateway, http.StatusGatewayTimeout:
			return in.safe()
		case http.StatusConflict: // an earlier attempt is still being worked on
			return in.repeatable && refused.Problem.Code == codeInFlight && refused.RetryAfter <= maxPause
		}
		return false
	case errors.Is(err, syscall.ECONNREFUSED):
		return true
	}
	var network net.Error
	return in.safe() && (errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF))
}

func (in call) safe() bool {
	return in.repeatable || in.method == http.MethodGet || in.method == http.MethodHead
}

// codeInFlight refuses an Idempotency-Key whose first request has no answer yet.
const codeInFlight = "idempotency_in_flight"

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// pause is how long to wait before the next attempt: what the appliance asks
// for, or twice as long each time, with a share of chance so that many clients
// do not come back together.
func pause(attempt int, err error) time.Duration {
	var refused *Error
	if errors.As(err, &refused) && refused.RetryAfter > 0 {
		return refused.RetryAfter
	}
	d := firstPause << (attempt - 1)
	share, err := rand.Int(rand.Reader, big.NewInt(int64(d/2)))
	if err != nil {
		return d
	}
	return d/2 + time.Duration(share.Int64())
}

// rest waits, unless the context ends first.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// route joins the parts of a path, each escaped whole.
func route(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// secretRoute is where a secret of a vault is under one of the routes that take
// its path: slashes in the path stay slashes.
func secretRoute(vault, kind, path string) string {
	return route("v1", "vaults", vault, kind) + route(strings.Split(path, "/")...)
}
