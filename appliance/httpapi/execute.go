package httpapi

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/inspection"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/vault/use"
)

func (s *Server) useRoutes() []route {
	const (
		tag = "Use without seeing"
		of  = "/v1/agents/{agent_id}"
		all = of + "/bindings"
		one = all + "/{binding_id}"
	)
	return []route{
		handle(post, of+"/execute", "executeRequest", s.executeRequest, either(200, api.ExecuteResponse{}, api.ExecuteIntentResponse{}), doc(tag, "Send a request with secrets in it, and get the answer without them")),
		handle(get, of+"/executions", "listExecutions", s.listExecutions, doc(tag, "List what an agent executed, newest first")),
		handle(get, of+"/executions/{execution_id}", "getExecution", s.getExecution, doc(tag, "Look at an execution")),
		handle(post, all, "createBinding", s.createBinding, status(201), doc(tag, "Let an agent use a secret at one place")),
		handle(get, all, "listBindings", s.listBindings, doc(tag, "List an agent's bindings")),
		handle(get, one, "getBinding", s.getBinding, doc(tag, "Look at a binding")),
		handle(patch, one, "updateBinding", s.updateBinding, doc(tag, "Change a binding in part")),
		handle(remove, one, "deleteBinding", s.deleteBinding, doc(tag, "Take a binding away")),
		handle(post, one+"/rotate-credential", "rotateBindingCredential", s.rotateBindingCredential, doc(tag, "Give the secret of a binding a new value")),
		handle(post, one+"/test", "testBinding", s.testBinding, doc(tag, "Ask the host of a binding for an answer, without the secret")),
	}
}

type executeInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.ExecuteInput
}

func (s *Server) executeRequest(ctx context.Context, in *executeInput) (*reply[any], error) {
	policy, err := s.inspectPolicy(ctx, nil)
	if err != nil {
		return nil, err
	}
	b := in.Body
	call := use.Call{Binding: b.Binding, Method: b.Method, URL: b.URL, Header: b.Headers, Body: b.Body}
	if intent := b.IntentType != ""; intent {
		call, err = callOf(b)
	} else if b.Params != nil || b.ExecutionMode != "" || b.DryRun {
		err = invalidField("intent_type", "is needed with params, execution_mode and dry_run")
	}
	if err != nil {
		return nil, err
	}
	got, err := s.uses.Execute(ctx, caller(ctx), in.AgentID, call)
	switch {
	case err != nil:
		return nil, err
	case b.IntentType != "":
		return answer[any](wireIntent(got, call.DryRun, policy))
	}
	return answer[any](wireExecuted(got, policy))
}

// wireExecuted shows an answer, and what inspection says of it: it is a document from
// elsewhere that a model is going to read.
func wireExecuted(a use.Answer, policy *detect.Policy) api.ExecuteResponse {
	out := api.ExecuteResponse{
		ExecutionID: a.ID.String(), Status: a.Status, Headers: a.Header, Truncated: a.Truncated, Redactions: a.Redactions, BodyEncoding: "text",
	}
	text := string(a.Body)
	if a.Truncated {
		text = whole(text)
	}
	if out.Body = text; !utf8.ValidString(text) {
		out.Body, out.BodyEncoding = base64.StdEncoding.EncodeToString(a.Body), "base64"
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	var headers strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		headers.WriteString(name + ": " + a.Header[name] + "\n")
	}
	o := detect.Options{Context: detect.Document, Policy: policy}
	of := []api.Inspection{inspection.Of(detect.Inspect(text, o)), inspection.Of(detect.Inspect(headers.String(), o))}
	out.Verdict, out.Threats = inspection.Sum(of).Verdict, append(of[0].Threats, of[1].Threats...)
	return out
}

// whole is a text without the part of a character that cutting left at its end.
func whole(s string) string {
	for i := 1; i < utf8.UTFMax && i <= len(s); i++ {
		if c := s[len(s)-i]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(s[len(s)-i:]) {
				return s[:len(s)-i]
			}
			break
		}
	}
	return s
}
