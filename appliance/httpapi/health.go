package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm"
)

// Module says how the module that keeps the keys does. *hsm.Monitor is one; it
// knows without asking the token, so these public routes cost nothing.
type Module interface {
	State() hsm.State
	Describe() hsm.Description
}

func (s *Server) healthRoutes() []route {
	return []route{
		handle(get, "/v1/health", "healthCheck", s.health, public, doc("Health", "Whether the appliance serves")),
		handle(get, "/v1/health/hsm", "healthHsm", s.hsmHealth, public, doc("Health", "Whether keys can be used")),
	}
}

func (s *Server) health(context.Context, *none) (*reply[api.HealthResponse], error) {
	out := api.HealthResponse{Status: api.Healthy, Version: s.version}
	if s.hsm.State().Status != hsm.StatusOK || s.readOnly != nil && s.readOnly() {
		out.Status = api.Degraded
	}
	return answer(out)
}

func (s *Server) hsmHealth(context.Context, *none) (*reply[api.HSMHealthResponse], error) {
	d := s.hsm.Describe()
	return answer(api.HSMHealthResponse{
		Status: string(s.hsm.State().Status), Module: d.Kind, IsHSM: d.HSM, Notes: notNil(d.Notes),
	})
}
