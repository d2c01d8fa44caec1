package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// serve starts an appliance of which only what a test is about is there.
func serve(t *testing.T, handlers map[string]http.HandlerFunc) *httptest.Server {
	mux := http.NewServeMux()
	for pattern, h := range handlers {
		mux.HandleFunc(pattern, h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// direct is a client whose requests go to a handler without a network, so that time can
// be that of a test.
func direct(t *testing.T, h http.HandlerFunc) *client.Client {
	return open(t, client.Options{BaseURL: "http://appliance", Token: "t", HTTP: &http.Client{Transport: tripper(func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		h(w, r)
		return w.Result()
	})}})
}

type tripper func(*http.Request) *http.Response

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func answer(w http.ResponseWriter, status int, body any) {
	kind := "application/json"
	if status > 299 {
		kind = api.ProblemContentType
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func open(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKeyIsExchangedOnceAndAgainWhenRefused(t *testing.T) {
	var exchanges atomic.Int32
	s := serve(t, map[string]http.HandlerFunc{
		"POST /v1/auth/agent-token": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, api.TokenResponse{AccessToken: fmt.Sprint("t", exchanges.Add(1)), ExpiresIn: 3600, AgentID: "a", VaultIDs: []string{"v"}})
		},
		"GET /v1/vaults": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer t1" && exchanges.Load() == 1 {
				answer(w, http.StatusUnauthorized, api.Problem{Detail: "token has been revoked"})
				return
			}
			answer(w, http.StatusOK, api.VaultListResponse{})
		},
	})
	c := open(t, client.Options{BaseURL: s.URL, Key: "ocv_k"})
	for range 3 {
		if _, err := c.ListVaults(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := exchanges.Load(); got != 2 {
		t.Errorf("%d exchanges, want one and one after the refusal", got)
	}
	if session, err := c.Session(t.Context()); err != nil || session.AgentID != "a" || len(session.VaultIDs) != 1 {
		t.Errorf("session %+v, %v", session, err)
	}
}

func TestWhatIsSentTwice(t *testing.T) { synctest.Test(t, testWhatIsSentTwice) }

func testWhatIsSentTwice(t *testing.T) {
	var calls atomic.Int32
	fail := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if calls.Add(1) == 1 {
				for i := 0; i < len(header); i += 2 {
					w.Header().Set(header[i], header[i+1])
				}
				answer(w, status, api.Problem{Detail: "no"})
				return
			}
			answer(w, http.StatusOK, struct{}{})
		}
	}
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		put     bool
		want    int32
	}{
		"a read after 502":            {fail(http.StatusBadGateway), false, 2},
		"a write after 502":           {fail(http.StatusBadGateway), true, 1},
		"a write after 503":           {fail(http.StatusServiceUnavailable, "Retry-After", "1"), true, 2},
		"a read told to wait an hour": {fail(http.StatusTooManyRequests, "Retry-After", "3600"), false, 1},
		"a read that is refused":      {fail(http.StatusForbidden), false, 1},
		"a read after 500":            {fail(http.StatusInternalServerError), false, 1},
	} {
		calls.Store(0)
		c := direct(t, tc.handler)
		if tc.put {
			_, _ = c.PutSecret(t.Context(), "v", "a/b", api.PutSecretRequest{Value: "x"})
		} else {
			_, _ = c.GetSecret(t.Context(), "v", "a/b")
		}
		if got := calls.Load(); got != tc.want {
			t.Errorf("%s: sent %d times, want %d", name, got, tc.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		status  int
		problem api.Problem
		want    error
	}{
		{400, api.Problem{Detail: "d"}, client.ErrInvalid},
		{401, api.Problem{Detail: "d"}, client.ErrUnauthenticated},
		{403, api.Problem{Detail: "d"}, client.ErrForbidden},
		{403, api.Problem{Type: api.TypeApproval, Detail: "d"}, client.ErrApprovalRequired},
		{403, api.Problem{Type: api.TypeResourceLimit, Detail: "d"}, client.ErrResourceLimit},
		{404, api.Problem{Detail: "d"}, client.ErrNotFound},
		{409, api.Problem{Detail: "d"}, client.ErrConflict},
		{410, api.Problem{Detail: "d"}, client.ErrGone},
		{429, api.Problem{Detail: "d"}, client.ErrRateLimited},
	} {
		s := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, tc.status, tc.problem)
		}})
		_, err := open(t, client.Options{BaseURL: s.URL, Token: "t", Attempts: 1}).GetSecret(t.Context(), "v", "p")
		var refused *client.Error
		if !errors.Is(err, tc.want) || !errors.As(err, &refused) || refused.Problem.Status != tc.status || refused.Problem.Detail != "d" {
			t.Errorf("%d %s: %v, want %v", tc.status, tc.problem.Type, err, tc.want)
		}
	}
}

func TestPathsReachTheirSecret(t *testing.T) {
	var got string
	s := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		answer(w, http.StatusOK, struct{}{})
	}})
	if _, err := open(t, client.Options{BaseURL: s.URL + "/under", Token: "t"}).GetSecret(t.Context(), "v/../w", "a b/c?d%"); err != nil {
		t.Fatal(err)
	}
	if want := "/under/v1/vaults/v%2F..%2Fw/secrets/a%20b/c%3Fd%25"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

func TestCredentialsAreNotPrinted(t *testing.T) {
	c := open(t, client.Options{BaseURL: "http://127.0.0.1:1", Key: "ocv_canary"})
	o := client.Options{BaseURL: "http://127.0.0.1:1", Key: "ocv_canary", Token: "canary"}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "o", o, "p", &o, "c", c)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v", c, c, c), fmt.Sprintf("%v %+v %#v %s", o, o, o, &o), logged.String()} {
		if strings.Contains(text, "canary") {
			t.Errorf("printed as %s", text)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:8200", "ftp://x", "http://user:canary@x"} {
		if _, err := client.New(client.Options{BaseURL: bad}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("base URL %q: %v", bad, err)
		}
	}
}

// A caller waits for the exchange of another no longer than its own context lets it.
func TestWaitingForATokenEndsWithTheContext(t *testing.T) { synctest.Test(t, testWaitingForAToken) }

func testWaitingForAToken(t *testing.T) {
	hold := make(chan struct{})
	c := keyed(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/auth/agent-token" {
			<-hold
			answer(w, http.StatusOK, api.TokenResponse{AccessToken: "t", ExpiresIn: 3600})
			return
		}
		answer(w, http.StatusOK, api.VaultListResponse{})
	})
	first := make(chan error)
	go func() {
		_, err := c.ListVaults(context.Background())
		first <- err
	}()
	synctest.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := c.ListVaults(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second: %v", err)
	}
	close(hold)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
}

// A token that lives for less than a minute is used for most of its life.
func TestShortTokensAreUsed(t *testing.T) { synctest.Test(t, testShortTokens) }

func testShortTokens(t *testing.T) {
	exchanges := 0
	c := keyed(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/auth/agent-token" {
			exchanges++
			answer(w, http.StatusOK, api.TokenResponse{AccessToken: "t", ExpiresIn: 30})
			return
		}
		answer(w, http.StatusOK, api.VaultListResponse{})
	})
	for range 4 { // at 0, 20, 40 and 60 seconds: good until 24, 64
		if _, err := c.ListVaults(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
	}
	if exchanges != 2 {
		t.Errorf("%d exchanges, want 2", exchanges)
	}
}

// keyed is direct, with a key.
func keyed(t *testing.T, h http.HandlerFunc) *client.Client {
	return open(t, client.Options{BaseURL: "http://appliance", Key: "ocv_k", HTTP: &http.Client{Transport: tripper(func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		h(w, r)
		return w.Result()
	})}})
}

// An answer without an end is not read to it, and what is wrong with an answer to a
// share's request does not say which share it was.
func TestAnswersHaveBounds(t *testing.T) {
	endless := open(t, client.Options{BaseURL: "http://appliance", Token: "t", HTTP: &http.Client{Transport: tripper(func(*http.Request) *http.Response {
		body := io.MultiReader(strings.NewReader(`{"vaults":[],"x":"`), zeros{})
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body)}
	})}})
	if _, err := endless.ListVaults(t.Context()); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("an endless answer: %v", err)
	}
	broken := direct(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	if _, err := broken.AccessShare(t.Context(), "canary", ""); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("a broken answer: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}
