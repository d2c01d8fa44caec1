package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// endpoint is where a node answers.
type endpoint struct {
	url     string
	name    string   // the URL without what may be secret
	secrets []string // what is
	client  *http.Client
	timeout time.Duration // of one call
	most    int64         // bytes of an answer
}

func newEndpoint(raw string, o Options) (*endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, ErrConfig // the cause quotes the URL
	}
	client := *o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	e := &endpoint{url: raw, name: u.Scheme + "://" + u.Host, client: &client, timeout: o.Timeout, most: o.MaxBody}
	password, _ := u.User.Password()
	parts := append(strings.Split(u.Path, "/"), u.User.Username(), password, u.Fragment, u.RawQuery)
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, p := range parts {
		if len(p) >= 8 { // shorter ones are words such as "v3"
			e.secrets = append(e.secrets, p, url.PathEscape(p), url.QueryEscape(p))
		}
	}
	return e, nil
}

// clean makes a line of what a node, or the way to it, says: without what of the
// URL is secret, and short.
func (e *endpoint) clean(s string) string {
	for _, secret := range e.secrets {
		s = strings.ReplaceAll(s, secret, "…")
	}
	return evm.Printable(s, maxMessage)
}

const maxMessage = 300

func (e *endpoint) fails(why string) error { return &failure{e.name, errors.New(e.clean(why))} }

// call asks for one thing. An error is a failure, a refusal, or the context's.
func (e *endpoint) call(ctx context.Context, out any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("node: encoding the parameters of %s: %w", method, err)
	}
	within, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	status, text, err := e.post(within, body)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // the caller's patience says nothing about the node
		}
		return e.fails(method + ": " + reason(err))
	}
	return e.decode(out, method, status, text)
}

func (e *endpoint) post(ctx context.Context, body []byte) (status int, text []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("the URL is not one")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := e.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(http.MaxBytesReader(nil, resp.Body, e.most))
	return resp.StatusCode, text, err
}

// reason says what went wrong without the URL, which net/http puts in front.
func reason(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var timeout net.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &large):
		return fmt.Sprintf("the answer has more than %d bytes", large.Limit)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the answer is cut off"
	}
	return err.Error()
}

func (e *endpoint) decode(out any, method string, status int, text []byte) error {
	var answer struct {
		ID     json.Number     `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    int             `json:"code"`
			Message string          `json:"message"`
			Data    json.RawMessage `json:"data"`
		} `json:"error"`
	}
	err := json.Unmarshal(text, &answer)
	switch {
	case status >= 500, status == http.StatusTooManyRequests, status != http.StatusOK && (err != nil || answer.Error == nil):
		return e.fails(fmt.Sprintf("%s: status %d", method, status))
	case err != nil:
		return e.fails(method + ": the answer is not JSON-RPC")
	case answer.Error != nil:
		r := &refusal{e.name, answer.Error.Code, e.clean(answer.Error.Message), answer.Error.Data}
		if r.busy() {
			return e.fails(method + ": " + r.message)
		}
		return r
	case answer.ID != "1", answer.Result == nil:
		return e.fails(method + ": the answer is to nothing that was asked")
	}
	// encoding/json leaves what cannot be null as it is, and a nonce would be 0.
	nothing := string(answer.Result) == "null" && reflect.TypeOf(out).Elem().Kind() != reflect.Pointer
	if err := json.Unmarshal(answer.Result, out); err != nil || nothing {
		return e.fails(method + ": the result is not one")
	}
	return nil
}

// busy reports whether the node would answer another time, or another would now.
func (r *refusal) busy() bool {
	return r.code == -32005 || has(r.message, "rate limit", "too many requests", "daily request count", "capacity exceeded", "header not found")
}

// unsupported reports whether the node does not have the method.
func (r *refusal) unsupported() bool {
	return r.code == -32601 || r.code == -32004 || has(r.message,
		"method not found", "not supported", "unsupported", "does not exist", "not available", "not allowed", "not whitelisted", "disabled")
}

// has looks for any of some words, whatever their case.
func has(text string, words ...string) bool {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
