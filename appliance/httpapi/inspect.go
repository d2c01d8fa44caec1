package httpapi

import (
	"context"
	"encoding/json"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/inspection"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/detect"
)

var (
	errInspectWhat   = fault.New(fault.Invalid, "inspect_content", "Send content, or items, and not both")
	errInspectConfig = fault.New(fault.Invalid, "invalid_shroud_config", "The config is not a shroud_config that can be used")
)

func (s *Server) inspectRoutes() []route {
	return []route{
		handle(post, "/v1/inspect", "inspectContent", s.inspectContent, doc("Shroud", "Find injections, tricks, personal data and credentials in texts")),
	}
}

type inspectInput struct{ Body api.InspectRequest }

// inspectContent looks at what it is sent and keeps nothing of it.
func (s *Server) inspectContent(ctx context.Context, in *inspectInput) (*reply[api.InspectResponse], error) {
	if in.Body.Content != "" && len(in.Body.Items) > 0 {
		return nil, errInspectWhat
	}
	policy, err := s.inspectPolicy(ctx, json.RawMessage(in.Body.Config))
	if err != nil {
		return nil, err
	}
	one := func(content, as string) api.Inspection {
		return inspection.Of(detect.Inspect(content, detect.Options{Context: detect.Context(as), Policy: policy}))
	}
	if len(in.Body.Items) == 0 {
		return answer(api.InspectResponse{Inspection: one(in.Body.Content, in.Body.Context)})
	}
	out := api.InspectResponse{}
	for _, item := range in.Body.Items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out.Results = append(out.Results, one(item.Content, item.Context))
	}
	out.Inspection = inspection.Sum(out.Results)
	return answer(out)
}

// inspectPolicy is what the request says, or the agent that sends it.
func (s *Server) inspectPolicy(ctx context.Context, config json.RawMessage) (*detect.Policy, error) {
	if p := caller(ctx); len(config) == 0 && p.IsAgent() {
		self, err := s.agents.Self(ctx, p)
		if err != nil {
			return nil, err
		}
		config = self.ShroudConfig
	}
	parsed, err := detect.ParseConfig(config)
	if err != nil {
		return nil, errInspectConfig.Because(err)
	}
	policy, err := detect.NewPolicy(parsed)
	if err != nil {
		return nil, errInspectConfig.Detail("%s: %v", errInspectConfig.Msg, err)
	}
	return policy, nil
}
