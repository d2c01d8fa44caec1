package mcp

import (
	"context"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// What the API refuses is said in the words that published clients know.
func TestRefusalsInWords(t *testing.T) {
	refusal := func(status int, code, detail string) error {
		return &client.Error{Problem: api.Problem{Status: status, Code: code, Detail: detail}}
	}
	limit := &client.Error{Problem: api.Problem{Type: api.TypeResourceLimit, Status: 403, Detail: "10 of 10 vaults"}}
	for _, c := range []struct {
		err   error
		about subject
		want  string
	}{
		{at{"a/b", refusal(410, "secret_expired", "expired")}, ofSecret, "Secret at path 'a/b' is expired or has exceeded its maximum access count."},
		{at{"a/b", refusal(404, "secret_not_found", "none")}, ofSecret, "No secret found at path 'a/b'."},
		{at{"a/b", refusal(404, "vault_not_found", "no such vault")}, ofSecret, "no such vault"},
		{at{"a/b", refusal(402, "quota", "used up")}, ofSecret, "Quota exhausted. The organisation has used what its plan allows; its owner can raise the limit."},
		{limit, ofVault, "Resource limit reached: 10 of 10 vaults. Delete what is not needed any more, or ask the owner of the organisation."},
		{refusal(403, "limit", "over the daily limit"), ofTransaction, "Access denied: over the daily limit"},
		{refusal(403, "limit", "Access denied: once"), ofTransaction, "Access denied: once"},
		{refusal(422, "simulation_failed", "it reverts"), ofTransaction, "Simulation failed: it reverts"},
		{refusal(422, "rejected", "nonce too low"), ofTransaction, "Transaction rejected: nonce too low"},
		{refusal(500, "", ""), ofVault, "HTTP 500"},
		{errNoVault, ofVault, errNoVault.Msg},
		{errors.New("dial tcp 10.0.0.1: refused"), ofVault, "The appliance does not answer. Is it running?"},
	} {
		if got := newServer(Config{}, newGuard(Guard{}), nil).explain(context.Background(), c.err, c.about).Error(); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
