package mcp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oneclaw/oneclawd/appliance/api"
)

const described = "/.well-known/oauth-protected-resource"

// ask sends a message to a server as a client that came to some host, and returns the
// answer with its body.
func ask(t *testing.T, method, path, host, credential string) (status int, challenge, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(live.url, "/mcp")+path, strings.NewReader(initialize))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if host != "" {
		req.Host = host
	}
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("WWW-Authenticate"), string(text)
}

// OAuth is spoken at the origin that was set for it, and at no other name.
func TestOAuthAtItsOrigin(t *testing.T) {
	a := newAgent(t)
	leads := `resource_metadata="https://` + origin + described + `/mcp"`
	for _, c := range []struct {
		host   string
		status int
		leads  bool
	}{
		{origin, 401, true}, {strings.ToUpper(origin) + ":443", 401, true},
		{"", 401, false}, {"localhost", 401, false},
		{origin + ".evil.example", 403, false}, {origin + ":80", 403, false}, {"evil.example", 403, false},
	} {
		for _, credential := range []string{"", "ocv_" + strings.Repeat("x", 43)} {
			status, said, body := ask(t, "POST", "/mcp", c.host, credential)
			if status != c.status || strings.Contains(said, leads) != c.leads {
				t.Errorf("%q: %d %s %s", c.host, status, said, body)
			}
			if strings.Contains(said, `error="invalid_token"`) != (c.leads && credential != "") {
				t.Errorf("%q with %q: %s", c.host, credential, said)
			}
		}
		for path, there := range map[string]bool{
			described: true, described + "/mcp": true, described + "/other": false, "/.well-known/oauth-authorization-server": false,
			"/.well-known/oauth-authorization-server/mcp": false, "/.well-known/openid-configuration": false,
		} {
			status, _, body := ask(t, "GET", path, c.host, "")
			if (status == 200) != (there && c.leads) || status != 200 && status != 404 {
				t.Errorf("%q%s: %d %s", c.host, path, status, body)
			}
			if status != 200 {
				continue
			}
			var got, want map[string]any
			_ = json.Unmarshal([]byte(body), &got)
			_ = json.Unmarshal([]byte(`{"resource":"https://`+origin+`/mcp","authorization_servers":["`+live.idp.Issuer()+`"],"bearer_methods_supported":["header"],"resource_name":"1claw"}`), &want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s", path, body)
			}
		}
	}
	if status, _, body := ask(t, "POST", described, origin, ""); status != 404 {
		t.Errorf("the description is written to: %d %s", status, body)
	}
	if status, _, body := ask(t, "POST", "/mcp", origin, a.key); status != 200 {
		t.Errorf("a key at the origin: %d %s", status, body)
	}
}

// Whoever the authorization server gave a token for this server is the agent that is
// its client, for as long as both last.
func TestTokensOfTheAuthorizationServer(t *testing.T) {
	a := newAgent(t)
	made, err := live.own.CreateAgent(t.Context(), api.CreateAgentRequest{
		Name: "federated", AuthMethod: "oidc_client_credentials", OIDCIssuer: live.idp.Issuer(), OIDCClientID: "tool-bot",
	})
	if err != nil {
		t.Fatal(err)
	}
	token := func(more jwt.MapClaims) string {
		claims := jwt.MapClaims{
			"iss": live.idp.Issuer(), "aud": "https://" + origin + "/mcp", "sub": "agent:" + a.id, "client_id": "tool-bot",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		}
		for name, value := range more {
			claims[name] = value
		}
		text, err := live.idp.Keypair.SignJWT(claims)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := token(nil)
	for name, c := range map[string]struct {
		credential string
		status     int
	}{
		"for this server":      {good, 200},
		"for another":          {token(jwt.MapClaims{"aud": "https://" + origin}), 401},
		"of another client":    {token(jwt.MapClaims{"client_id": "other-bot"}), 401},
		"that has ended":       {token(jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()}), 401},
		"of a person":          {token(jwt.MapClaims{"auth_time": time.Now().Unix()}), 401},
		"with another payload": {forged(good, token(jwt.MapClaims{"jti": "another"})), 401},
	} {
		status, challenge, body := ask(t, "POST", "/mcp", origin, c.credential)
		if status != c.status || (c.status == 401) != strings.Contains(challenge, `error="invalid_token"`) {
			t.Errorf("a token %s: %d %s", name, status, body)
		}
	}
	a.keep("k", "note", canary)
	_, err = live.own.CreatePolicy(t.Context(), a.vault, api.CreatePolicyRequest{
		SecretPathPattern: "k", PrincipalType: "agent", PrincipalID: made.Agent.ID, Permissions: []string{"read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, era := range []string{ancient, recent} {
		as := &agent{t: t, id: made.Agent.ID, key: token(jwt.MapClaims{"jti": era}), vault: a.vault}
		if text := as.connect(era, nil).says("get_secret", args{"path": "k"}); !strings.Contains(text, canary) {
			t.Errorf("%s: %s", era, text)
		}
	}
	if err := live.own.DeleteAgent(t.Context(), made.Agent.ID); err != nil {
		t.Fatal(err)
	}
	if status, _, body := ask(t, "POST", "/mcp", origin, good); status != 401 {
		t.Errorf("of an agent that is no more: %d %s", status, body)
	}
}

// forged is a token with the claims of another under its own signature.
func forged(token, other string) string {
	head, rest, _ := strings.Cut(token, ".")
	_, signature, _ := strings.Cut(rest, ".")
	_, rest, _ = strings.Cut(other, ".")
	payload, _, _ := strings.Cut(rest, ".")
	return head + "." + payload + "." + signature
}
