package egress

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// ClientOptions tune a client; the zero value works.
type ClientOptions struct {
	Timeout time.Duration  // of a whole request; 15 s if 0
	MaxBody int64          // bytes of an answer that may be read; 1 MiB if 0
	RootCAs *x509.CertPool // instead of the system's
	Idle    int            // connections to one host that are kept for later requests; 4 if 0
}

// ErrTooLarge says that an answer has more bytes than its reader wanted.
var ErrTooLarge = errors.New("egress: the answer is too large")

var errRedirect = errors.New("egress: a redirect to another host")

// maxConns bounds the connections to one host that Streamer keeps: as many as a
// busy site has conversations.
const maxConns = 256

// Streamer is Client for answers that may take any time and have any length: who
// reads them has to give up by itself. Answers are not decompressed, and redirects
// not followed.
func (d *Dialer) Streamer(o ClientOptions) *http.Client {
	t := d.transport(o)
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 4*maxConns, maxConns
	t.ResponseHeaderTimeout, t.DisableCompression = 0, true
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Client returns an HTTP client that connects through d. It follows redirects on
// the same host only, uses no proxy, keeps no cookies, and reads no more of an
// answer than it was told.
func (d *Dialer) Client(o ClientOptions) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	return &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: sameHost,
		Transport:     bounded{most: o.MaxBody, next: d.transport(o)},
	}
}

func (d *Dialer) transport(o ClientOptions) *http.Transport {
	return &http.Transport{
		DialContext:            d.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           max(64, 4*o.Idle),
		MaxIdleConnsPerHost:    cmp.Or(o.Idle, 4),
		IdleConnTimeout:        time.Minute,
		ForceAttemptHTTP2:      true,
	}
}

func sameHost(req *http.Request, via []*http.Request) error {
	if first := via[0].URL; len(via) > 5 || req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return errRedirect
	}
	return nil
}

// bounded ends an answer that is too long with an error, after decompression.
type bounded struct {
	most int64
	next http.RoundTripper
}

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err == nil {
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: b.most}
	}
	return resp, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 { // one more tells the end from more
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

// Poster sends the deliveries of webhooks.
type Poster struct {
	dialer *Dialer
	client *http.Client
}

// Poster returns a Poster over d. It follows no redirect: a delivery goes where
// somebody said, or nowhere.
func (d *Dialer) Poster(o ClientOptions) *Poster {
	c := d.Client(o)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Poster{dialer: d, client: c}
}

// CheckURL says whether a delivery to raw would be refused whatever its host
// resolves to. Unencrypted, it goes to near hosts at most.
func (p *Poster) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return ErrHost
	}
	if v := p.dialer.vet; u.Scheme == "http" && !v.AllowPrivate && !v.AllowLoopback {
		return ErrForbidden
	}
	return p.dialer.CheckURL(raw)
}

// Post sends body and returns the status of the answer, whose text nobody needs.
// Errors do not hold the URL.
func (p *Poster) Post(ctx context.Context, to string, header map[string]string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, ErrHost
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		var shown *url.Error
		if errors.As(err, &shown) {
			err = shown.Err
		}
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 16<<10)) // so that the connection can be used again
	return resp.StatusCode, resp.Body.Close()
}
