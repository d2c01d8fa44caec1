package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// tour is the main job, once, through the API as any client would: a person
// stores a secret and grants a path, an agent reads it, is refused another
// path, and the audit log shows both and verifies.
type tour struct {
	w     io.Writer
	human *client
	vault string

	agent  *client
	stored string
}

const (
	tourPath   = "api-keys/stripe"
	tourBarred = "db/password"
)

func runTour(ctx context.Context, w io.Writer, human *client, vault string) error {
	t := &tour{w: w, human: human, vault: vault}
	for i, step := range []struct {
		what string
		do   func(context.Context) (string, error)
	}{
		{"A person stores two secrets", t.store},
		{"registers an agent and grants it api-keys/*", t.grant},
		{"The agent buys a token with its key", t.exchange},
		{"and reads " + tourPath, t.read},
		{"It is refused " + tourBarred, t.barred},
		{"The audit log shows both", t.log},
		{"and is proved intact", t.verify},
	} {
		said, err := step.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		fmt.Fprintf(w, "\n%d. %s\n   %s\n", i+1, step.what, said)
	}
	return nil
}

func (t *tour) secret(path string) string { return "/v1/vaults/" + t.vault + "/secrets/" + path }

func (t *tour) store(ctx context.Context) (string, error) {
	t.stored = "sk-tour-" + http.StatusText(http.StatusTeapot)[:5]
	for path, value := range map[string]string{tourPath: t.stored, tourBarred: "not for agents"} {
		if err := t.human.call(ctx, "PUT", t.secret(path), map[string]string{"value": value, "type": "api_key"}, nil); err != nil {
			return "", err
		}
	}
	return "PUT " + t.secret(tourPath) + " → 201", nil
}

func (t *tour) grant(ctx context.Context) (string, error) {
	var made api.AgentCreatedResponse
	if err := t.human.call(ctx, "POST", "/v1/agents", map[string]string{"name": "tour"}, &made); err != nil {
		return "", err
	}
	var p api.PolicyResponse
	err := t.human.call(ctx, "POST", "/v1/vaults/"+t.vault+"/policies", map[string]any{
		"secret_path_pattern": "api-keys/*", "principal_type": "agent", "principal_id": made.Agent.ID, "permissions": []string{"read"},
	}, &p)
	t.agent = &client{base: t.human.base, key: made.APIKey, http: http.Client{}}
	return fmt.Sprintf("agent %s, policy %s", made.Agent.ID, p.ID), err
}

func (t *tour) exchange(ctx context.Context) (string, error) {
	var tok api.TokenResponse
	anonymous := &client{base: t.human.base}
	if err := anonymous.call(ctx, "POST", "/v1/auth/agent-token", map[string]string{"api_key": t.agent.key}, &tok); err != nil {
		return "", err
	}
	t.agent.key = tok.AccessToken
	return fmt.Sprintf("POST /v1/auth/agent-token → a JWT for %d s", tok.ExpiresIn), nil
}

func (t *tour) read(ctx context.Context) (string, error) {
	var s api.SecretResponse
	if err := t.agent.call(ctx, "GET", t.secret(tourPath), nil, &s); err != nil {
		return "", err
	}
	if s.Value != t.stored {
		return "", errors.New("the value is not the one that was stored")
	}
	return fmt.Sprintf("GET %s → 200, version %d, the value that was stored", t.secret(tourPath), s.Version), nil
}

func (t *tour) barred(ctx context.Context) (string, error) {
	err := t.agent.call(ctx, "GET", t.secret(tourBarred), nil, nil)
	var no *refused
	if !errors.As(err, &no) || no.status != http.StatusForbidden {
		return "", fmt.Errorf("expected a refusal, got %w", err)
	}
	return fmt.Sprintf("GET %s → 403: %s", t.secret(tourBarred), no.problem.Detail), nil
}

func (t *tour) log(ctx context.Context) (string, error) {
	var events api.AuditEventsResponse
	if err := t.human.call(ctx, "GET", "/v1/audit/events?action=secret.read&limit=2", nil, &events); err != nil {
		return "", err
	}
	said := ""
	for _, e := range events.Events {
		said += fmt.Sprintf("%s %s by %s %s: %s\n   ", e.Action, e.ResourceID, e.ActorType, e.ActorID, e.Outcome)
	}
	if len(events.Events) < 2 {
		return said, errors.New("the audit log does not show both")
	}
	return said[:len(said)-4], nil
}

func (t *tour) verify(ctx context.Context) (string, error) {
	var v api.AuditVerifyResponse
	if err := t.human.call(ctx, "GET", "/v1/audit/verify", nil, &v); err != nil {
		return "", err
	}
	if !v.ChainValid {
		return "", fmt.Errorf("the log is broken at %s", v.BrokenAtEventID)
	}
	return fmt.Sprintf("GET /v1/audit/verify → %d events, all intact", v.EventsVerified), nil
}
