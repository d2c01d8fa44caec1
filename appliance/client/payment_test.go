package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// demand is an answer 402 as the protocol has it.
const demand = `{"x402Version":1,"error":"X-PAYMENT header is required","accepts":[{"scheme":"exact","network":"base","maxAmountRequired":"1500",` +
	`"resource":"https://host/v1/vaults/v/secrets/p","description":"read_secret","mimeType":"application/json","payTo":"0xabc","maxTimeoutSeconds":60,` +
	`"asset":"0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913","extra":{"name":"USD Coin","version":"2"}}],"description":"read_secret"}`

// shop sells reads of a secret for one payment.
func shop(t *testing.T, takes string, came *[]string) string {
	return serve(t, map[string]http.HandlerFunc{"GET /v1/vaults/v/secrets/p": func(w http.ResponseWriter, r *http.Request) {
		*came = append(*came, r.Header.Get("X-PAYMENT"))
		if r.Header.Get("X-PAYMENT") == takes {
			w.Header().Set("X-PAYMENT-RESPONSE", "receipt")
			answer(w, http.StatusOK, api.SecretResponse{Value: "value", CreatedAt: now})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusPaymentRequired)
		fmt.Fprint(w, demand)
	}}).URL
}

func TestPayment(t *testing.T) {
	for name, tc := range map[string]struct {
		pay  func(client.PaymentRequired) (string, error)
		want []string // payments that came
		says string   // "": it succeeds
	}{
		"paid":              {func(client.PaymentRequired) (string, error) { return "proof", nil }, []string{"", "proof"}, ""},
		"paid wrongly":      {func(client.PaymentRequired) (string, error) { return "forged", nil }, []string{"", "forged"}, "402"},
		"declined":          {func(client.PaymentRequired) (string, error) { return "", nil }, []string{""}, "402"},
		"too dear":          {func(client.PaymentRequired) (string, error) { return "", errors.New("too dear") }, []string{""}, "too dear"},
		"nobody to ask":     {nil, []string{""}, "402"},
		"a header is split": {func(client.PaymentRequired) (string, error) { return "a\r\nX-Evil: b", nil }, []string{""}, "header"},
	} {
		var came []string
		asked := 0
		o := client.Options{BaseURL: shop(t, "proof", &came), Token: "t"}
		if tc.pay != nil {
			o.Pay = func(_ context.Context, offer client.PaymentRequired) (string, error) {
				if asked++; len(offer.Accepts) != 1 || offer.Accepts[0].MaxAmountRequired != "1500" || offer.Accepts[0].PayTo != "0xabc" || offer.Version != 1 {
					t.Errorf("%s: offered %+v", name, offer)
				}
				return tc.pay(offer)
			}
		}
		var h http.Header
		s, err := open(t, o).GetSecret(client.CaptureHeader(t.Context(), &h), "v", "p")
		switch {
		case tc.says == "" && (err != nil || s.Value != "value" || h.Get("X-PAYMENT-RESPONSE") != "receipt"):
			t.Errorf("%s: %+v, %v", name, s, err)
		case tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)):
			t.Errorf("%s: %v", name, err)
		case tc.says == "402" && !errors.Is(err, client.ErrQuota):
			t.Errorf("%s: %v is no ErrQuota", name, err)
		}
		if fmt.Sprint(came) != fmt.Sprint(tc.want) || tc.pay != nil && asked != 1 {
			t.Errorf("%s: payments %q came, %d were asked for", name, came, asked)
		}
	}
}

// TestQuotaThatCannotBePaid: there is nothing to ask about.
func TestQuotaThatCannotBePaid(t *testing.T) {
	s := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusPaymentRequired, api.Problem{Detail: "the quota is used up"})
	}})
	c := open(t, client.Options{BaseURL: s.URL, Token: "t", Pay: func(context.Context, client.PaymentRequired) (string, error) {
		t.Error("asked to pay nothing")
		return "", nil
	}})
	if _, err := c.GetSecret(t.Context(), "v", "p"); !errors.Is(err, client.ErrQuota) {
		t.Error(err)
	}
}
