package operator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// ErrNoDaemon: nobody answers on the socket.
var ErrNoDaemon = fault.New(fault.Unavailable, "no_daemon", "no daemon answers on the operator's socket")

// Client talks to the daemon at a socket.
type Client struct {
	path string
	http http.Client
}

// NewClient returns a client of the daemon whose socket is at path.
func NewClient(path string) *Client {
	return &Client{path: path, http: http.Client{Transport: &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return dial(path) },
		DisableKeepAlives: true,
	}}}
}

// Status asks how far the daemon has come.
func (c *Client) Status(ctx context.Context) (Status, error) { return c.do(ctx, "GET", "/status", nil) }

// Unseal gives the daemon a credential. It returns when the daemon serves, or
// needs more shares.
func (c *Client) Unseal(ctx context.Context, cred Credential) (Status, error) {
	secret := cred.Secret.Reveal()
	body := make([]byte, 0, 64+base64.StdEncoding.EncodedLen(len(secret))) // no copy is left behind by growing
	body = append(body, `{"kind":"`+string(cred.Kind)+`","secret":"`...)
	body = base64.StdEncoding.AppendEncode(body, secret)
	body = append(body, `"}`...)
	defer clear(body)
	return c.do(ctx, "POST", "/unseal", body)
}

// Seal has the daemon let go of all keys.
func (c *Client) Seal(ctx context.Context) (Status, error) {
	return c.do(ctx, "POST", "/seal", []byte("{}"))
}

// Backup returns a backup of the present state, to be read to its end: one that
// ends with an error is none.
func (c *Client) Backup(ctx context.Context) (io.ReadCloser, error) {
	res, err := c.send(ctx, "POST", "/backup", []byte("{}"))
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// Drill has the daemon restore the backup in a file on trial, and returns the
// receipt, which is JSON.
func (c *Client) Drill(ctx context.Context, path string) ([]byte, error) {
	body, err := json.Marshal(wireDrill{Path: path})
	if err != nil {
		return nil, err
	}
	res, err := c.send(ctx, "POST", "/drill", body)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(io.LimitReader(res.Body, 1<<20))
}

// RotateForwardCA has the forward proxy use another CA, and returns what clients have to
// trust from now on, PEM.
func (c *Client) RotateForwardCA(ctx context.Context) ([]byte, error) {
	out, err := ask[wireCA](ctx, c, "POST", "/forward/rotate-ca", struct{}{})
	return []byte(out.CA), err
}

// do sends a request that is answered with a Status.
func (c *Client) do(ctx context.Context, method, path string, body []byte) (out Status, err error) {
	res, err := c.send(ctx, method, path, body)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	return out, json.NewDecoder(res.Body).Decode(&out)
}

// send returns the answer to a request that succeeded.
func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://operator"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, ErrNoDaemon.Detail("no daemon answers on %s; is it running, and are you the user it runs as, or root?", c.path).Because(err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	var p problem
	if err := json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(&p); err != nil || p.Detail == "" {
		return nil, fmt.Errorf("the daemon answered %s", res.Status)
	}
	return nil, fault.New(p.Kind, p.Code, p.Detail)
}
