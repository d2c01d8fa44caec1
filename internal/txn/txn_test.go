package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/internal/txn"
)

// ledger is a store of one number.
type ledger struct {
	n    int
	full error
}

func (l *ledger) View(_ context.Context, fn func(*int) error) error { return fn(&l.n) }

func (l *ledger) Update(_ context.Context, fn func(*int) error) error {
	next := l.n
	if err := fn(&next); err != nil {
		return err
	}
	if l.full != nil {
		return l.full
	}
	l.n = next
	return nil
}

// A refusal keeps what was written, an error does not, and a commit that fails
// is an error whatever was decided.
func TestDecide(t *testing.T) {
	refusal, fault, full := errors.New("refusal"), errors.New("fault"), errors.New("full")
	for _, c := range []struct {
		refuse, fail, commit, want error
		left                       int
	}{
		{left: 1},
		{refuse: refusal, want: refusal, left: 1},
		{fail: fault, want: fault},
		{refuse: refusal, fail: fault, want: fault},
		{refuse: refusal, commit: full, want: full},
	} {
		l := &ledger{full: c.commit}
		err := txn.Decide(t.Context(), l, func(n *int) (error, error) {
			*n++
			return c.refuse, c.fail
		})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || l.n != c.left {
			t.Errorf("%+v: %v, %d written", c, err, l.n)
		}
	}
}
