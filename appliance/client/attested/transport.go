package attested

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
)

// Options say what is accepted, and how long that holds.
type Options struct {
	// Policy says which machines and images are accepted. It is the caller's own,
	// never the appliance's.
	Policy *attest.Policy
	// Every is how long an appraisal holds: the first request after that waits for
	// another. An hour if zero.
	Every time.Duration
	// Certificate is what an agent signs in with that has no key. The appliance sees
	// it only after it was accepted.
	Certificate *tls.Certificate
}

const defaultEvery = time.Hour

// Transport is an http.RoundTripper for one appliance. It is safe for concurrent use.
type Transport struct {
	base string
	host string // with the port
	o    Options

	turn chan struct{} // holds one: requests that need an appraisal wait for the same
	mu   sync.Mutex
	now  *accepted // nil: the next request appraises
}

// accepted is an appliance that was appraised: connections to the key it had.
type accepted struct {
	key     [32]byte
	found   attest.Result
	until   time.Time
	through *http.Transport
}

// errOtherKey ends the handshake of a connection to another key than the appraised.
var errOtherKey = errors.New("attested: the connection shows another key than the one that was appraised")

// New returns a Transport for the appliance at a base URL. It opens no connection.
// http:// is refused: nothing would show where such a connection ends.
func New(base string, o Options) (*Transport, error) {
	at, err := secure(base)
	if err != nil {
		return nil, err
	}
	if o.Policy == nil {
		return nil, errors.New("attested: there is no policy to appraise by")
	}
	if o.Every <= 0 {
		o.Every = defaultEvery
	}
	return &Transport{base: strings.TrimRight(base, "/"), host: at.Host, o: o, turn: make(chan struct{}, 1)}, nil
}

// Accepted appraises the appliance, unless an appraisal still holds, and says what it
// found.
func (t *Transport) Accepted(ctx context.Context) (attest.Result, error) {
	a, err := t.accepted(ctx)
	if err != nil {
		return attest.Result{}, err
	}
	return a.found, nil
}

// RoundTrip implements http.RoundTripper. A request to anywhere else than the appliance
// is refused. Nothing of one is sent where it fails with ErrRefused.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" || req.URL.Host != t.host {
		closeBody(req)
		return nil, refuse("it was %s that was appraised, and %s://%s is asked", t.base, req.URL.Scheme, req.URL.Host)
	}
	for again := false; ; again = true {
		a, err := t.accepted(req.Context())
		if err != nil {
			closeBody(req)
			return nil, err
		}
		res, err := a.through.RoundTrip(req)
		if !errors.Is(err, errOtherKey) {
			return res, err
		}
		// The handshake failed, so that nothing was sent. The appliance may have been
		// given another key, and the policy says whether it is an appliance.
		t.forget(a)
		if again {
			return nil, refuse("%w", err)
		}
		if req, err = rewound(req); err != nil {
			return nil, err
		}
	}
}

// accepted returns what was appraised, and appraises if nothing was or not lately.
func (t *Transport) accepted(ctx context.Context) (*accepted, error) {
	if a := t.current(); a != nil {
		return a, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if a := t.current(); a != nil { // whoever was waited for did it
		return a, nil
	}
	found, key, err := appraise(ctx, t.base, t.o.Policy)
	if err != nil {
		t.keep(nil)
		return nil, err
	}
	a := &accepted{key: key, found: found, until: earlier(found.At.Add(t.o.Every), found.ValidUntil), through: t.only(key)}
	t.keep(a)
	return a, nil
}

// current is what was appraised, if that still holds.
func (t *Transport) current() *accepted {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now == nil || !time.Now().Before(t.now.until) {
		return nil
	}
	return t.now
}

// keep puts a in the place of what was appraised before, whose connections end.
func (t *Transport) keep(a *accepted) {
	t.mu.Lock()
	before := t.now
	t.now = a
	t.mu.Unlock()
	if before != nil {
		before.through.CloseIdleConnections()
	}
}

// forget has the next request appraise anew, unless another did meanwhile.
func (t *Transport) forget(a *accepted) {
	t.mu.Lock()
	if t.now == a {
		t.now = nil
	}
	t.mu.Unlock()
	a.through.CloseIdleConnections()
}

// CloseIdleConnections is for http.Client.CloseIdleConnections.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != nil {
		t.now.through.CloseIdleConnections()
	}
}

// only makes connections to a key and to no other.
func (t *Transport) only(key [32]byte) *http.Transport {
	through := held(func(shown [32]byte) error {
		if shown != key {
			return errOtherKey
		}
		return nil
	})
	if t.o.Certificate != nil {
		through.TLSClientConfig.Certificates = []tls.Certificate{*t.o.Certificate}
	}
	return through
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// rewound is a request that was not sent, to be sent again.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, errOtherKey
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
