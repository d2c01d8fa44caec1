package mcp_test

import (
	"context"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// hearer is a session that listens to the list of secrets.
type hearer struct {
	session
	heard chan string
}

// listen begins one.
func (a *agent) listen(era string, more ...string) hearer {
	a.t.Helper()
	h := hearer{heard: make(chan string, 8)}
	h.session = a.connect(era, &sdk.ClientOptions{
		ResourceUpdatedHandler: func(_ context.Context, r *sdk.ResourceUpdatedNotificationRequest) { h.heard <- r.Params.URI },
	}, more...)
	if err := h.Subscribe(a.t.Context(), &sdk.SubscribeParams{URI: "vault://secrets"}); err != nil {
		a.t.Fatal(err)
	}
	if err := h.Subscribe(a.t.Context(), &sdk.SubscribeParams{URI: "vault://else"}); err == nil && era == ancient {
		a.t.Error("there is another resource to listen to")
	}
	return h
}

// Who listens to the list of secrets hears what changed for them, whoever changed it, and
// nobody else does. What they hear is where to look.
func TestNewsOfTheList(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	narrow := newAgent(t)
	grant := func(path string) string {
		p, err := live.own.CreatePolicy(t.Context(), a.vault, api.CreatePolicyRequest{
			SecretPathPattern: path, PrincipalType: "agent", PrincipalID: narrow.id, Permissions: []string{"read"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	grant("app/**")
	mine, newest, theirs := a.listen(ancient), a.listen(recent), b.listen(ancient)
	part := narrow.listen(ancient, "X-Vault-ID", a.vault)
	hear := func(what string, who ...hearer) {
		t.Helper()
		for _, h := range who {
			if uri := <-h.heard; uri != "vault://secrets" {
				t.Errorf("%s: heard of %s", what, uri)
			}
		}
	}
	mine.says("put_secret", args{"path": "new", "value": canary})
	hear("a tool", mine, newest)
	a.keep("hidden/by-rest", "note", canary)
	hear("the API", mine, newest)
	a.keep("app/by-rest", "note", canary)
	hear("a secret that all may see", mine, newest, part)
	policy := grant("hidden/**")
	hear("a policy", part)
	if err := live.own.DeletePolicy(t.Context(), a.vault, policy); err != nil {
		t.Fatal(err)
	}
	hear("a policy that went", part)
	theirs.says("put_secret", args{"path": "new", "value": canary})
	hear("another vault", theirs)
	if len(mine.heard)+len(newest.heard)+len(theirs.heard)+len(part.heard) > 0 {
		t.Error("somebody heard of what is not for them")
	}
	if err := mine.Unsubscribe(t.Context(), &sdk.UnsubscribeParams{URI: "vault://secrets"}); err != nil {
		t.Fatal(err)
	}
	a.keep("app/last", "note", canary)
	hear("who still listens", newest, part)
	if len(mine.heard) > 0 {
		t.Error("who does not listen any more heard of it")
	}
}
