package main

import (
	"bytes"
	"context"
	"encoding/json"
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
}

// remote adds the flags of commands that talk to a running daemon.
func remote(cmd *cobra.Command) func() *client {
	var base string
	cmd.Flags().StringVar(&base, "api", envOr("ONECLAW_API_URL", "http://127.0.0.1:8443"), "base URL of the daemon (or ONECLAW_API_URL)")
	return func() *client {
		return &client{base: strings.TrimRight(base, "/"), key: os.Getenv("ONECLAW_API_KEY"), http: http.Client{Timeout: time.Minute}}
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
