package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// SubmitTransaction has a transaction of an agent's signed and sent to the chain.
// It carries an Idempotency-Key, and so is repeated until an answer comes: the
// transaction is sent once (see WithIdempotencyKey for after a restart).
//
// What a guardrail does not allow is refused with ErrForbidden. Where people have
// to agree first the error is ErrApprovalRequired and its Problem.Approval the
// approval: send the transaction again when they have. Where it was simulated and
// would revert, the error is ErrInvalid and the transaction, of which nothing was
// signed, is returned too.
func (c *Client) SubmitTransaction(ctx context.Context, agent string, in api.TransactionRequest) (api.TransactionResponse, error) {
	res, err := c.send(ctx, transact(ctx, agent, in))
	if err != nil {
		return simulated(err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusAccepted {
		return api.TransactionResponse{}, pending(res)
	}
	var out api.TransactionResponse
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("client: the answer to a transaction cannot be read: %w", err)
	}
	return out, nil
}

// transact is a call about a transaction that is stated in its body.
func transact(ctx context.Context, agent string, in api.TransactionRequest, below ...string) call {
	return call{
		method: http.MethodPost, path: agentRoute(agent, append([]string{"transactions"}, below...)...),
		header: idempotent(ctx), body: in, repeatable: true,
	}
}

// pending is the refusal that an answer 202 is: what was asked for was not done.
func pending(res *http.Response) error {
	var p api.ApprovalPendingResponse
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		return fmt.Errorf("client: an approval that is needed cannot be read: %w", err)
	}
	return &Error{Problem: api.Problem{
		Type: api.TypeApproval, Title: http.StatusText(res.StatusCode), Status: res.StatusCode, Code: api.TypeApproval, Approval: p.ApprovalID,
		Detail: "people have to agree to this first; send it again when they have",
	}}
}

// simulated completes the refusal of a transaction whose simulation failed. Its
// body is a transaction and a problem in one, whose status is the transaction's.
func simulated(err error) (api.TransactionResponse, error) {
	var refused *Error
	var body api.TransactionRefusedResponse
	if !errors.As(err, &refused) || refused.Problem.Status != http.StatusUnprocessableEntity ||
		json.Unmarshal(refused.Body, &body) != nil || body.ID == "" {
		return api.TransactionResponse{}, err
	}
	refused.Problem = api.Problem{Type: body.Type, Title: body.Title, Status: http.StatusUnprocessableEntity, Detail: body.Detail, Code: body.Code}
	refused.Body = nil
	return body.TransactionResponse, refused
}

// SignTransaction has a transaction signed, and nothing sent: whoever gets it can
// send it. It refuses what SubmitTransaction does; where people would have to agree,
// it cannot be had.
func (c *Client) SignTransaction(ctx context.Context, agent string, in api.TransactionRequest) (api.SignTransactionResponse, error) {
	return do[api.SignTransactionResponse](ctx, c, transact(ctx, agent, in, "sign"))
}

// SimulateTransaction says what a transaction would do, by the chain's node. One
// that would revert is an answer, not an error.
func (c *Client) SimulateTransaction(ctx context.Context, agent string, in api.TransactionRequest) (api.SimulationResponse, error) {
	return do[api.SimulationResponse](ctx, c, transact(ctx, agent, in, "simulate"))
}

// SimulateBundle says what transactions would do one after the other.
func (c *Client) SimulateBundle(ctx context.Context, agent string, in api.SimulateBundleRequest) (api.BundleSimulationResponse, error) {
	return do[api.BundleSimulationResponse](ctx, c, call{
		method: http.MethodPost, path: agentRoute(agent, "transactions", "simulate-bundle"), body: in, repeatable: true,
	})
}

// ExplainTransaction says what each guardrail would say of a transaction, and does
// nothing.
func (c *Client) ExplainTransaction(ctx context.Context, agent string, in api.TransactionRequest) (api.ExplanationResponse, error) {
	return do[api.ExplanationResponse](ctx, c, transact(ctx, agent, in, "explain"))
}

// SignIntent has a message, typed data or a transaction signed. Which of them an
// agent may sign its guardrails say; the others are refused with ErrForbidden.
func (c *Client) SignIntent(ctx context.Context, agent string, in api.SignIntentRequest) (api.SignIntentResponse, error) {
	return write[api.SignIntentResponse](ctx, c, http.MethodPost, agentRoute(agent, "sign"), in)
}

// TransactionQuery says which transactions are listed. The zero value is the newest
// hundred, without their signed bytes.
type TransactionQuery struct {
	IncludeSigned bool
	Limit         int    // 1 to 1000
	Before        string // the id of a transaction: those older than it
}

// ListTransactions is a page of an agent's transactions, newest first. Transactions
// reads all of them.
func (c *Client) ListTransactions(ctx context.Context, agent string, q TransactionQuery) (api.TransactionListResponse, error) {
	return read[api.TransactionListResponse](ctx, c, agentRoute(agent, "transactions"),
		query{}.flag("include_signed_tx", q.IncludeSigned).number("limit", q.Limit).text("before", q.Before))
}

// TransactionView says what is shown of a transaction.
type TransactionView struct{ IncludeSigned bool }

// GetTransaction looks at a transaction.
func (c *Client) GetTransaction(ctx context.Context, agent, tx string, v TransactionView) (api.TransactionResponse, error) {
	return read[api.TransactionResponse](ctx, c, agentRoute(agent, "transactions", tx), query{}.flag("include_signed_tx", v.IncludeSigned))
}

// GetTransactionConfirmation says what the chain made of a transaction.
func (c *Client) GetTransactionConfirmation(ctx context.Context, agent, tx string) (api.ConfirmationResponse, error) {
	return read[api.ConfirmationResponse](ctx, c, agentRoute(agent, "transactions", tx, "confirmation"), nil)
}

// SpeedUpTransaction signs a transaction again with its nonce and higher fees; one
// of the two lands. ErrConflict: it is settled.
func (c *Client) SpeedUpTransaction(ctx context.Context, agent, tx string, in api.SpeedUpRequest) (api.TransactionResponse, error) {
	return write[api.TransactionResponse](ctx, c, http.MethodPost, agentRoute(agent, "transactions", tx, "speed-up"), in)
}

// CancelTransaction signs a transfer of nothing with a transaction's nonce; one of
// the two lands. ErrConflict: it is settled.
func (c *Client) CancelTransaction(ctx context.Context, agent, tx string) (api.TransactionResponse, error) {
	return write[api.TransactionResponse](ctx, c, http.MethodPost, agentRoute(agent, "transactions", tx, "cancel"), nil)
}
