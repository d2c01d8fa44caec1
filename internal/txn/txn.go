// Package txn is the transaction boundary that a domain package asks for.
//
// A domain declares an interface Tx with exactly the reads and writes it
// needs and holds a Runner[Tx]; the store provides it. The pattern is load,
// decide, apply: read what the decision needs, decide in a pure function,
// write the outcome, all inside one transaction.
package txn

import "context"

// Runner opens transactions over one store.
type Runner[T any] interface {
	// View runs fn on a consistent snapshot. fn may scan ranges.
	View(ctx context.Context, fn func(T) error) error

	// Update runs fn alone and makes what it wrote durable before it returns.
	// If fn returns an error, or the commit fails, nothing was written.
	// fn touches known keys only (no scans) and does no I/O: no HSM, network or
	// disk, since every other writer waits for it. fn may run more than once:
	// it assigns its results, it never appends to them.
	Update(ctx context.Context, fn func(T) error) error
}

// Decide runs fn in one Update. What fn wrote is committed even where it
// reports a refusal, which Decide then returns: a refusal is an outcome that
// the audit log must show. An err rolls everything back.
func Decide[T any](ctx context.Context, db Runner[T], fn func(T) (refusal, err error)) error {
	var refusal error
	err := db.Update(ctx, func(tx T) (err error) {
		refusal, err = fn(tx)
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}
