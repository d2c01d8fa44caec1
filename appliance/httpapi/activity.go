package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/shroud/meter"
)

func (s *Server) activityRoutes() []route {
	return []route{
		handle(get, "/v1/shroud/activity", "listShroudActivity", s.listActivity, doc("Shroud", "List calls of models")),
		handle(get, "/v1/shroud/activity/{event_id}", "getShroudActivity", s.getActivity, doc("Shroud", "Show a call of a model and its request, if that is kept")),
		handle(get, "/v1/shroud/threat-summary", "shroudThreatSummary", s.threatSummary, doc("Shroud", "Sum up what was found in calls of models")),
	}
}

type activityInput struct {
	AgentID id.ID `query:"agent_id" format:"uuid"`
	Limit   int64 `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor  id.ID `query:"cursor" format:"uuid" doc:"The next_cursor of the page before"`
}

func (s *Server) listActivity(ctx context.Context, in *activityInput) (*reply[api.ShroudActivityResponse], error) {
	calls, next, err := s.activity.List(ctx, caller(ctx), activity.Query{Agent: in.AgentID, Before: in.Cursor, Limit: int(in.Limit)})
	if err != nil {
		return nil, err
	}
	out := api.ShroudActivityResponse{Events: listOf(calls, wireCall)}
	if !next.IsZero() {
		out.NextCursor = next.String()
	}
	return answer(out)
}

type callInput struct {
	ID id.ID `path:"event_id" format:"uuid"`
}

func (s *Server) getActivity(ctx context.Context, in *callInput) (*reply[api.ShroudCallResponse], error) {
	c, err := s.activity.Open(ctx, caller(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return answer(api.ShroudCallResponse{ShroudCall: wireCall(c), Request: string(c.Request)})
}

type threatSummaryInput struct {
	Period string `query:"period" enum:"24h,7d,30d" default:"24h"`
}

func (s *Server) threatSummary(ctx context.Context, in *threatSummaryInput) (*reply[api.ShroudThreatSummaryResponse], error) {
	sum, err := s.activity.Summary(ctx, caller(ctx), in.Period)
	if err != nil {
		return nil, err
	}
	out := api.ShroudThreatSummaryResponse{
		Period: in.Period, Since: api.At(sum.Since), Requests: sum.Calls, Refused: sum.Refused, Redacted: sum.Redact,
		Threats: sum.Threats, Agents: map[string]int{}, Complete: !sum.Cut,
	}
	for agent, n := range sum.Agents {
		out.Agents[agent.String()] = n
	}
	return answer(out)
}

func wireCall(c activity.Call) api.ShroudCall {
	var until api.Time
	if c.Keep > 0 {
		until = api.At(c.Began.Add(c.Keep))
	}
	return api.ShroudCall{
		ID: c.ID.String(), AgentID: c.Agent.String(), Provider: c.Provider, Model: c.Model, Asked: c.Asked, Status: c.Status, Refusal: c.Refusal,
		Threats: listOf(c.Threats, func(t activity.Threat) api.ShroudThreat {
			return api.ShroudThreat{ThreatType: t.Type, Pattern: t.Pattern, Location: t.Location, Severity: t.Severity}
		}),
		Redacted: c.Redacted, InputTokens: c.Input, OutputTokens: c.Output, CostUSD: meter.MicroUSD(c.MicroUSD).Dollars(),
		StartedAt: api.At(c.Began), DurationMS: c.Took.Milliseconds(), KeptUntil: until,
	}
}
