package detect

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Services that take what anybody sends them. Each is a pattern of its own where one
// is published.
var (
	tunnels = []string{"ngrok.io", "ngrok.app", "ngrok.dev", "ngrok-free.app", "ngrok-free.dev", "trycloudflare.com", "loca.lt", "localhost.run", "serveo.net", "pagekite.me", "lhr.life", "tunnelto.dev"}
	pastes  = []string{"pastebin.com", "paste.ee", "hastebin.com", "ghostbin.com", "termbin.com", "ix.io", "0x0.st", "transfer.sh", "file.io", "dpaste.com", "rentry.co", "controlc.com", "privatebin.net", "anonfiles.com"}
	catches = []string{"webhook.site", "requestbin.com", "requestbin.net", "pipedream.net", "burpcollaborator.net", "oastify.com", "interact.sh", "oast.fun", "oast.pro", "oast.live", "oast.site", "oast.me", "dnslog.cn", "ceye.io", "beeceptor.com", "hookbin.com", "canarytokens.com", "dnsbin.zhack.ca", "postb.in", "requestcatcher.com", "mockbin.org"}
)

// metadataNames are where machines ask their cloud who they are.
var metadataNames = []string{"metadata.google.internal", "metadata.azure.internal", "instance-data.ec2.internal"}

// ports that are known for what listens there after a break-in.
var ports = map[int]bool{1337: true, 4444: true, 4445: true, 5555: true, 6666: true, 6667: true, 9001: true, 9050: true, 12345: true, 31337: true, 54321: true}

// addresses looks at every URL of a text, and at names that the policy blocks.
func (r *reading) addresses(v place) {
	s := v.text
	for i := 0; r.roomy(); {
		k := strings.Index(s[i:], "://")
		if k < 0 {
			break
		}
		at := i + k
		start := at
		for start > 0 && at-start < 12 && (fold[s[start-1]] >= 'a' && fold[s[start-1]] <= 'z' || s[start-1] >= '0' && s[start-1] <= '9' || s[start-1] == '+') {
			start--
		}
		end := at + 3
		for end < len(s) && s[end] > ' ' && !strings.ContainsRune("\"'`<>|\\^{}", rune(s[end])) || end < len(s) && s[end] == '{' {
			end++
		}
		if start > 0 && s[start-1] == '(' { // a link of Markdown
			if n := strings.IndexByte(s[at:end], ')'); n >= 0 {
				end = at + n
			}
		}
		if start < at {
			r.url(v, start, at+3, end)
		}
		i = end
	}
	r.policy.domains.scan(v.lower, func(h hit) bool {
		if !wordByte(s, h.end) && !dotted(s, h.end) && (h.start == 0 || !wordByte(s, h.start-1) && s[h.start-1] != '-') {
			r.domain(v, string(v.lower[h.start:h.end]), h.start, h.end)
		}
		return r.roomy()
	})
}

// dotted reports whether the name goes on: example.com.evil.org is not example.com.
func dotted(s string, i int) bool { return i+1 < len(s) && s[i] == '.' && wordByte(s, i+1) }

// url looks at the URL from start to end, whose authority begins at host.
func (r *reading) url(v place, start, host, end int) {
	s := v.text
	authority := s[host:end]
	if k := strings.IndexAny(authority, "/?#\\"); k >= 0 {
		authority = authority[:k]
	}
	if k := strings.LastIndexByte(authority, '@'); k >= 0 {
		authority = authority[k+1:]
	}
	name, port := authority, ""
	if k := strings.LastIndexByte(authority, ':'); k > strings.LastIndexByte(authority, ']') {
		name, port = authority[:k], authority[k+1:]
	}
	name = strings.TrimRight(name, ".,;)")
	if name == "" {
		return
	}
	put := func(pattern string, sev Severity, score float64, why string) {
		r.add(v, Finding{Type: Network, Pattern: pattern, Severity: sev, Score: score, Why: why}, start, end)
	}
	if plain, err := url.PathUnescape(name); err == nil && plain != name {
		name = plain
		if listed := strings.ToLower(name); anyUnder(listed, tunnels) || anyUnder(listed, pastes) || anyUnder(listed, catches) || anyUnder(listed, r.policy.config.Network.BlockedDomains) {
			r.domain(v, listed, start, end)
		}
	}
	a := hostAddress(name)
	if at := strings.Index(s[host:end], name); v.index == 0 && at >= 0 { // digits in full width or in circles
		from, to := r.normal.Origin(host+at, host+at+len(name))
		a.odd = a.odd || r.text[from:to] != name
	}
	if f, ok := addressFinding(a); ok && browsed(s[start:host]) {
		put(f.Pattern, f.Severity, f.Score, f.Why)
	}
	if n, err := strconv.Atoi(port); err == nil && ports[n] {
		put("suspicious_port", Medium, 0.6, "the port is one that break-ins use")
	}
	if allowed := r.policy.config.Network.AllowedDomains; len(allowed) > 0 && !anyUnder(a.name, allowed) {
		put("domain_not_allowed", High, 1, "the policy does not list this domain")
	}
	r.carries(v, start, end, put)
}

// browsed reports whether the host of a scheme is one of the internet.
func browsed(scheme string) bool {
	for _, p := range []string{"http", "ftp", "ws", "gopher", "dict", "ldap", "tftp", "smb", "jar", "netdoc", "rmi"} {
		if strings.HasPrefix(strings.ToLower(scheme), p) {
			return true
		}
	}
	return false
}

// addressFinding says what is wrong with an address of digits. That of this machine
// is what every manual has, unless somebody took pains to write it otherwise.
func addressFinding(a address) (Finding, bool) {
	switch {
	case anyUnder(a.name, metadataNames):
		return Finding{Pattern: "metadata_service", Severity: High, Score: 0.8, Why: "the name is where clouds hand out credentials"}, true
	case !a.ip.IsValid():
		return Finding{}, false
	case a.ip == netip.AddrFrom4([4]byte{169, 254, 169, 254}) || a.ip == netip.AddrFrom4([4]byte{100, 100, 100, 200}) || a.name == "[fd00:ec2::254]":
		return Finding{Pattern: "metadata_service", Severity: High, Score: 0.8, Why: "the address is where clouds hand out credentials"}, true
	case a.odd:
		return Finding{Pattern: "ip_url", Severity: High, Score: 0.9, Why: "the address is an IP in a notation for hiding it"}, true
	case a.ip.IsLoopback() || a.ip.IsUnspecified():
		return Finding{}, false
	}
	return Finding{Pattern: "ip_url", Severity: Medium, Score: 0.5, Why: "the address is an IP"}, true
}

// domain reports a name of the lists.
func (r *reading) domain(v place, name string, start, end int) {
	allowed := r.policy.config.Network.AllowedDomains
	f := Finding{Type: Network, Severity: High, Score: 0.8}
	switch {
	case anyUnder(name, allowed):
		return
	case anyUnder(name, tunnels):
		f.Pattern, f.Why = "ngrok", "a tunnel to a machine that nobody knows"
	case anyUnder(name, pastes):
		f.Pattern, f.Why = "pastebin", "a place where anybody leaves text and files"
	case anyUnder(name, catches):
		f.Pattern, f.Why = "request_catcher", "a place that shows what is sent to it"
	default:
		f.Pattern, f.Why = "blocked_domain", "the policy blocks this domain"
	}
	r.add(v, f, start, end)
}

// carries finds URLs that take something along: placeholders for what the model
// knows, or a picture with data in its address.
func (r *reading) carries(v place, start, end int, put func(string, Severity, float64, string)) {
	s := v.text
	_, place, _ := strings.Cut(s[start:end], "://")
	_, query, _ := strings.Cut(place, "?")
	picture := pictureBefore(s, start)
	switch {
	case strings.IndexByte(place, '{') > 0 && namesContext(place[strings.IndexByte(place, '{'):]) && (picture || strings.HasSuffix(s[max(0, start-2):start], "](")):
		put("data_exfil", Critical, 0.8, "an address has a place for what was said")
	case query == "":
	case picture && constantBlank(query):
		put("data_exfil", Critical, 0.8, "the address of a picture has a place for data")
	case placeholder(query) && picture:
		put("data_exfil", Critical, 0.9, "an address has a place for what is to be sent to it")
	case picture && payloadIn(query):
		put("data_exfil", Critical, 0.8, "the address of a picture carries data")
	}
}

// pictureBefore reports whether a URL at i is that of a picture in Markdown or HTML,
// which is fetched without a click.
func pictureBefore(s string, i int) bool {
	before := s[max(0, i-80):i]
	if strings.HasSuffix(before, "](") {
		return strings.LastIndex(before, "![") > strings.LastIndex(before[:len(before)-2], "](")
	}
	return (strings.HasSuffix(before, `src="`) || strings.HasSuffix(before, `src='`) || strings.HasSuffix(before, "src=")) && strings.Contains(before, "<img")
}

// placeholder reports whether a query has a blank to fill: {data}, [SECRET], <text>,
// $(cmd), %s.
func placeholder(query string) bool {
	_, value, ok := strings.Cut(query, "=")
	if !ok || value == "" {
		return false
	}
	for _, p := range []string{"={", "=[", "=<", "=$(", "=${", "=`", "=%s", "=%7b", "=%5b", "=your", "=the_", "=insert"} {
		if strings.Contains(strings.ToLower(query), p) {
			return true
		}
	}
	return strings.HasSuffix(query, "=")
}

// secretName reports whether a query names what nobody should send.
func secretName(query string) bool {
	query = strings.ToLower(query)
	for _, n := range []string{"secret", "passw", "apikey", "api_key", "cookie", "credential", "conversation", "exfil", "stolen", "leak"} {
		if strings.Contains(query, n) {
			return true
		}
	}
	return false
}

// namesContext reports whether a blank is for what only the model knows.
func namesContext(blank string) bool {
	for _, n := range []string{"conversation", "chat_history", "chathistory", "chat_log", "chatlog", "system_prompt", "systemprompt", "user_data", "userdata", "secrets", "exfil", "stolen", "data"} {
		if i := strings.Index(strings.ToLower(blank), n); i >= 0 && i <= len("{{ encoded_") && (n != "data" || strings.TrimLeft(blank[:i], "{ $%") == "" && !wordByte(blank, i+len(n))) {
			return true
		}
	}
	return false
}

// constantBlank reports whether a query has a word in capitals where data is to be, such as
// SECRET_DATA.
func constantBlank(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		_, value, _ := strings.Cut(pair, "=")
		if len(value) < 8 || strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != "" {
			continue
		}
		for _, n := range []string{"DATA", "SECRET", "CONVERSATION", "PASSWORD", "HISTORY", "PROMPT"} {
			if strings.Contains(value, n) {
				return true
			}
		}
	}
	return false
}

// payloadIn reports whether a query holds a value that is long and no name: a
// sentence, or base64 of one.
func payloadIn(query string) bool {
	values, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	for name, vs := range values {
		for _, v := range vs {
			if strings.Count(v, " ") >= 3 || len(v) >= 64 && secretName(name+"=") {
				return true
			}
		}
	}
	return false
}

// exfilRules find data that is sent away by a command or on request.
func exfilRules() []rule {
	exfil := func(why, e string, near ...string) rule {
		return rule{typ: Network, pattern: "data_exfil", severity: Critical, score: 0.85, why: why, near: near, expr: expr(e)}
	}
	const away = `(?:https?://|ftp://|webhook|this\s+(?:url|endpoint|address|server)|[\w.+-]+@[\w-]+\.\w+)`
	const goods = `(?:pass\s?words?|api[\s_-]?keys?|secrets?|credentials?|private\s+keys?|seed\s+phrases?|access\s+tokens?|session\s+tokens?|cookies|environment\s+variables|env\s+vars?|\.env|ssh\s+keys?|conversation(?:\s+history)?|chat\s+(?:history|log)|system\s+prompt|(?:user|personal|private|sensitive|confidential)\s+(?:data|information|details|files|documents))`
	return []rule{
		exfil("a file of secrets is sent away", `\b(?:curl|wget|http|nc|ncat|scp|rsync|ftp|invoke-(?:webrequest|restmethod)|iwr|irm)\b[^\n]{0,160}(?:@|<\s*|--post-file[= ]|\$\((?:cat|env|printenv|base64)\s*|-infile\s+)["']?(?:~|/etc/|/root|/home|\$home|\.env|\S*(?:id_rsa|passwd|shadow|credentials|\.pem|\.ssh|\.aws|secrets?\b))`,
			"curl", "wget", "nc ", "ncat", "scp", "rsync", "invoke-webrequest", "invoke-restmethod", "iwr", "irm"),
		exfil("a file of keys is copied to another machine", `\b(?:scp|rsync|sftp)\b[^\n]{0,80}(?:~|\$home|/root|/home/[\w.-]+|/users/[\w.-]+)/\.(?:ssh|aws|gnupg|kube)/[^\n]{0,80}\s[\w.@-]+:`, "scp", "rsync", "sftp"),
		needing(exfil("the output of a command is sent away as a name", "\\b(?:nslookup|dig|host|ping|curl|wget)\\b[^\\n]{0,60}(?:\\$\\([^\\n)]{1,60}\\)|`[^\\n`]{1,60}`)\\.[\\w-]+\\.[a-z]", "nslookup", "dig ", "host ", "ping ", "curl", "wget"), []string{").", "`."}),
		needing(exfil("what a page keeps is sent away", `(?:fetch\(|\.src\s*=|location(?:\.href)?\s*=|sendbeacon\()[^\n]{0,120}(?:document\.cookie|localstorage|sessionstorage)`, "document.cookie", "localstorage", "sessionstorage"), []string{"fetch(", ".src", "location", "sendbeacon"}),
		exfil("the environment is sent away", `\b(?:env|printenv|set|history|cat\s+\S+)\b[^\n|]{0,60}\|\s*(?:base64[^\n|]{0,20}\|\s*)?(?:curl|wget|nc|ncat)\b`, "| curl", "|curl", "| wget", "|wget", "| nc", "|nc"),
		needing(exfil("secrets are to be sent to an address", `\b(?:send|post|upload|forward|transmit|exfiltrate|leak|e-?mail|submit|copy|append|report|deliver)\b.{0,60}\b`+goods+`.{0,80}\b(?:to|at|via|into|as\s+a\s+parameter)\b.{0,40}`+away,
			"password", "api key", "api-key", "api_key", "secret", "credential", "private key", "seed phrase", "token", "cookies", "environment variables", "env var", ".env", "ssh key", "conversation", "chat history", "chat log", "system prompt", "user data", "personal data", "personal information", "private data", "private information", "sensitive", "confidential"),
			[]string{"send", "post", "upload", "forward", "transmit", "exfil", "leak", "mail", "submit", "copy", "append", "report", "deliver"}, []string{"://", "webhook", "@", "this url", "endpoint", "this address", "this server"}),
		needing(exfil("an address is to be made of what the assistant knows", `(?:!\[[^\]]{0,80}\]\(|<img\b[^>]{0,80}src=|\b(?:render|display|include|insert|append|add|show|fetch|visit|open|load|request)\b.{0,80})https?://\S{0,120}\?\S{0,60}=\S{0,8}.{0,100}\b(?:replace|substitut|encod|fill|append|insert|with\s+the\s+(?:user|content|conversation|summary|value)|url-?encoded)`,
			"={", "=[", "=<", "=%7b", "url-encode", "url encode", "urlencode", "query parameter", "query string", "replac", "substitut"), []string{"http"}, []string{"?"}, []string{"replac", "substitut", "encod", "fill", "append", "insert", "with"}),
	}
}
