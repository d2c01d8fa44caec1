package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

var now = api.At(time.Unix(1_750_000_000, 0))

const transactions = "POST /v1/agents/a/transactions"

func TestTransactionThatWaitsForPeople(t *testing.T) {
	s := serve(t, map[string]http.HandlerFunc{transactions: func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusAccepted, api.ApprovalPendingResponse{ApprovalID: "ap-1", Status: "pending_approval", Needed: 2, ExpiresAt: now})
	}})
	got, err := open(t, client.Options{BaseURL: s.URL, Token: "t"}).SubmitTransaction(t.Context(), "a", api.TransactionRequest{})
	var refused *client.Error
	if !errors.Is(err, client.ErrApprovalRequired) || !errors.As(err, &refused) || refused.Problem.Approval != "ap-1" || got != (api.TransactionResponse{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTransactionThatWouldRevert(t *testing.T) {
	s := serve(t, map[string]http.HandlerFunc{transactions: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"id":"tx-1","status":"simulation_failed","error_message":"no funds","type":"about:blank","title":"Unprocessable Entity",`+
			`"detail":"The transaction would revert: no funds","code":"simulation_failed","created_at":"2026-03-04T12:00:00Z"}`)
	}})
	got, err := open(t, client.Options{BaseURL: s.URL, Token: "t"}).SubmitTransaction(t.Context(), "a", api.TransactionRequest{})
	var refused *client.Error
	if !errors.Is(err, client.ErrInvalid) || !errors.As(err, &refused) || refused.Problem.Code != "simulation_failed" || !strings.Contains(err.Error(), "no funds") {
		t.Errorf("refused with %v", err)
	}
	if got.ID != "tx-1" || got.Status != "simulation_failed" {
		t.Errorf("of the transaction is left %+v", got)
	}
}

// TestIdempotencyKeys: one for all attempts of a call, another for the next call, and
// one's own where there is one.
func TestIdempotencyKeys(t *testing.T) { synctest.Test(t, testIdempotencyKeys) }

func testIdempotencyKeys(t *testing.T) {
	var keys []string
	c := direct(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		switch len(keys) {
		case 1:
			answer(w, http.StatusBadGateway, api.Problem{Detail: "lost"})
		case 2:
			w.Header().Set("Retry-After", "1")
			answer(w, http.StatusConflict, api.Problem{Detail: "in flight", Code: "idempotency_in_flight"})
		default:
			answer(w, http.StatusCreated, api.TransactionResponse{ID: "tx", CreatedAt: now})
		}
	})
	for _, ctx := range []context.Context{t.Context(), t.Context(), client.WithIdempotencyKey(t.Context(), "mine")} {
		if tx, err := c.SubmitTransaction(ctx, "a", api.TransactionRequest{}); err != nil || tx.ID != "tx" {
			t.Fatal(tx, err)
		}
	}
	if len(keys) != 5 || len(keys[0]) != 32 || keys[1] != keys[0] || keys[2] != keys[0] || keys[3] == keys[0] || len(keys[3]) != 32 || keys[4] != "mine" {
		t.Errorf("keys %q", keys)
	}
}

func TestHeadersAreCaptured(t *testing.T) {
	s := serve(t, map[string]http.HandlerFunc{
		"GET /v1/vaults": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(client.AuditIndexHeader, "41")
			answer(w, http.StatusOK, api.VaultListResponse{})
		},
		"GET /v1/auth/me": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(client.AuditIndexHeader, "42")
			answer(w, http.StatusForbidden, api.Problem{})
		},
	})
	c := open(t, client.Options{BaseURL: s.URL, Token: "t"})
	var h http.Header
	ctx := client.CaptureHeader(t.Context(), &h)
	if _, err := c.ListVaults(ctx); err != nil || h.Get(client.AuditIndexHeader) != "41" {
		t.Errorf("of an answer: %v, %v", h, err)
	}
	if _, err := c.GetMe(ctx); err == nil || h.Get(client.AuditIndexHeader) != "42" {
		t.Errorf("of a refusal: %v, %v", h, err)
	}
}

// TestAuditEventsOnce: events that are logged between two pages move the others, and
// none of those is missed or seen twice.
func TestAuditEventsOnce(t *testing.T) {
	newest := uint64(10)
	s := serve(t, map[string]http.HandlerFunc{"GET /v1/audit/events": func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		var page api.AuditEventsResponse
		for i := int(newest) - offset; i >= 0 && len(page.Events) < 3; i-- {
			page.Events = append(page.Events, api.AuditEvent{Index: uint64(i), CreatedAt: now.Time})
		}
		newest++ // the query itself is an event
		answer(w, http.StatusOK, page)
	}})
	c := open(t, client.Options{BaseURL: s.URL, Token: "t"})
	want := uint64(10)
	for e, err := range c.AuditEvents(t.Context(), client.AuditQuery{Limit: 3}) {
		if err != nil || e.Index != want {
			t.Fatalf("event %d, %v; want %d", e.Index, err, want)
		}
		want--
	}
	if want+1 != 0 {
		t.Errorf("it ended before event %d", want)
	}
}

func TestPagesOfTransactions(t *testing.T) {
	s := serve(t, map[string]http.HandlerFunc{"GET /v1/agents/a/transactions": func(w http.ResponseWriter, r *http.Request) {
		page := map[string][]api.TransactionResponse{
			"": {{ID: "3", CreatedAt: now}, {ID: "2", CreatedAt: now}}, "2": {{ID: "1", CreatedAt: now}},
		}[r.URL.Query().Get("before")]
		if r.URL.Query().Get("before") == "1" && r.URL.Query().Get("limit") == "7" {
			answer(w, http.StatusForbidden, api.Problem{Detail: "no more"})
			return
		}
		answer(w, http.StatusOK, api.TransactionListResponse{Transactions: page})
	}})
	c := open(t, client.Options{BaseURL: s.URL, Token: "t"})
	read := func(q client.TransactionQuery, stop string) (ids string, failed error) {
		for tx, err := range c.Transactions(t.Context(), "a", q) {
			if ids += tx.ID; err != nil || tx.ID == stop {
				return ids, err
			}
		}
		return ids, nil
	}
	if ids, err := read(client.TransactionQuery{}, ""); ids != "321" || err != nil {
		t.Errorf("all: %s, %v", ids, err)
	}
	if ids, err := read(client.TransactionQuery{}, "3"); ids != "3" || err != nil {
		t.Errorf("stopped: %s, %v", ids, err)
	}
	if ids, err := read(client.TransactionQuery{Limit: 7}, ""); ids != "321" || !errors.Is(err, client.ErrForbidden) {
		t.Errorf("broken off: %s, %v", ids, err)
	}
}

// TestExportThatBreaksOff: a reader must not take half a log for all of it.
func TestExportThatBreaksOff(t *testing.T) {
	s := serve(t, map[string]http.HandlerFunc{"GET /v1/audit/export": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `{"index":0}`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}})
	r, err := open(t, client.Options{BaseURL: s.URL, Token: "t"}).ExportAudit(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err == nil {
		t.Errorf("taken for all of it: %s", got)
	}
}

// TestRedirectsAreNotFollowed: whoever sends one would be sent the keys.
func TestRedirectsAreNotFollowed(t *testing.T) {
	thief := serve(t, map[string]http.HandlerFunc{"/": func(http.ResponseWriter, *http.Request) { t.Error("the request went elsewhere") }})
	s := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusPermanentRedirect)
	}})
	for _, given := range []*http.Client{nil, {}} {
		c := open(t, client.Options{BaseURL: s.URL, Token: "t", HTTP: given})
		if _, err := c.PutSecret(t.Context(), "v", "p", api.PutSecretRequest{Value: "x"}); err == nil {
			t.Error("taken for an answer")
		}
	}
}
