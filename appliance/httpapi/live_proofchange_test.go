package httpapi

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// An agent gets another certificate without becoming another agent, and the one
// it had buys nothing from then on.
func TestA7ACertificateCanBeReplaced(t *testing.T) {
	l := newLive(t)
	from, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	old, fresh, taken := clientCert(t, from, until), clientCert(t, from, until), clientCert(t, from, until)
	print := func(c tls.Certificate) string { return identity.Fingerprint(c.Leaf) }
	register := func(c tls.Certificate) string {
		return l.want(step{method: post, url: "/v1/agents", as: "owner", status: 201, body: fmt.Sprintf(
			`{"name":"bot","auth_method":"mtls","client_cert_fingerprint":%q}`, print(c))}).text("agent.id")
	}
	bot, _ := register(old), register(taken)
	s := l.overTLS()
	change := func(name, body string, status int, has string) step {
		return step{name: name, method: patch, url: "/v1/agents/" + bot, as: "owner", body: body, status: status, has: []string{has}}
	}
	cert := func(c tls.Certificate) string { return fmt.Sprintf(`{"client_cert_fingerprint":%q}`, print(c)) }
	l.run(t, []step{
		change("another's", cert(taken), 409, "credential_in_use"),
		change("none", `{"client_cert_fingerprint":""}`, 400, "invalid_auth_method"),
		change("no fingerprint", `{"client_cert_fingerprint":"abc"}`, 400, "invalid_fingerprint"),
		change("a client", `{"oidc_issuer":"https://idp.example","oidc_client_id":"bot"}`, 400, "not_its_proof"),
		change("null", `{"client_cert_fingerprint":null}`, 200, print(old)),
		change("its own", cert(old), 200, print(old)),
	})
	if a := showCert(t, s, &old, ""); a.Status != 200 {
		t.Fatalf("what was refused changed something: %+v", a)
	}
	l.want(change("a new one", cert(fresh), 200, print(fresh)))
	if a := showCert(t, s, &old, ""); a.Status != 401 {
		t.Errorf("the old one: %+v", a)
	}
	if a := showCert(t, s, &fresh, ""); a.Status != 200 || a.Body["agent_id"] != bot {
		t.Errorf("the new one: %+v", a)
	}
	next := register(old) // it is free for another agent
	l.want(change("and taken then", cert(old), 409, "credential_in_use"))
	l.want(step{method: remove, url: "/v1/agents/" + bot, as: "owner", status: 204})
	l.want(change("while it is off", cert(old), 200, print(old)))
	if a := showCert(t, s, &old, ""); a.Status != 200 || a.Body["agent_id"] != next {
		t.Errorf("whose it is: %+v", a)
	}
	l.want(change("back on", `{"is_active":true}`, 409, "credential_in_use"))
}

func TestA7AClientCanBeReplaced(t *testing.T) {
	l := newLive(t)
	ids := map[string]string{}
	for _, client := range []string{"one", "two"} {
		ids[client] = l.want(step{method: post, url: "/v1/agents", as: "owner", status: 201, body: fmt.Sprintf(
			`{"name":"bot","auth_method":"oidc_client_credentials","oidc_issuer":"https://idp.example","oidc_client_id":%q}`, client)}).text("agent.id")
	}
	keyed := l.agent("keyed", "")
	change := func(name, agent, body string, status int, has string) step {
		return step{name: name, method: patch, url: "/v1/agents/" + agent, as: "owner", body: body, status: status, has: []string{has}}
	}
	l.run(t, []step{
		change("another's", ids["one"], `{"oidc_client_id":"two"}`, 409, "credential_in_use"),
		change("none", ids["one"], `{"oidc_client_id":""}`, 400, "invalid_auth_method"),
		change("another issuer's", ids["one"], `{"oidc_issuer":"https://other.example","oidc_client_id":"two"}`, 200, `"oidc_client_id":"two"`),
		change("which is free now", ids["two"], `{"oidc_client_id":"one"}`, 200, `"oidc_issuer":"https://idp.example"`),
		change("an agent with a key", keyed.id, `{"oidc_client_id":"one"}`, 400, "not_its_proof"),
		change("which says what it has", keyed.id, `{"oidc_client_id":"","client_cert_fingerprint":""}`, 200, `"auth_method":"api_key"`),
	})
}
