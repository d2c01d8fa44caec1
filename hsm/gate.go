package hsm

import (
	"context"
	"sync/atomic"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// Gate is a Module that is sealed until Open gives it a real one. Everything
// that uses keys holds a Gate, so that "sealed" needs no mode flags elsewhere:
// each call answers ErrSealed until the gate opens and after it closes.
type Gate struct {
	module atomic.Pointer[Module]
	why    atomic.Pointer[fault.Error] // it is closed, if not because of the seal
}

var _ Module = (*Gate)(nil)

// Open lets calls through to m.
func (g *Gate) Open(m Module) { g.module.Store(&m) }

// behind returns the module, or why there is none.
func (g *Gate) behind() (Module, error) {
	if m := g.module.Load(); m != nil {
		return *m, nil
	}
	if why := g.why.Load(); why != nil {
		return nil, why
	}
	return nil, ErrSealed
}

// explain says what a closed gate answers instead of ErrSealed; nil takes that
// back. It is ErrUnavailable in other words: whoever asks is to try again.
func (g *Gate) explain(why error) {
	switch f := fault.As(why); {
	case why == nil:
		g.why.Store(nil)
	case f != nil:
		g.why.Store(ErrUnavailable.Detail("%s", f.Msg).Because(why))
	default:
		g.why.Store(ErrUnavailable.Because(why))
	}
}

// Module returns the gate under the name of the default module: where there is
// one module, it is a Ring.
func (g *Gate) Module(name string) (Module, error) {
	if name != "" {
		return nil, notConfigured(name)
	}
	return g, nil
}

// notConfigured says that keys are in a module that is not here. It may be again.
func notConfigured(name string) error {
	return ErrUnavailable.Detail("the HSM module %q that keeps this key is not configured", name)
}

// IsOpen reports whether calls are let through.
func (g *Gate) IsOpen() bool { return g.module.Load() != nil }

// Close seals the gate and closes the module behind it, if any.
func (g *Gate) Close() error {
	if m := g.module.Swap(nil); m != nil {
		return (*m).Close()
	}
	return nil
}

// Describe implements Module; a closed gate describes nothing.
func (g *Gate) Describe() Description {
	if m := g.module.Load(); m != nil {
		return (*m).Describe()
	}
	if g.why.Load() != nil {
		return Description{Kind: string(StatusUnavailable)}
	}
	return Description{Kind: "sealed"}
}

// Check implements Module.
func (g *Gate) Check(ctx context.Context) error {
	m, err := g.behind()
	if err != nil {
		return err
	}
	return m.Check(ctx)
}

// Init implements Module.
func (g *Gate) Init(ctx context.Context) error {
	m, err := g.behind()
	if err != nil {
		return err
	}
	return m.Init(ctx)
}

// NewKEK implements Module.
func (g *Gate) NewKEK(ctx context.Context) (KEK, error) {
	m, err := g.behind()
	if err != nil {
		return nil, err
	}
	return m.NewKEK(ctx)
}

// Wrap implements Module.
func (g *Gate) Wrap(ctx context.Context, kek KEK, key, aad []byte) ([]byte, error) {
	m, err := g.behind()
	if err != nil {
		return nil, err
	}
	return m.Wrap(ctx, kek, key, aad)
}

// Unwrap implements Module.
func (g *Gate) Unwrap(ctx context.Context, kek KEK, wrapped, aad []byte) ([]byte, error) {
	m, err := g.behind()
	if err != nil {
		return nil, err
	}
	return m.Unwrap(ctx, kek, wrapped, aad)
}

// NewSigningKey implements Module.
func (g *Gate) NewSigningKey(ctx context.Context) (SigningKey, error) {
	m, err := g.behind()
	if err != nil {
		return SigningKey{}, err
	}
	return m.NewSigningKey(ctx)
}

// Sign implements Module.
func (g *Gate) Sign(ctx context.Context, key SigningKey, message []byte) ([]byte, error) {
	m, err := g.behind()
	if err != nil {
		return nil, err
	}
	return m.Sign(ctx, key, message)
}

// Anchor implements Module.
func (g *Gate) Anchor(ctx context.Context) ([]byte, error) {
	m, err := g.behind()
	if err != nil {
		return nil, err
	}
	return m.Anchor(ctx)
}

// SetAnchor implements Module.
func (g *Gate) SetAnchor(ctx context.Context, anchor []byte) error {
	m, err := g.behind()
	if err != nil {
		return err
	}
	return m.SetAnchor(ctx, anchor)
}
