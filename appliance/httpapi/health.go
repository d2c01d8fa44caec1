package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// Module is as much of an hsm.Module as its health takes. *hsm.Gate is one.
type Module interface {
	Describe() hsm.Description
	Check(context.Context) error
}

func (s *Server) healthRoutes() []route {
	return []route{
		handle(get, "/v1/health", "healthCheck", s.health, public, doc("Health", "Whether the appliance serves")),
		handle(get, "/v1/health/hsm", "healthHsm", s.hsmHealth, public, doc("Health", "Whether keys can be used")),
	}
}

func (s *Server) health(ctx context.Context, _ *none) (*reply[api.HealthResponse], error) {
	out := api.HealthResponse{Status: api.Healthy, Version: s.version}
	if s.hsm.check(ctx) != nil {
		out.Status = api.Degraded
	}
	return answer(out)
}

func (s *Server) hsmHealth(ctx context.Context, _ *none) (*reply[api.HSMHealthResponse], error) {
	d := s.hsm.module.Describe()
	out := api.HSMHealthResponse{
		Status: api.HSMOK, Module: d.Kind, IsHSM: d.HSM,
		Notes: listOf(d.Notes, func(s string) string { return s }),
	}
	if err := s.hsm.check(ctx); err != nil {
		switch fault.KindOf(err) {
		case fault.Sealed, fault.Unavailable:
			out.Status = api.HSMUnavailable
		default:
			out.Status = api.Degraded
		}
	}
	return answer(out)
}

// probe asks the module how it is at most once a second: the routes are
// public, and each question is work for the HSM.
type probe struct {
	module Module

	mu    sync.Mutex
	asked time.Time
	err   error
}

const (
	probeEvery   = time.Second
	probeTimeout = 2 * time.Second
)

func (p *probe) check(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.asked) < probeEvery {
		return p.err
	}
	// Others wait for this answer too, so it outlives the one who asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	p.err = p.module.Check(ctx)
	p.asked = time.Now()
	return p.err
}
