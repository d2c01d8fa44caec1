package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// client talks to a running daemon for the operator's commands.
type client struct {
	base, key string
	http      http.Client
	bad       error // why no request can be sent
}

// remote adds the flags of commands that talk to a running daemon.
func remote(cmd *cobra.Command) func() *client {
	var base, ca string
	cmd.Flags().StringVar(&base, "api", envOr("ONECLAW_API_URL", "http://127.0.0.1:8200"), "base URL of the daemon (or ONECLAW_API_URL)")
	cmd.Flags().StringVar(&ca, "ca", os.Getenv("ONECLAW_CA_FILE"), "file with the CA that the daemon's certificate is of (or ONECLAW_CA_FILE)")
	return func() *client {
		c := &client{base: strings.TrimRight(base, "/"), key: os.Getenv("ONECLAW_API_KEY"), http: http.Client{Timeout: time.Minute}}
		c.trust(ca)
		return c
	}
}

// trust believes a CA, and no other, if there is one.
func (c *client) trust(ca string) {
	if ca == "" {
		return
	}
	text, err := os.ReadFile(ca)
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(text) {
		err = fmt.Errorf("%s has no certificate in it", ca)
	}
	c.bad = err
	c.http.Transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
}

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// open sends a request and returns the answer to a successful one.
func (c *client) open(ctx context.Context, method, path string, body any) (*http.Response, error) {
	if c.bad != nil {
		return nil, c.bad
	}
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	res, err := c.http.Do(req)
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return nil, fmt.Errorf("the daemon at %s is not trusted (%w); is it the local CA's? then: --ca FILE, with what `oneclawd tls ca` prints", c.base, untrusted)
	}
	if err != nil {
		return nil, fmt.Errorf("no daemon answers at %s (%w); is it running? another address: --api URL", c.base, err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	var p api.Problem
	if json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p) != nil || p.Detail == "" {
		p.Detail = res.Status
	}
	if res.StatusCode == http.StatusUnauthorized && c.key == "" {
		p.Detail += "; set ONECLAW_API_KEY to a 1ck_ key"
	}
	return nil, &refused{res.StatusCode, p}
}

// refused is an answer of the daemon that says no.
type refused struct {
	status  int
	problem api.Problem
}

func (r *refused) Error() string { return r.problem.Detail }

// call sends a request and decodes the answer, if out is not nil.
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	res, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}
