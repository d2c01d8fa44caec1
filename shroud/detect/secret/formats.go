package secret

import "strings"

// format is what an issuer's tokens look like: a prefix, and a number of
// characters of an alphabet.
type format struct {
	rule     string
	prefix   string
	alphabet alphabet
	min, max int
}

// alphabet is a set of characters.
type alphabet func(c byte) bool

func base62(c byte) bool    { return alnum(c) }
func base64url(c byte) bool { return alnum(c) || c == '_' || c == '-' }
func dotted(c byte) bool    { return base64url(c) || c == '.' }
func base64any(c byte) bool { return base64url(c) || c == '+' || c == '/' || c == '=' }
func dashedHex(c byte) bool { return lowhex(c) || c == '-' }
func lowhex(c byte) bool    { return digit(c) || c >= 'a' && c <= 'f' }
func upper32(c byte) bool   { return digit(c) || c-'A' < 26 }
func low36(c byte) bool     { return digit(c) || c-'a' < 26 }

// formats are those that gitleaks lacks or takes more narrowly than their issuers do.
var formats = []format{
	// Models
	{"openai-key", "sk-proj-", base64url, 40, 200}, {"openai-key", "sk-svcacct-", base64url, 40, 200},
	{"openai-key", "sk-admin-", base64url, 40, 200}, {"openai-key", "sess-", base62, 40, 40},
	{"anthropic-key", "sk-ant-", base64url, 60, 160}, {"openrouter-key", "sk-or-v1-", lowhex, 64, 64},
	{"langfuse-key", "sk-lf-", base64url, 36, 36}, {"helicone-key", "sk-helicone-", base64url, 20, 60},
	{"api-key-sk", "sk-", base62, 20, 64}, {"huggingface-token", "hf_", base62, 30, 40}, {"huggingface-token", "api_org_", base62, 30, 40},
	{"groq-key", "gsk_", base62, 40, 60}, {"xai-key", "xai-", base62, 60, 100}, {"perplexity-key", "pplx-", base62, 40, 64},
	{"replicate-token", "r8_", base62, 32, 44}, {"nvidia-key", "nvapi-", base64url, 50, 90}, {"fireworks-key", "fw_", base62, 20, 28},
	{"langsmith-key", "lsv2_pt_", base64url, 32, 60}, {"langsmith-key", "lsv2_sk_", base64url, 32, 60}, {"pinecone-key", "pcsk_", base64url, 40, 90},
	{"elevenlabs-key", "sk_", lowhex, 48, 48}, {"tavily-key", "tvly-", base64url, 28, 60}, {"voyage-key", "pa-", base64url, 40, 60},
	{"llamaindex-key", "llx-", base64url, 40, 60}, {"together-key", "tgp_v1_", base64url, 40, 50}, {"jina-key", "jina_", base64url, 50, 80}, {"firecrawl-key", "fc-", lowhex, 32, 32}, {"e2b-key", "e2b_", lowhex, 40, 40},
	{"google-oauth-secret", "GOCSPX-", base64url, 24, 32},
	{"google-oauth-token", "ya29.", dotted, 40, 2048}, {"google-refresh-token", "1//0", base64url, 40, 200}, {"gcp-express-key", "AQ.Ab8", base64url, 40, 80},
	// This product and its kind
	{"1claw-agent-key", "ocv_", base64url, 20, 128}, {"1claw-key", "1ck_", base64url, 20, 128},
	{"vault-token", "hvs.", base64url, 20, 300}, {"vault-token", "hvr.", base64url, 20, 300}, {"vault-token", "hvb.", base64url, 60, 400},
	{"vault-token", "s.", base62, 24, 24}, {"doppler-token", "dp.st.", dotted, 40, 80}, {"doppler-token", "dp.sa.", base62, 40, 44}, {"doppler-token", "dp.pt.", base62, 40, 44},
	{"doppler-token", "dp.ct.", base62, 40, 44}, {"doppler-token", "dp.scim.", base62, 40, 44}, {"doppler-token", "dp.audit.", base62, 40, 44},
	{"infisical-token", "st.", dotted, 60, 120}, {"1password-connect", "ops_", base64any, 100, 2048},
	{"age-secret-key", "AGE-SECRET-KEY-", upper32, 58, 64}, {"age-plugin-key", "AGE-PLUGIN-", func(c byte) bool { return upper32(c) || c == '-' }, 40, 300},
	// Code
	{"github-token", "ghp_", base62, 36, 36}, {"github-token", "gho_", base62, 36, 36}, {"github-token", "ghu_", base62, 36, 36},
	{"github-token", "ghs_", base62, 36, 36}, {"github-token", "ghr_", base62, 36, 76}, {"github-fine-grained", "github_pat_", base64url, 70, 90},
	{"gitea-token", "gto_", base62, 36, 60}, {"npm-token", "npm_", base62, 36, 36}, {"pypi-token", "pypi-AgE", base64url, 50, 1000}, {"crates-token", "cio", base62, 32, 32},
	{"rubygems-key", "rubygems_", lowhex, 48, 48}, {"nuget-key", "oy2", low36, 43, 43}, {"docker-token", "dckr_pat_", base64url, 24, 40},
	{"docker-token", "dckr_oat_", base64url, 24, 40}, {"gitlab-token", "glpat-", dotted, 20, 320}, {"gitlab-token", "gldt-", dotted, 20, 320},
	{"gitlab-token", "glrt-", dotted, 20, 320}, {"gitlab-token", "glrtr-", dotted, 20, 320}, {"gitlab-token", "glptt-", base64url, 40, 40}, {"gitlab-token", "glft-", base64url, 20, 64},
	{"gitlab-token", "glimt-", base64url, 20, 64}, {"gitlab-token", "glagent-", base64url, 50, 1024}, {"gitlab-token", "gloas-", base64url, 64, 64},
	{"gitlab-token", "glsoat-", base64url, 20, 64}, {"gitlab-token", "glffct-", base64url, 20, 64}, {"gitlab-token", "glwt-", base64url, 20, 64},
	{"gitlab-token", "glcbt-", base64url, 20, 80}, {"gitlab-token", "GR1348941", base64url, 20, 50}, {"bitbucket-token", "BBDC-", base64any, 40, 48}, {"docker-swarm-key", "SWMKEY-1-", base62, 40, 50}, {"docker-swarm-token", "SWMTKN-1-", base64url, 70, 90}, {"postman-key", "PMAT-", upper32, 26, 26}, {"bitbucket-token", "ATBB", base62, 24, 40},
	{"bitbucket-token", "ATCTT3xFfG", base64any, 100, 300}, {"atlassian-token", "ATATT3xFfG", base64any, 100, 300}, {"circleci-token", "CCIPAT_", base64url, 40, 80},
	{"circleci-token", "CCIPRJ_", base64url, 40, 80}, {"buildkite-token", "bkua_", lowhex, 40, 40}, {"sonar-token", "squ_", lowhex, 40, 40}, {"sonar-token", "sqp_", lowhex, 40, 40},
	{"sonar-token", "sqa_", lowhex, 40, 40}, {"artifactory-key", "AKCp", base62, 10, 80}, {"artifactory-key", "cmVmdGtuO", base62, 40, 80},
	{"sourcegraph-token", "sgp_", base64url, 40, 64}, {"sourcegraph-token", "slk_", lowhex, 64, 64}, {"pulumi-token", "pul-", lowhex, 40, 40},
	{"postman-key", "PMAK-", base64url, 50, 70}, {"snyk-token", "snyk_uat.", dotted, 30, 90}, {"terraform-token", "atlasv1.", base64url, 60, 70},
	{"jetbrains-token", "perm:", dotted, 40, 120}, {"launchdarkly-key", "sdk-", base64url, 36, 36},
	{"launchdarkly-key", "api-", dashedHex, 36, 36}, {"launchdarkly-key", "mob-", dashedHex, 36, 36}, {"wandb-key", "wandb_v1_", base64url, 70, 90},
	// Clouds
	{"aws-access-key", "AKIA", upper32, 16, 16}, {"aws-access-key", "ASIA", upper32, 16, 16}, {"aws-access-key", "ABIA", upper32, 16, 16}, {"aws-access-key", "ACCA", upper32, 16, 16},
	{"aws-session-token", "IQoJb3JpZ2lu", base64any, 100, 2048}, {"aws-session-token", "FwoGZXIvYXdz", base64any, 100, 2048},
	{"azure-sas", "sig=", func(c byte) bool { return base64any(c) || c == '%' }, 43, 64}, {"discord-webhook", "discord.com/api/webhooks/", func(c byte) bool { return base64url(c) || c == '/' }, 80, 100},
	{"discord-webhook", "discordapp.com/api/webhooks/", func(c byte) bool { return base64url(c) || c == '/' }, 80, 100},
	{"aws-bedrock-key", "bedrock-api-key-", base64any, 24, 2048}, {"aws-bedrock-key", "ABSK", base64any, 100, 280}, {"digitalocean-token", "dop_v1_", lowhex, 64, 64}, {"digitalocean-token", "doo_v1_", lowhex, 64, 64},
	{"digitalocean-token", "dor_v1_", lowhex, 64, 64}, {"cloudflare-token", "cfk_", base62, 38, 60}, {"cloudflare-token", "cfut_", base62, 38, 60},
	{"cloudflare-token", "cfat_", base62, 38, 60}, {"alibaba-key", "LTAI", base62, 12, 30}, {"tencent-key", "AKID", base62, 32, 40}, {"yandex-key", "AQVN", base64url, 35, 40},
	{"yandex-token", "t1.", base64any, 80, 300}, {"yandex-oauth", "y0_", base64url, 50, 70}, {"ibm-key", "ApiKey-", base64url, 30, 60}, {"heroku-key", "HRKU-", base64url, 36, 70}, {"netlify-token", "nfp_", base62, 36, 44},
	{"vercel-token", "vcp_", base62, 24, 80}, {"flyio-token", "fo1_", base64url, 40, 60}, {"supabase-key", "sbp_", lowhex, 40, 40}, {"supabase-key", "sbp_v0_", lowhex, 40, 40},
	{"supabase-key", "sb_secret_", base64url, 24, 60}, {"planetscale-token", "pscale_tkn_", dotted, 32, 64}, {"planetscale-token", "pscale_pw_", dotted, 32, 64}, {"neon-key", "napi_", base62, 40, 80},
	{"databricks-token", "dapi", lowhex, 32, 34}, {"databricks-token", "dkea", lowhex, 32, 32}, {"tailscale-key", "tskey-", base64url, 20, 100}, {"render-key", "rnd_", base62, 28, 40}, {"deno-token", "ddp_", base62, 36, 40},
	{"scaleway-key", "SCW", upper32, 17, 17}, {"oracle-key", "ocid1.credential.", dotted, 40, 200}, {"openshift-token", "sha256~", base64url, 43, 43},
	{"aiven-token", "AVNS_", base64url, 16, 40}, {"fastly-key", "fastly_", base64url, 32, 40},
	// Watching
	{"newrelic-key", "NRAK-", upper32, 27, 27}, {"newrelic-key", "NRII-", base64url, 32, 32}, {"newrelic-key", "NRJS-", lowhex, 19, 19}, {"newrelic-key", "NRBR-", lowhex, 19, 19},
	{"newrelic-key", "NRRA-", lowhex, 42, 42}, {"grafana-token", "glsa_", base64url, 41, 41}, {"grafana-token", "glc_", base64any, 32, 400}, {"sentry-token", "sntrys_", base64any, 60, 400},
	{"sentry-token", "sntryu_", lowhex, 64, 64}, {"honeycomb-key", "hcaik_", low36, 58, 58}, {"logfire-token", "pylf_v1_", base64url, 40, 80}, {"dynatrace-token", "dt0c01.", dotted, 80, 96}, {"dynatrace-token", "dt0s16.", dotted, 80, 96},
	{"dynatrace-token", "dt0s01.", dotted, 80, 96}, {"posthog-key", "phx_", base62, 40, 52}, {"checkly-key", "cu_", lowhex, 32, 32}, {"opsgenie-key", "ogk_", base62, 30, 60},
	// Money
	{"stripe-key", "sk_live_", base62, 10, 120}, {"stripe-key", "sk_test_", base62, 10, 120}, {"stripe-key", "rk_live_", base62, 10, 120}, {"stripe-key", "rk_test_", base62, 10, 120},
	{"stripe-webhook", "whsec_", base64any, 24, 80}, {"square-secret", "sq0csp-", base64url, 40, 44}, {"square-token", "sq0atp-", base64url, 22, 22}, {"square-token", "EAAA", base64url, 56, 62},
	{"shopify-token", "shpat_", hexDigit, 32, 32}, {"shopify-token", "shpca_", hexDigit, 32, 32}, {"shopify-token", "shppa_", hexDigit, 32, 32}, {"shopify-token", "shpss_", hexDigit, 32, 32}, {"shopify-token", "shprt_", hexDigit, 32, 32},
	{"plaid-token", "access-production-", base64url, 36, 36}, {"plaid-token", "access-sandbox-", base64url, 36, 36}, {"plaid-token", "access-development-", base64url, 36, 36},
	{"paypal-braintree", "access_token$production$", func(c byte) bool { return low36(c) || c == '$' }, 48, 60}, {"adyen-key", "AQE", base64any, 100, 400}, {"flutterwave-key", "FLWSECK-", base64url, 32, 40},
	{"paystack-key", "sk_live_", low36, 40, 40}, {"razorpay-key", "rzp_live_", base62, 14, 14}, {"razorpay-key", "rzp_test_", base62, 14, 14}, {"stytch-secret", "secret-live-", base64any, 36, 40}, {"stytch-secret", "secret-test-", base64any, 36, 40},
	{"gocardless-token", "live_", base64url, 40, 40}, {"lob-key", "live_", lowhex, 35, 35}, {"wise-key", "wise_", base64url, 30, 60},
	{"wallet-key", "xprv", base62, 107, 108}, {"wallet-key", "yprv", base62, 107, 108}, {"wallet-key", "zprv", base62, 107, 108}, {"wallet-key", "tprv", base62, 107, 108},
	// Messages and mail
	{"slack-token", "xoxb-", base64url, 20, 120}, {"slack-token", "xoxp-", base64url, 50, 260}, {"slack-token", "xoxa-", base64url, 20, 120}, {"slack-token", "xoxr-", base64url, 20, 120},
	{"slack-token", "xoxs-", base64url, 20, 120}, {"slack-token", "xoxc-", base64url, 20, 160}, {"slack-token", "xoxd-", func(c byte) bool { return base64any(c) || c == '%' }, 40, 300}, {"slack-token", "xoxe.xoxp-", base64url, 100, 200}, {"slack-token", "xoxe.xoxb-", base64url, 100, 200},
	{"slack-token", "xoxe-", base64url, 100, 200}, {"slack-token", "xapp-", base64url, 40, 160}, {"sendgrid-key", "SG.", dotted, 60, 70}, {"brevo-key", "xkeysib-", base64url, 70, 90}, {"brevo-key", "xsmtpsib-", base64url, 70, 90},
	{"mailgun-key", "key-", lowhex, 32, 32}, {"resend-key", "re_", base64url, 30, 40}, {"mailersend-key", "mlsn.", lowhex, 64, 64}, {"onesignal-key", "os_v2_app_", low36, 90, 120},
	{"facebook-token", "EAA", base62, 90, 300}, {"instagram-token", "IGQV", base64url, 100, 300}, {"twitter-bearer", "AAAAAAAAAAAAAAAAAAAAA", func(c byte) bool { return base64any(c) || c == '%' }, 60, 160},
	{"line-token", "eyJhbGciOiJIUzI1NiJ9.", dotted, 80, 600},
	// Offices
	{"clickup-token", "pk_", func(c byte) bool { return upper32(c) || digit(c) || c == '_' }, 39, 44},
	{"notion-token", "ntn_", base62, 40, 52}, {"notion-token", "secret_", base62, 43, 43}, {"linear-key", "lin_api_", base62, 40, 40}, {"linear-key", "lin_oauth_", base62, 40, 64}, {"figma-token", "figd_", base64url, 36, 52},
	{"figma-token", "figo_", base64url, 36, 52}, {"figma-token", "figu_", base64url, 36, 52}, {"airtable-token", "pat", dotted, 79, 79}, {"dropbox-token", "sl.", base64url, 100, 1400}, {"hubspot-token", "pat-na1-", base64url, 36, 36},
	{"hubspot-token", "pat-eu1-", base64url, 36, 36}, {"contentful-token", "CFPAT-", base64url, 43, 43}, {"typeform-token", "tfp_", base64any, 40, 60},
	{"mapbox-token", "sk.eyJ", dotted, 60, 200}, {"readme-key", "rdme_", base62, 60, 75}, {"algolia-key", "algolia_", base64url, 32, 60}, {"adafruit-key", "aio_", base62, 28, 28}, {"amplitude-key", "amp_", lowhex, 32, 32},
	{"prefect-key", "pnu_", base62, 36, 36}, {"prefect-key", "pnb_", base62, 36, 36}, {"zuplo-key", "zpka_", base64url, 40, 60}, {"nkey", "dnkey-", base64url, 50, 90}, {"intercom-token", "dG9rO", base64any, 50, 70}, {"easypost-key", "EZAK", base62, 54, 54}, {"easypost-key", "EZTK", base62, 54, 54},
	{"wakatime-key", "waka_", base64url, 36, 36}, {"ubidots-token", "BBFF-", base62, 30, 34}, {"thunderstore-token", "tss_", base62, 28, 40}, {"rootly-key", "rootly_", lowhex, 64, 64}, {"apify-token", "apify_api_", base62, 30, 46}, {"doubao-key", "ark-", base64url, 36, 48},
}

// at tries the format at its prefix.
func (f format) at(s *scan, at int) {
	t := s.text
	if !strings.HasPrefix(t[at:], f.prefix) || !begins(t, at) {
		return
	}
	start := at + len(f.prefix)
	end := start
	for end < len(t) && end-start <= f.max && f.alphabet(t[end]) {
		end++
	}
	n := end - start
	if n < f.min || !s.spend(n) {
		return
	}
	for n > f.min && (t[start+n-1] == '.' || t[start+n-1] == '_' && at > 0 && t[at-1] == '_' || t[start+n-1] == '-' && at > 0 && t[at-1] == '-') {
		n--
	}
	body := t[start : start+n]
	if n < f.min || n > f.max || start+n < len(t) && alnum(t[start+n]) || !drawn(body) {
		return
	}
	if f.prefix == "sig=" {
		at = start
	} else if strings.HasSuffix(f.rule, "webhook") {
		at = schemeBefore(t, at)
	}
	m := Match{Rule: f.rule, Start: at, End: start + n, Severity: Critical, Score: 0.95, Why: "it has the prefix, alphabet and length of this issuer's tokens"}
	if len(f.prefix) < 4 || f.rule == "api-key-sk" {
		m.Score = 0.8
	}
	if checked, ok := checksum(f.rule, t[at:start+n]); checked {
		if m.Score = 0.9; ok {
			m.Score, m.Why = 0.99, "it has the prefix and the checksum of this issuer's tokens"
		}
	}
	s.report(m)
}

// schemeBefore is where the URL begins whose host has a part at i.
func schemeBefore(t string, i int) int {
	start := i
	for start > 0 && i-start < 64 && (base64url(t[start-1]) || t[start-1] == '.') {
		start--
	}
	if strings.HasSuffix(t[:start], "https://") {
		return start - len("https://")
	}
	return i
}

// begins says whether a word can begin at i of t: after no letter, digit or underscore, but for the
// end of a colour of terminals and an escaped line break.
func begins(t string, i int) bool {
	if i == 0 || !alnum(t[i-1]) && t[i-1] != '_' {
		return true
	}
	if i > 1 && t[i-2] == '\\' && (t[i-1] == 'n' || t[i-1] == 't' || t[i-1] == 'r') {
		return true
	}
	k := i - 1
	for k > 0 && i-k < 12 && (digit(t[k-1]) || t[k-1] == ';') {
		k--
	}
	return t[i-1] == 'm' && k > 1 && t[k-1] == '[' && t[k-2] == 0x1b
}

// drawn says whether the body of a token can be one: it is no placeholder, and not of few
// characters.
func drawn(v string) bool {
	if placeholder(v) {
		return false
	}
	s := shapeOf(v)
	if s.longest > 6 || s.steps*2 > s.n || s.different*4 < min(s.n, 32) {
		return false
	}
	return s.digits > 0 || s.upper > 0 && s.lower > 0 && !s.wordy()
}
