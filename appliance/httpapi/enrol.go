package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/vault/agents"
)

func (s *Server) enrolRoutes() []route {
	return []route{
		handle(post, "/v1/agents/enroll", "enrollAgent", s.enrollAgent, guessable, status(201), doc("Agents", "An agent registers itself; its person gets the key by mail")),
	}
}

type enrolInput struct{ Body api.EnrollAgentRequest }

// enrolled is what everybody is told who enrols an agent.
const enrolled = "If this person has an account here, the agent was registered for them and its key is on its way to their mailbox"

func (s *Server) enrollAgent(ctx context.Context, in *enrolInput) (*reply[api.EnrollAgentResponse], error) {
	agent, err := s.enrol.Enrol(ctx, agents.Enrolment{
		Name: in.Body.Name, HumanEmail: in.Body.HumanEmail, Description: in.Body.Description,
	}, peer(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.EnrollAgentResponse{AgentID: agent.String(), Message: enrolled})
}
