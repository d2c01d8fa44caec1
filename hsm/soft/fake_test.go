package soft_test

import (
	"context"

	"github.com/oneclaw/oneclawd/hsm"
)

// refuseAll is a module that opens nothing.
type refuseAll struct{}

func (refuseAll) NewKEK(context.Context) (hsm.KEK, error) { return nil, hsm.ErrAuthentic }
func (refuseAll) Wrap(context.Context, hsm.KEK, []byte, []byte) ([]byte, error) {
	return nil, hsm.ErrAuthentic
}
func (refuseAll) Unwrap(context.Context, hsm.KEK, []byte, []byte) ([]byte, error) {
	return nil, hsm.ErrAuthentic
}
