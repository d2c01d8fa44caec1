package httpapi

import "testing"

// A value that comes with a binding is refused, and the answer says where it goes. It
// is neither kept nor passed over: who sent it would believe that it is in use.
func TestABindingTakesNoValue(t *testing.T) {
	u := newUser(t)
	u.want(step{method: put, url: u.vault + "/secrets/bound", as: "owner", status: 201, body: `{"value":"a value of its own"}`})
	all := "/v1/agents/" + u.id + "/bindings"
	const config, credential = `"name":"svc","config":{"base_url":"https://api.example.com","auth_type":"bearer"}`, `"credential":{"type":"bearer","token":"` + canary + `"}`
	source := `"credential_source":{"vault_id":"` + u.vault[len("/v1/vaults/"):] + `","path":"bound"}`
	u.run(t, []step{
		{name: "a value", method: post, url: all, as: "owner", body: `{` + config + `,` + credential + `}`, status: 400,
			has: []string{"PUT /v1/vaults/{vault_id}/secrets/{path}", "credential_source"}},
		{name: "a value and a secret", method: post, url: all, as: "owner", body: `{` + config + `,` + credential + `,` + source + `}`, status: 400},
		{name: "neither", method: post, url: all, as: "owner", body: `{` + config + `}`, status: 400, has: []string{"credential_source is required"}},
	})
	b := u.want(step{method: post, url: all, as: "owner", body: `{` + config + `,` + source + `}`, status: 201}).text("id")
	u.run(t, []step{
		{name: "another value", method: patch, url: all + "/" + b, as: "owner", body: `{` + credential + `}`, status: 400,
			has: []string{"rotate-credential"}},
		{name: "none", method: patch, url: all + "/" + b, as: "owner", body: `{"credential":null}`, status: 200},
	})
}
