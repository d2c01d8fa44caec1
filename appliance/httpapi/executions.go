package httpapi

import (
	"context"
	"encoding/json"
	"maps"
	"mime"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/vault/use"
)

// callOf is the call that an intent describes.
func callOf(b api.ExecuteInput) (c use.Call, err error) {
	switch {
	case b.Params == nil:
		return c, invalidField("params", "is needed with intent_type")
	case b.URL != "" || len(b.Headers) > 0 || b.Body != "":
		return c, invalidField("params", "has the request where intent_type is said; url, headers and body are not beside it")
	case b.Params.URL != "" && b.Params.Path != "":
		return c, invalidField("params.path", "is said instead of params.url")
	}
	p := *b.Params
	c = use.Call{Binding: b.Binding, Method: p.Method, URL: p.URL + p.Path, Header: maps.Clone(p.Headers), DryRun: b.DryRun}
	if c.Query, err = scalars(p.Query); err != nil {
		return c, err
	}
	switch body := p.Body.(type) {
	case nil:
	case string:
		c.Body = body
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return c, invalidField("params.body", "is not JSON")
		}
		c.Body = string(text)
		c.Header = asJSON(c.Header)
	}
	return c, nil
}

// scalars are values of a query as texts.
func scalars(in map[string]any) (map[string]string, error) {
	out := make(map[string]string, len(in))
	for name, value := range in {
		switch v := value.(type) {
		case string:
			out[name] = v
		case bool, float64, json.Number:
			text, err := json.Marshal(v)
			if err != nil {
				return nil, invalidField("params.query", "has a number that is none")
			}
			out[name] = string(text)
		default:
			return nil, invalidField("params.query", "takes texts, numbers and truth values")
		}
	}
	return out, nil
}

// asJSON says that the body is JSON, unless the headers say what it is.
func asJSON(header map[string]string) map[string]string {
	for name := range header {
		if strings.EqualFold(name, "content-type") {
			return header
		}
	}
	if header == nil {
		header = map[string]string{}
	}
	header["content-type"] = "application/json"
	return header
}

// wireIntent shows an answer in the form of the published clients.
func wireIntent(a use.Answer, dry bool, policy *detect.Policy) api.ExecuteIntentResponse {
	out := api.ExecuteIntentResponse{
		ExecutionID: a.ID.String(), Status: string(use.Completed), ExecutionSurface: "vault",
		DurationMS: a.Took.Milliseconds(), RedactionsApplied: a.Redactions,
	}
	if dry {
		out.Status = string(use.DryRun)
		return out
	}
	flat := wireExecuted(a, policy)
	out.Result = &api.ExecuteResult{
		Status: flat.Status, Headers: flat.Headers, Body: flat.Body, BodyEncoding: flat.BodyEncoding,
		Truncated: flat.Truncated, Verdict: flat.Verdict, Threats: flat.Threats,
	}
	kind, _, _ := mime.ParseMediaType(flat.Headers["content-type"])
	if kind == "application/json" || strings.HasSuffix(kind, "+json") {
		if raw := []byte(flat.Body); flat.BodyEncoding == "text" && json.Valid(raw) {
			out.Result.Body, out.Result.BodyEncoding = json.RawMessage(raw), "json"
		}
	}
	return out
}

type executionsInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Limit   int64 `query:"limit" minimum:"0" maximum:"100" doc:"50 when left out"`
	Offset  int64 `query:"offset" minimum:"0" maximum:"2147483647"`
}

func (s *Server) listExecutions(ctx context.Context, in *executionsInput) (*reply[api.ExecutionListResponse], error) {
	all, err := s.uses.Executions(ctx, caller(ctx), in.AgentID, int(in.Limit), int(in.Offset))
	if err != nil {
		return nil, err
	}
	return answer(api.ExecutionListResponse{Events: listOf(all, wireExecution)})
}

type executionInput struct {
	AgentID     id.ID `path:"agent_id" format:"uuid"`
	ExecutionID id.ID `path:"execution_id" format:"uuid"`
}

func (s *Server) getExecution(ctx context.Context, in *executionInput) (*reply[api.ExecutionEvent], error) {
	x, err := s.uses.Execution(ctx, caller(ctx), in.AgentID, in.ExecutionID)
	if err != nil {
		return nil, err
	}
	return answer(wireExecution(x))
}

func wireExecution(x use.Execution) api.ExecutionEvent {
	out := api.ExecutionEvent{
		ID: x.ID, AgentID: x.Agent, BindingID: x.Binding, IntentType: "http", ExecutionMode: "vault", ExecutionSurface: "vault",
		Status: string(x.Status), RequestSummary: api.ExecutionRequestSummary{Method: x.Method, Host: x.Host}, ErrorMessage: x.Reason,
		DurationMS: x.Took.Milliseconds(), RedactionsApplied: int(x.Redactions), CreatedAt: api.At(x.At),
	}
	if x.Status == use.Completed {
		out.ResultSummary = &api.ExecutionResultSummary{Status: int(x.Answer)}
	}
	return out
}
