package httpapi

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The objects that the official Go SDK reads strictly: it refuses a member
// that is not listed, and an object without one that has a star.
const (
	strictToken  = "access_token* token_type* expires_in*"
	strictVault  = "id* name* created_at* description* created_by* created_by_type* cmek_enabled* cmek_fingerprint"
	strictMeta   = "id* path* type* version* created_at* metadata* expires_at"
	strictSecret = strictMeta + " value* created_by* cmek_encrypted*"
	strictPolicy = "id* vault_id* secret_path_pattern* principal_type* principal_id* permissions* created_at* " +
		"conditions* expires_at created_by* created_by_type*"
	strictJob   = "id* vault_id* old_fingerprint* new_fingerprint* status* total_secrets* processed* created_at* started_at* completed_at error"
	strictAgent = "id* name* auth_method* is_active* intents_api_enabled* shroud_enabled* created_at* description* scopes* " +
		"tx_to_allowlist* tx_max_value_eth tx_daily_limit_eth tx_allowed_chains* token_ttl_seconds vault_ids* client_cert_fingerprint " +
		"oidc_issuer oidc_client_id ssh_public_key* ecdh_public_key* shroud_config expires_at last_active_at"
	strictChain = "id* name* display_name* chain_id* rpc_url ws_url explorer_url native_currency* is_testnet* is_enabled* created_at* updated_at*"
	strictTx    = "id* agent_id* chain* chain_id* to* value_wei* status* signed_tx tx_hash error_message created_at* signed_at " +
		"simulation_id simulation_status tenderly_dashboard_url max_fee_per_gas max_priority_fee_per_gas"
	strictSigned = "signed_tx* tx_hash* from* to* chain* chain_id* nonce* value_wei* status* simulation_id simulation_status " +
		"max_fee_per_gas max_priority_fee_per_gas"
)

// strictAnswers says what is strict in the answers of which routes. A path
// that ends in a dot is of a list; a method may have a status behind it.
var strictAnswers = []struct{ method, url, at, members string }{
	{post, `/v1/auth/api-key-token`, "", strictToken},
	{post, `/v1/vaults`, "", strictVault},
	{get, `/v1/vaults`, "vaults.", strictVault},
	{get, `/v1/vaults/[^/]+`, "", strictVault},
	{put, `/v1/vaults/[^/]+/secrets/.+`, "", strictMeta},
	{get, `/v1/vaults/[^/]+/secrets`, "secrets.", strictMeta},
	{get, `/v1/vaults/[^/]+/secrets/.+`, "", strictSecret},
	{post, `/v1/vaults/[^/]+/policies`, "", strictPolicy},
	{get, `/v1/vaults/[^/]+/policies`, "policies.", strictPolicy},
	{put, `/v1/vaults/[^/]+/policies/.+`, "", strictPolicy},
	{post, `/v1/agents`, "", "agent* api_key"},
	{post, `/v1/agents`, "agent", strictAgent},
	{get, `/v1/agents`, "agents.", strictAgent},
	{get, `/v1/agents/[^/]{36}`, "", strictAgent},
	{patch, `/v1/agents/[^/]+`, "", strictAgent},
	{put, `/v1/agents/[^/]+`, "", strictAgent},
	{post, `/v1/agents/[^/]+/rotate-key`, "", "api_key*"},
	{post, `/v1/agents/[^/]+/rotate-identity-keys`, "", strictAgent},
	{post, `/v1/vaults/[^/]+/cmek`, "", strictVault},
	{remove, `/v1/vaults/[^/]+/cmek`, "", strictVault},
	{post, `/v1/vaults/[^/]+/cmek-rotate`, "", strictJob},
	{get, `/v1/vaults/[^/]+/cmek-rotate/[^/]+`, "", strictJob},
	{get, `/v1/auth/jwt-public-key`, "", "alg* public_key_base64*"},
	{get, `/v1/chains`, "chains.", strictChain},
	{get, `/v1/chains/[^/]+`, "", strictChain},
	{get, `/v1/admin/chains`, "chains.", strictChain},
	{post, `/v1/admin/chains`, "", strictChain},
	{put, `/v1/admin/chains/[^/]+`, "", strictChain},
	{post + " 201", `/v1/agents/[^/]+/transactions`, "", strictTx + " signed_tx*"},
	{post + " 200", `/v1/agents/[^/]+/transactions`, "", strictTx + " signed_tx*"},
	{post, `/v1/agents/[^/]+/transactions/sign`, "", strictSigned},
	{get, `/v1/agents/[^/]+/transactions`, "transactions.", strictTx},
	{get, `/v1/agents/[^/]+/transactions/[^/]+`, "", strictTx},
}

// strict holds every successful answer of every step to the members that
// strict readers know (T10), and lists to be there (T12).
func (a answered) strict(s step) {
	a.t.Helper()
	method := s.method
	if method == "" {
		method = get
	}
	url, _, _ := strings.Cut(s.url, "?")
	for _, r := range strictAnswers {
		if r.method != method && r.method != method+" "+strconv.Itoa(a.Code) || !regexp.MustCompile("^"+r.url+"$").MatchString(url) {
			continue
		}
		list, many := strings.CutSuffix(r.at, ".")
		if !many {
			a.members(r.at, r.members)
			continue
		}
		all, ok := a.value(list).([]any)
		if !ok {
			a.t.Errorf("%s %s: %s is no list in %s", method, url, list, a.Body)
		}
		for i := range all {
			a.members(list+"."+strconv.Itoa(i), r.members)
		}
	}
}

func (a answered) members(at, allowed string) {
	a.t.Helper()
	have := a.keys(at)
	var known []string
	for _, m := range strings.Fields(allowed) {
		name, required := strings.CutSuffix(m, "*")
		known = append(known, name)
		if required && !slices.Contains(have, name) {
			a.t.Errorf("%s has no %s: %s", at, name, a.Body)
		}
	}
	for _, name := range have {
		if !slices.Contains(known, name) {
			a.t.Errorf("%s has %s, which strict readers refuse", at, name)
		}
	}
}
