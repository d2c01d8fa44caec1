package client

import (
	"context"
	"iter"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// maxEvents is how many events the appliance gives at most at a time.
const maxEvents = 1000

// AuditEvents reads the organisation's events page by page, newest first, each once:
// what is logged meanwhile is left out. It begins at q.Offset, and q.Limit is how many
// are asked for at a time, if not as many as the appliance gives. An error ends it.
func (c *Client) AuditEvents(ctx context.Context, q AuditQuery) iter.Seq2[api.AuditEvent, error] {
	if q.Limit <= 0 || q.Limit > maxEvents {
		q.Limit = maxEvents
	}
	return func(yield func(api.AuditEvent, error) bool) {
		last, seen := uint64(0), false
		for {
			page, err := c.QueryAuditEvents(ctx, q)
			if err != nil {
				yield(api.AuditEvent{}, err)
				return
			}
			for _, e := range page.Events {
				if seen && e.Index >= last { // newer events moved it here from the page before
					continue
				}
				if last, seen = e.Index, true; !yield(e, nil) {
					return
				}
			}
			if len(page.Events) < q.Limit { // a page that is not full is the last
				return
			}
			q.Offset += len(page.Events)
		}
	}
}

// Transactions reads an agent's transactions page by page, newest first. q.Limit is how
// many are asked for at a time. An error ends it.
func (c *Client) Transactions(ctx context.Context, agent string, q TransactionQuery) iter.Seq2[api.TransactionResponse, error] {
	return func(yield func(api.TransactionResponse, error) bool) {
		for {
			page, err := c.ListTransactions(ctx, agent, q)
			if !turn(page.Transactions, err, yield) {
				return
			}
			q.Before = page.Transactions[len(page.Transactions)-1].ID
		}
	}
}

// OutboxMessages reads messages page by page, newest first. q.Limit is how many are
// asked for at a time. An error ends it.
func (c *Client) OutboxMessages(ctx context.Context, q OutboxQuery) iter.Seq2[api.OutboxMessageResponse, error] {
	return func(yield func(api.OutboxMessageResponse, error) bool) {
		for {
			page, err := c.AdminListOutbox(ctx, q)
			if !turn(page.Messages, err, yield) {
				return
			}
			q.Before = page.Messages[len(page.Messages)-1].ID
		}
	}
}

// turn yields a page, and reports whether to ask for another one. The last page is the
// empty one: how long a full one is, is the appliance's to say.
func turn[T any](page []T, err error, yield func(T, error) bool) bool {
	if err != nil {
		var none T
		yield(none, err)
		return false
	}
	for _, item := range page {
		if !yield(item, nil) {
			return false
		}
	}
	return len(page) > 0
}
