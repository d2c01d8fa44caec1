// Package courier takes requests that have values of secrets in them to their hosts,
// over a client of appliance/egress.
//
// It must not know which values, nor who may use them, and it keeps and logs
// nothing: an error of it holds neither URL nor header.
package courier

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/oneclaw/oneclawd/vault/use"
)

// Courier sends requests. It implements use.Sender.
type Courier struct {
	// Client connects under the policy of egress, and follows no redirect: an
	// answer that points elsewhere is an answer.
	Client *http.Client
}

// Send implements use.Sender.
func (c Courier) Send(ctx context.Context, r use.Outgoing, limit int) (in use.Incoming, err error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, string(r.URL.Reveal()), bytes.NewReader(r.Body.Reveal()))
	if err != nil {
		return in, use.ErrURL
	}
	if r.Body.Len() == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	req.Header.Set("User-Agent", "oneclawd")
	for _, h := range r.Header {
		req.Header.Set(h.Name, string(h.Value.Reveal()))
	}
	req.Header.Set("Accept-Encoding", "identity") // what is encoded cannot be read
	res, err := c.Client.Do(req)
	if err != nil {
		return in, bare(err)
	}
	defer res.Body.Close()
	if e := res.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return in, use.ErrEncoded
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, int64(limit)+1))
	if err != nil {
		return in, bare(err)
	}
	in = use.Incoming{Status: res.StatusCode, Header: res.Header, Body: body}
	if in.Cut = len(body) > limit; in.Cut {
		in.Body = body[:limit]
	}
	return in, nil
}

// bare is an error without the URL, in which there may be a value.
func bare(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
