package hsm

import (
	"context"
	"errors"
	"sync/atomic"
)

// watched is a named module that says so when its token is another than the one
// that KEKs are from. Tokens are found by label, and two may have the same: then the
// token is healthy, and what fails to open looks damaged, which it is not.
//
// Nothing need be kept for that: a KEK with which the module cannot even wrap is
// not the module's own.
type watched struct {
	Module
	AccountKeys
	name string
	// foreign is the KEK by which it was noticed, nil while all is well. With it
	// Check finds out that the right token is back.
	foreign atomic.Pointer[KEK]
}

func newWatched(name string, m Module) *watched {
	return &watched{Module: m, AccountKeys: Accounts(m), name: name}
}

func (w *watched) swapped() error {
	return ErrUnavailable.Detail("the HSM module %s has a token whose root key is another than that of the keys in use; is it the right one?", w.name)
}

// owns reports whether a KEK is from the module, or why that cannot be said.
func (w *watched) owns(ctx context.Context, kek KEK) (bool, error) {
	_, err := w.Module.Wrap(ctx, kek, make([]byte, 16), nil)
	if errors.Is(err, ErrAuthentic) {
		w.foreign.Store(&kek)
		return false, nil
	}
	return err == nil, err
}

// Check implements Module.
func (w *watched) Check(ctx context.Context) error {
	if err := w.Module.Check(ctx); err != nil {
		return err
	}
	kek := w.foreign.Load()
	if kek == nil {
		return nil
	}
	switch ours, err := w.owns(ctx, *kek); {
	case err != nil:
		return err
	case !ours:
		return w.swapped()
	}
	w.foreign.CompareAndSwap(kek, nil)
	return nil
}

// NewKEK implements Module. No keys are made in a token that is the wrong one.
func (w *watched) NewKEK(ctx context.Context) (KEK, error) {
	if w.foreign.Load() != nil {
		if err := w.Check(ctx); err != nil {
			return nil, err
		}
	}
	return w.Module.NewKEK(ctx)
}

// Wrap implements Module.
func (w *watched) Wrap(ctx context.Context, kek KEK, key, aad []byte) ([]byte, error) {
	wrapped, err := w.Module.Wrap(ctx, kek, key, aad)
	if errors.Is(err, ErrAuthentic) {
		w.foreign.Store(&kek)
		return nil, w.swapped()
	}
	return wrapped, err
}

// Unwrap implements Module.
func (w *watched) Unwrap(ctx context.Context, kek KEK, wrapped, aad []byte) ([]byte, error) {
	key, err := w.Module.Unwrap(ctx, kek, wrapped, aad)
	if !errors.Is(err, ErrAuthentic) {
		return key, err
	}
	switch ours, unknown := w.owns(ctx, kek); {
	case unknown != nil:
		return nil, unknown
	case !ours:
		return nil, w.swapped()
	}
	return nil, err // the KEK is fine: what it wraps is damaged
}
