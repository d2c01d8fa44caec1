//go:build !cgo

package pkcs11

import (
	"context"
	"io"

	"github.com/oneclaw/oneclawd/hsm"
)

var errNoCgo = hsm.ErrUnsupported.Detail("this build of oneclawd has no PKCS#11: it was compiled with CGO_ENABLED=0; use the build with cgo for the HSM broker")

// Module cannot be made in a build without cgo.
type Module struct{ hsm.Module }

// Open fails: loading a PKCS#11 library needs cgo.
func Open(Config) (*Module, error) { return nil, errNoCgo }

// Doctor fails: loading a PKCS#11 library needs cgo.
func Doctor(context.Context, Config, io.Writer) error { return errNoCgo }
