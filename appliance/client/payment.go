package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// PaymentRequired is what an appliance asks for a call that its quota does not cover
// (x402, version 1).
type PaymentRequired struct {
	Version int            `json:"x402Version"`
	Error   string         `json:"error"`
	Accepts []PaymentOffer `json:"accepts"` // one of them is to be paid
}

// PaymentOffer is one way to pay.
type PaymentOffer struct {
	Scheme            string          `json:"scheme"`            // exact
	Network           string          `json:"network"`           // the chain
	MaxAmountRequired string          `json:"maxAmountRequired"` // in the smallest unit of the asset
	Asset             string          `json:"asset"`             // the token's contract
	PayTo             string          `json:"payTo"`
	Resource          string          `json:"resource"` // the URL that is paid for
	Description       string          `json:"description"`
	MimeType          string          `json:"mimeType"`
	MaxTimeoutSeconds int             `json:"maxTimeoutSeconds"`
	Extra             json.RawMessage `json:"extra,omitempty"` // name and version that the signature is about
}

// paymentHeader carries a payment.
const paymentHeader = "X-Payment"

// asksFor is what a refusal asks to be paid, if anything.
func asksFor(err error) (offer PaymentRequired, ok bool) {
	var refused *Error
	if !errors.As(err, &refused) || refused.Problem.Status != http.StatusPaymentRequired {
		return offer, false
	}
	ok = json.Unmarshal(refused.Body, &offer) == nil && len(offer.Accepts) > 0
	return offer, ok
}

// paid sends a call again that was refused for want of a payment, with one. A payment
// that is not taken is not followed by another.
func (c *Client) paid(ctx context.Context, in call, body []byte, refusal error) (*http.Response, error) {
	offer, ok := asksFor(refusal)
	if c.pay == nil || !ok {
		return nil, refusal
	}
	header, err := c.pay(ctx, offer)
	if err != nil {
		return nil, fmt.Errorf("%w; it was not paid: %w", refusal, err)
	}
	if header == "" {
		return nil, refusal
	}
	if in.header = in.header.Clone(); in.header == nil {
		in.header = http.Header{}
	}
	in.header.Set(paymentHeader, header)
	return c.authorised(ctx, in, body)
}
