package audit

import (
	"context"
	"slices"
	"sync"
)

// Receipts gathers the receipts of one request, so that the answer can carry
// them without every service returning them.
type Receipts struct {
	mu   sync.Mutex
	list []Receipt
}

type receiptsKey struct{}

// Recording returns a context in which Write leaves its receipts, and where
// they are left.
func Recording(ctx context.Context) (context.Context, *Receipts) {
	r := new(Receipts)
	return context.WithValue(ctx, receiptsKey{}, r), r
}

// Collect leaves r with the request of ctx, if that records receipts. It is
// called after the commit, never before: a receipt is a promise.
func Collect(ctx context.Context, r Receipt) {
	if rs, ok := ctx.Value(receiptsKey{}).(*Receipts); ok {
		rs.mu.Lock()
		rs.list = append(rs.list, r)
		rs.mu.Unlock()
	}
}

// All returns what was collected so far, oldest first.
func (rs *Receipts) All() []Receipt {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return slices.Clone(rs.list)
}
