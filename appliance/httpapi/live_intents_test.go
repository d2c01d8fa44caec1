package httpapi

import (
	"fmt"
	"strings"
)

// intentLifecycle is every operation of chains, transactions, messages and
// approvals. Speeding up and cancelling takes a chain with a node.
func intentLifecycle(l *live) []operation {
	var (
		p         payer
		row, tx   string
		approvals [3]string
		text      = func(s string) func() string { return func() string { return s } }
		at        = func(format string, id *string) func() string {
			return func() string { return strings.Replace(format, "*", *id, 1) }
		}
		agent       = func(rest string) func() string { return func() string { return "/v1/agents/" + p.id + rest } }
		transaction = func(rest string) func() string { return func() string { return p.url + "/" + tx + rest } }
		approval    = func(i int, rest string) func() string {
			return func() string { return "/v1/approvals/" + approvals[i] + rest }
		}
		setUp = func() string { l.node(11155111); l.node(137); p = l.payer("payer", ""); return p.url }
	)
	const onTest = `{"to":"` + somebody1 + `","value":"0.1","chain":"sepolia","signing_key_path":"keys/ethereum-signer"}`
	asked := func(answered) {
		for i := range approvals {
			approvals[i] = l.want(step{method: post, url: p.url, as: "payer", body: pay(somebody1, fmt.Sprint(i+2), ""), status: 202}).text("approval_id")
		}
	}
	return []operation{
		{"createChain", post, text("/v1/admin/chains"), "owner", text(`{"name":"home","display_name":"Home","chain_id":31337}`), 201, "chain.create success", func(a answered) { row = a.text("id") }, "user"},
		{"adminListChains", get, text("/v1/admin/chains"), "owner", nil, 200, "none", nil, "user"},
		{"updateChain", put, at("/v1/admin/chains/*", &row), "owner", text(`{"is_enabled":true}`), 200, "chain.update success", nil, "user"},
		{"getChainHealth", get, at("/v1/admin/chains/*/health", &row), "owner", nil, 200, "none", nil, "user"},
		{"listChains", get, text("/v1/chains"), "", nil, 200, "none", nil, ""},
		{"getChain", get, text("/v1/chains/home"), "", nil, 200, "none", nil, ""},
		{"deleteChain", remove, at("/v1/admin/chains/*", &row), "owner", nil, 204, "chain.delete success", nil, "user"},

		{"submitTransaction", post, setUp, "payer", text(onTest), 201, "transaction.broadcast success", func(a answered) { tx = a.text("id") }, "any"},
		{"listTransactions", get, agent("/transactions"), "payer", nil, 200, "none", nil, "any"},
		{"getTransaction", get, transaction(""), "payer", nil, 200, "none", nil, "any"},
		{"getTransactionConfirmation", get, transaction("/confirmation"), "payer", nil, 200, "none", nil, "any"},
		{"speedUpTransaction", post, transaction("/speed-up"), "payer", text(`{}`), 200, "transaction.replace success", nil, "any"},
		{"cancelTransaction", post, transaction("/cancel"), "payer", nil, 200, "transaction.replace success", nil, "any"},
		{"signTransaction", post, agent("/transactions/sign"), "payer", text(pay(somebody1, "0.1", "")), 200, "transaction.sign success", nil, "any"},
		{"explainTransaction", post, agent("/transactions/explain"), "payer", text(pay(somebody1, "0.1", "")), 200, "none", nil, "any"},
		{"signIntent", post, agent("/sign"), "payer", text(`{"intent_type":"personal_sign","chain":"ethereum","message":"hello"}`), 200, "message.sign success", nil, "any"},
		{"simulateTransaction", post, agent("/transactions/simulate"), "payer", text(onTest), 200, "none", nil, "any"},
		{"simulateBundle", post, agent("/transactions/simulate-bundle"), "payer", text(`{"transactions":[` + onTest + `]}`), 200, "none", nil, "any"},

		{"createSigningKey", post, agent("/signing-keys"), "owner", text(`{"chain":"polygon"}`), 201, "signing_key.create success", nil, "user"},
		{"listSigningKeys", get, agent("/signing-keys"), "payer", nil, 200, "none", nil, "any"},
		{"getSigningKeyBalance", get, agent("/signing-keys/polygon/balance"), "payer", nil, 200, "none", nil, "any"},
		{"rotateSigningKey", post, agent("/signing-keys/polygon/rotate"), "owner", nil, 200, "signing_key.rotate success", nil, "user"},
		{"deactivateSigningKey", remove, agent("/signing-keys/polygon"), "owner", nil, 204, "signing_key.deactivate success", nil, "user"},
		{"importSigningKey", post, agent("/signing-keys/polygon/import"), "owner", text(`{"private_key":"` + signingKey + `","password":"` + ownerPassword + `"}`), 201, "signing_key.import success", nil, "user"},

		{"updateAgentGuardrails", put, agent("/guardrails"), "owner", text(`{"approval":{"above_eth":"1","approvers":1}}`), 200, "agent.update success", asked, "user"},
		{"getAgentGuardrails", get, agent("/guardrails"), "payer", nil, 200, "none", nil, "any"},
		{"listApprovals", get, text("/v1/approvals"), "payer", nil, 200, "none", nil, "any"},
		{"getApproval", get, approval(0, ""), "owner", nil, 200, "none", nil, "any"},
		{"approveRequest", post, approval(0, "/approve"), "owner", nil, 200, "approval.approve success", nil, "user"},
		{"denyRequest", post, approval(1, "/deny"), "owner", text(`{"reason":"no"}`), 200, "approval.deny success", nil, "user"},
		{"decideRequest", post, approval(2, "/decide"), "owner", text(`{"decision":"rejected"}`), 200, "approval.deny success", nil, "user"},

		{"freezeSigning", put, text("/v1/org/signing-freeze"), "owner", text(`{"reason":"odd"}`), 200, "signing.freeze success", nil, "user"},
		{"getSigningFreeze", get, text("/v1/org/signing-freeze"), "payer", nil, 200, "none", nil, "any"},
		{"thawSigning", remove, text("/v1/org/signing-freeze"), "owner", nil, 204, "signing.thaw success", nil, "user"},
	}
}
