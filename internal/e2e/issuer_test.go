package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

const (
	issuerClient = "deploy-bot"
	issuerSecret = "secret of the identity provider's client"
	audience     = "https://vault.example.org"
	elsewhere    = "https://somewhere-else.example.org"
)

// issuer starts oidc-provider, an identity provider that nobody here wrote, and
// is its URL. It gives out tokens for the audiences of the tests, and more.
func issuer(t *testing.T, alg string, more ...string) string {
	t.Helper()
	j := npm(t)
	arg, err := json.Marshal(map[string]any{
		"client": issuerClient, "secret": issuerSecret, "audiences": append(more, audience, elsewhere), "alg": alg,
	})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	p := launch(t, out, out+".err", nil, j.node, filepath.Join(j.dir, "issuer.mjs"), string(arg))
	said := ""
	eventually(t, 2*patience, "an identity provider", func() bool {
		text, _ := os.ReadFile(out)
		said = string(text)
		if !p.running() {
			errs, _ := os.ReadFile(out + ".err")
			t.Fatalf("the identity provider has ended: %s", errs)
		}
		return strings.HasSuffix(said, "\n")
	})
	return strings.TrimSpace(said)
}

// clientCredentials buys an access token of the issuer's (RFC 6749 section 4.4).
func clientCredentials(t *testing.T, issuer, audience string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {audience}, "scope": {"vault"}}
	req, err := http.NewRequest("POST", issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(issuerClient), url.QueryEscape(issuerSecret))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error_description"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token from the identity provider: %d %v %s", res.StatusCode, err, answer.Error)
	}
	return answer.Token
}

// TestAgentOfAnotherIssuer lets an agent sign in with the access token of a
// real identity provider, whose keys the daemon fetches from it, and read what
// was granted to the agent: with signatures of each kind.
func TestAgentOfAnotherIssuer(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			from := issuer(t, alg)
			d := newLocal(t, "--set", "oidc.issuers="+from, "--set", "oidc.audience="+audience).start()
			h := d.human()
			made := into[api.AgentCreatedResponse](t, h.do("POST", "/v1/agents", map[string]string{
				"name": "bot", "auth_method": "oidc_client_credentials", "oidc_issuer": from, "oidc_client_id": issuerClient,
			}).is(t, 201))
			if made.APIKey != "" {
				t.Error("such an agent needs no key, but got one")
			}
			v := h.vault(t, "deploy")
			h.put(v, "prod/token", "opens production").is(t, 201)
			h.policy(v, made.Agent.ID, "prod/*", "read").is(t, 201)

			exchange := func(token string) answer {
				return d.as("").do("POST", "/v1/auth/agent-token", map[string]string{"access_token": token})
			}
			token := into[api.TokenResponse](t, exchange(clientCredentials(t, from, audience)).is(t, 200))
			if token.AgentID != made.Agent.ID {
				t.Errorf("the token is for agent %q", token.AgentID)
			}
			if got := d.as(token.AccessToken).value(t, v, "prod/token"); got != "opens production" {
				t.Errorf("%q", got)
			}
			exchange(clientCredentials(t, from, elsewhere)).problem(t, 401)

			h.do("DELETE", "/v1/agents/"+made.Agent.ID, nil).is(t, 204)
			exchange(clientCredentials(t, from, audience)).problem(t, 401)
			d.as(token.AccessToken).get(v, "prod/token").problem(t, 401)
			h.verifyAudit(t)
		})
	}
}

// TestAgentOfUnknownIssuer has a token of an issuer that the daemon was not told of.
func TestAgentOfUnknownIssuer(t *testing.T) {
	from := issuer(t, "RS256")
	d := newLocal(t, "--set", "oidc.issuers=https://another.example.org", "--set", "oidc.audience="+audience).start()
	d.as("").do("POST", "/v1/auth/agent-token", map[string]string{"access_token": clientCredentials(t, from, audience)}).problem(t, 401)
}
