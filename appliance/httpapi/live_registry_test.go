package httpapi

import (
	"strings"
	"testing"
)

func TestI13Registry(t *testing.T) {
	l := newLive(t)
	a := l.want(step{name: "anybody may look", url: "/v1/chains", status: 200, at: "chains.0",
		keys: "id name display_name chain_id explorer_url native_currency is_testnet is_enabled created_at updated_at"})
	if n := len(a.list("chains", "name")); n != 30 {
		t.Errorf("%d chains", n)
	}
	for _, tt := range []struct{ by, id, native string }{
		{"ethereum", "1", "ETH"}, {"optimism", "10", "ETH"}, {"arbitrum", "42161", "ETH"}, {"polygon", "137", "POL"}, {"base", "8453", "ETH"}, {"bsc", "56", "BNB"},
		{"gnosis", "100", "xDAI"}, {"avalanche", "43114", "AVAX"}, {"celo", "42220", "CELO"}, {"sepolia", "11155111", "ETH"}, {"base-sepolia", "84532", "ETH"},
	} {
		for _, by := range []string{tt.by, tt.id, strings.ToUpper(tt.by)} {
			l.want(step{name: by, url: "/v1/chains/" + by, status: 200,
				has: []string{`"name":"` + tt.by + `"`, `"chain_id":` + tt.id + `,`, `"native_currency":"` + tt.native + `"`, `"is_enabled":true`}})
		}
	}
	for _, none := range []string{"x", "0", "01", "2", "99999999999999999999", "%2e%2e", "ethereum%20", canary} {
		l.want(step{name: none, url: "/v1/chains/" + none, status: 404, has: []string{`"code":"chain_not_found"`}})
	}
	l.want(step{name: "too long", url: "/v1/chains/" + strings.Repeat("a", 65), status: 400})
}

func TestChains(t *testing.T) {
	l := newLive(t)
	const all = "/v1/admin/chains"
	create := func(name, as, members string, status int, event string, has ...string) step {
		return step{name: name, method: post, url: all, as: as, body: `{"name":"home","display_name":"Home","chain_id":31337` + members + `}`, status: status, event: event, has: has}
	}
	row := l.want(create("a chain", "owner", "", 201, "chain.create success", `"native_currency":"ETH"`, `"is_testnet":false`, `"is_enabled":true`)).text("id")
	one := all + "/" + row
	change := func(name, as, body string, status int, event string, has ...string) step {
		return step{name: name, method: put, url: one, as: as, body: body, status: status, event: event, has: has}
	}
	other := func(name, body, detail string) step {
		return step{name: name, method: post, url: all, as: "owner", body: body, status: 400, event: "none", has: []string{`"code":"invalid_`, detail}}
	}
	rpc := func(url string) string {
		return `{"name":"x","display_name":"X","chain_id":5,"rpc_url":"` + url + `"}`
	}
	l.run(t, []step{
		create("again", "owner", "", 409, "chain.create refused chain_exists"),
		create("by a member", "member", "", 403, "chain.create refused access_denied"),
		create("by another organisation", "stranger", "", 403, "chain.create refused access_denied"),
		{name: "the same number", method: post, url: all, as: "owner", body: `{"name":"x","display_name":"X","chain_id":1}`, status: 409},
		{name: "the same name", method: post, url: all, as: "owner", body: `{"name":"ethereum","display_name":"X","chain_id":5}`, status: 409},
		other("a name in upper case", `{"name":"Home","display_name":"X","chain_id":5}`, "name must be"),
		other("a name that is a number", `{"name":"5","display_name":"X","chain_id":5}`, "name must be"),
		other("no name", `{"display_name":"X","chain_id":5}`, `"name":"is required"`),
		other("an empty name", `{"name":"","display_name":"X","chain_id":5}`, "name must be"),
		other("no number", `{"name":"x","display_name":"X"}`, `"chain_id":"is required"`),
		other("number 0", `{"name":"x","display_name":"X","chain_id":0}`, `"chain_id":"`),
		other("a number as a text", `{"name":"x","display_name":"X","chain_id":"5"}`, `"chain_id":"`),
		other("a number beyond", `{"name":"x","display_name":"X","chain_id":18446744073709551615}`, "chain_id must be"),
		other("no display name", `{"name":"x","display_name":"","chain_id":5}`, "display_name must"),
		other("a long display name", `{"name":"x","display_name":"`+strings.Repeat("x", 65)+`","chain_id":5}`, "display_name must"),
		other("a file", rpc("file:///etc/"+canary), "rpc_url must"),
		other("no URL", rpc(canary), "rpc_url must"),
		other("a URL with a space", rpc("https://a b/"+canary), "rpc_url must"),
		other("a good one and a bad one", rpc("https://node.example,ftp://"+canary), "rpc_url must"),
		other("nine", rpc(strings.Repeat("https://node.example/"+canary+",", 9)), "rpc_url may"),
		other("an odd explorer", `{"name":"x","display_name":"X","chain_id":5,"explorer_url":"javascript:alert(1)"}`, "explorer_url must"),
		other("a web socket that is none", `{"name":"x","display_name":"X","chain_id":5,"ws_url":"https://node.example/`+canary+`"}`, "ws_url must"),
		change("its name for people", "owner", `{"display_name":"Our chain","native_currency":"OUR","is_testnet":true}`, 200, "chain.update success", `"display_name":"Our chain"`, `"native_currency":"OUR"`, `"is_testnet":true`, `"name":"home"`),
		change("nothing", "owner", `{}`, 200, "chain.update success", `"display_name":"Our chain"`),
		change("nulls", "owner", `{"display_name":null,"rpc_url":null,"is_enabled":null}`, 200, "", `"display_name":"Our chain"`, `"is_enabled":true`),
		change("which it is stays", "owner", `{"name":"other","chain_id":7}`, 200, "", `"name":"home"`, `"chain_id":31337`),
		change("by a member", "member", `{}`, 403, "chain.update refused access_denied"),
		change("an empty name", "owner", `{"display_name":""}`, 400, "chain.update refused invalid_chain"),
		change("off", "owner", `{"is_enabled":false}`, 200, "chain.update success", `"is_enabled":false`),
		{name: "out of sight", url: "/v1/chains/home", status: 404},
		{name: "of the list too", url: "/v1/chains", status: 200, lacks: []string{`"home"`}},
		{name: "not of theirs who run the appliance", url: all, as: "owner", status: 200, has: []string{`"home"`}, event: "none"},
		{name: "a member", url: all, as: "member", status: 403, event: "chain.read refused access_denied"},
		{name: "another organisation", url: all, as: "stranger", status: 403, event: "chain.read refused access_denied"},
		{name: "one that is not there", method: put, url: all + "/" + l.ownerID.String(), as: "owner", body: `{}`, status: 404, event: "chain.update refused chain_not_found"},
		{name: "by its name", method: put, url: all + "/home", as: "owner", body: `{}`, status: 400},
		{name: "delete by a member", method: remove, url: one, as: "member", status: 403, event: "chain.delete refused access_denied"},
		{name: "delete", method: remove, url: one, as: "owner", status: 204, event: "chain.delete success"},
		{name: "twice", method: remove, url: one, as: "owner", status: 404, event: "chain.delete refused chain_not_found"},
	})
	p := l.payer("payer", "")
	l.want(step{method: post, url: p.url, as: "payer", body: pay(somebody1, "0", ""), status: 201})
	ethereum := l.want(step{url: "/v1/chains/ethereum", status: 200}).text("id")
	l.want(step{name: "in use", method: remove, url: all + "/" + ethereum, as: "owner", status: 409, event: "chain.delete refused chain_in_use"})
	l.restart()
	l.want(step{name: "a restart brings nothing back", url: "/v1/chains/home", status: 404})
}

// TestNodesAreNoSecretsOfOthers: the canary stands for a node's credential, which
// may be in every part of its URL. Only who runs the appliance sees it.
func TestNodesAreNoSecretsOfOthers(t *testing.T) {
	l := newLive(t)
	const all = "/v1/admin/chains"
	const urls = "https://" + canary + ":" + canary + "@node.example:8545/v3/" + canary + "?key=" + canary + ",http://second.example/" + canary
	a := l.want(step{name: "made", method: post, url: all, as: "owner", status: 201, reveals: true, has: []string{`"rpc_url":"` + urls + `"`},
		body: `{"name":"home","display_name":"Home","chain_id":31337,"rpc_url":"` + urls + `","ws_url":"wss://node.example/` + canary + `"}`})
	one := all + "/" + a.text("id")
	const shown = `"rpc_url":"https://node.example:8545,http://second.example"`
	l.run(t, []step{
		{name: "who runs it sees it", url: all, as: "owner", status: 200, reveals: true, has: []string{urls}},
		{name: "listed", url: "/v1/chains", status: 200, has: []string{shown}, lacks: []string{"ws_url"}},
		{name: "listed for an owner", url: "/v1/chains", as: "owner", status: 200, has: []string{shown}},
		{name: "one", url: "/v1/chains/home", as: "member", status: 200, has: []string{shown}, lacks: []string{"ws_url"}},
		{name: "a bad change", method: put, url: one, as: "owner", body: `{"rpc_url":"ftp://` + canary + `"}`, status: 400},
		{name: "changed", method: put, url: one, as: "owner", body: `{"is_testnet":true}`, status: 200, reveals: true, has: []string{urls}},
		{name: "the log", url: "/v1/audit/events?limit=100", as: "owner", status: 200, has: []string{"https://node.example:8545"}},
		{name: "taken away", method: put, url: one, as: "owner", body: `{"rpc_url":"","ws_url":""}`, status: 200, lacks: []string{"rpc_url", "ws_url"}},
	})
}
