package secret

import "strings"

// Formats without a prefix: they are found by what is inside them.

// discord looks for tokens of Discord at their dots: the number of the account in base64, six
// characters, and 27 or more.
func (s *scan) discord() {
	t := s.text
	for i := 0; ; {
		n := strings.IndexByte(t[i:], '.')
		if n < 0 {
			return
		}
		i += n + 1
		if i+7 >= len(t) || t[i+6] != '.' || i < 24 {
			continue
		}
		start := i - 1
		for start > 0 && i-start < 32 && base64url(t[start-1]) {
			start--
		}
		_, end := run(t, i+7, base64url, 64)
		account := t[start : i-1]
		if n := len(account); n < 22 || n > 30 || strings.IndexByte("MNO", account[0]) < 0 || end-i-7 < 27 || strings.Contains(t[i:i+6], "-.") {
			continue
		}
		if _, stamp := run(t, i, base64url, 6); stamp == i+6 && drawn(t[start:end]) {
			s.report(Match{Rule: "discord-token", Start: start, End: end, Severity: Critical, Score: 0.93, Why: "it has the three parts of a bot's token"})
		}
	}
}

// facebook looks for tokens of applications at the sign between their number and what follows.
func (s *scan) facebook() {
	t := s.text
	for i := 0; ; i++ {
		n := strings.IndexByte(t[i:], '|')
		if n < 0 {
			return
		}
		i += n
		start := i
		for start > 0 && i-start < 18 && digit(t[start-1]) {
			start--
		}
		if i-start < 14 || i-start > 17 {
			continue
		}
		if _, end := run(t, i+1, base64url, 48); end-i-1 >= 26 && end-i-1 <= 42 && drawn(t[i+1:end]) {
			s.report(Match{Rule: "facebook-app-token", Start: start, End: end, Severity: Critical, Score: 0.9, Why: "it is the number of an application and its secret"})
		}
	}
}

// mailchimp looks for a key before the name of its data centre.
func (s *scan) mailchimp(at int) {
	t := s.text
	_, end := run(t, at+len("-us"), digit, 3)
	if start := at - 32; start >= 0 && end > at+3 && end-at < 6 && begins(t, start) && all(t[start:at], lowhex) && drawn(t[start:at]) {
		s.report(Match{Rule: "mailchimp-key", Start: start, End: end, Severity: Critical, Score: 0.95, Why: "it is 32 hex digits and the name of a data centre"})
	}
}

// twilio looks for the identifier of a key.
func (s *scan) twilio(at int) {
	t := s.text
	if end := at + 34; end <= len(t) && t[at] == 'S' && t[at+1] == 'K' && begins(t, at) && all(t[at+2:end], lowhex) && (end == len(t) || !alnum(t[end])) && drawn(t[at+2:end]) {
		s.report(Match{Rule: "twilio-key", Start: at, End: end, Severity: Critical, Score: 0.93, Why: "it is SK and 32 hex digits"})
	}
}

// newrelic looks for a licence key before its ending.
func (s *scan) newrelic(at int) {
	t := s.text
	start := at - 36
	if start >= 0 && strings.HasPrefix(t[at:], "NRAL") && begins(t, start) && all(t[start+6:at], lowhex) && drawn(t[start:at]) {
		s.report(Match{Rule: "newrelic-key", Start: start, End: at + 4, Severity: Critical, Score: 0.95, Why: "it has the length and ending of a licence key"})
	}
}

// ntlm looks for an answer to a challenge, which a password can be found from.
func (s *scan) ntlm(at int) {
	if start, end := run(s.text, at, base64any, 2048); end-start >= 80 {
		s.report(Match{Rule: "ntlm-response", Start: start, End: end, Severity: High, Score: 0.9, Why: "it is an answer to an NTLM challenge"})
	}
}

// terraformToken looks for the token of a workspace around the mark in it.
func (s *scan) terraformToken(at int) {
	t := s.text
	start := at
	for start > 0 && at-start < 16 && base62(t[start-1]) {
		start--
	}
	_, end := run(t, at+len(".atlasv1."), base64url, 72)
	if n := end - at - len(".atlasv1."); at-start == 14 && n >= 60 && n <= 70 && drawn(t[start:end]) {
		s.report(Match{Rule: "terraform-token", Start: start, End: end, Severity: Critical, Score: 0.97, Why: "it has the mark and length of this issuer's tokens"})
	}
}

// firebase looks for the key of a server that sends messages.
func (s *scan) firebase(at int) {
	t := s.text
	_, end := run(t, at+1, base64url, 160)
	if start := at - 11; start >= 0 && begins(t, start) && strings.HasPrefix(t[start:], "AAAA") && strings.HasPrefix(t[at:], ":APA91b") && end-at-1 >= 130 {
		s.report(Match{Rule: "firebase-key", Start: start, End: end, Severity: Critical, Score: 0.95, Why: "it has the two parts of a server's key"})
	}
}

// asana looks for a token: numbers, and 32 hex digits after a colon.
func (s *scan) asana(at int) {
	t := s.text
	_, i := run(t, at+2, func(c byte) bool { return digit(c) || c == '/' }, 40)
	_, end := run(t, i+1, lowhex, 33)
	if i >= at+14 && i < len(t) && t[i] == ':' && end-i == 33 && begins(t, at) && (end == len(t) || !alnum(t[end])) && drawn(t[i+1:end]) {
		s.report(Match{Rule: "asana-token", Start: at, End: end, Severity: Critical, Score: 0.95, Why: "it is the number of an account and 32 hex digits"})
	}
}

// fly looks for a token, which may have several parts.
func (s *scan) fly(at int) {
	t := s.text
	_, end := run(t, at+len("flyv1 "), func(c byte) bool { return base64any(c) || c == ',' }, 4096)
	if s.spend(end-at) && end-at > 80 && strings.HasPrefix(t[at:], "FlyV1 ") {
		s.report(Match{Rule: "flyio-token", Start: at, End: end, Severity: Critical, Score: 0.97, Why: "it has the mark and form of this issuer's tokens"})
	}
}

// hook looks for an address that takes messages from whoever knows it.
func (s *scan) hook(at int) {
	t := s.text
	start := schemeBefore(t, at)
	_, end := run(t, at, func(c byte) bool { return base64any(c) || strings.IndexByte(".@?&%:", c) >= 0 }, 400)
	for end > at && strings.IndexByte(".?&:", t[end-1]) >= 0 {
		end--
	}
	if v := t[start:end]; start < at && s.spend(len(v)) && shapeOf(v).digits > 6 && (!strings.Contains(v, "logic.azure") || strings.Contains(v, "sig=")) && !strings.Contains(strings.ToLower(v), "xxxx") {
		s.report(Match{Rule: "webhook", Start: start, End: end, Severity: High, Score: 0.96, Why: "it is an address that takes messages from whoever knows it"})
	}
}

func all(v string, in alphabet) bool {
	for i := range len(v) {
		if !in(v[i]) {
			return false
		}
	}
	return v != ""
}

// azure looks for keys of Azure around the mark that the newer ones have in them.
func (s *scan) azure(at int) {
	t := s.text
	start := at
	for start > 0 && at-start < 80 && base64any(t[start-1]) && t[start-1] != '=' {
		start--
	}
	_, end := run(t, at, base64any, 80)
	if n := end - start; s.spend(n) && n >= 52 && n <= 90 && drawn(t[start:end]) {
		s.report(Match{Rule: "azure-key", Start: start, End: end, Severity: Critical, Score: 0.93, Why: "it has the mark and length of a key of Azure"})
	}
}

// unnamed looks at what stands in quotes after an operator, whatever its name: long and mixed
// as only drawn values are.
func (s *scan) unnamed(at int) {
	t := s.text
	start := at + strings.IndexAny(t[at:], "\"'") + 1
	end := start
	for end < len(t) && end-start < 120 && base64url(t[end]) {
		end++
	}
	if end-start < 24 || end-start >= 120 || end >= len(t) || t[end] != t[start-1] && t[end] != '=' && t[end] != '\\' {
		return
	}
	name := at
	for name > 0 && at-name < longestName && strings.IndexByte(" \t\"'`])", t[name-1]) >= 0 {
		name--
	}
	first := name
	for first > 0 && name-first < longestName && nameByte(t, first-1) {
		first--
	}
	if v := t[start:end]; mostlyDrawn(v) && !publicName(strings.ToLower(t[first:name])) {
		s.report(Match{Rule: "random-value", Start: start, End: end, Severity: Medium, Score: 0.55, Why: "a long value that looks drawn is assigned to a name"})
	}
}

// mostlyDrawn is random with little doubt: three classes of characters, well mixed.
func mostlyDrawn(v string) bool {
	s := shapeOf(v)
	return s.lower >= 4 && s.upper >= 4 && s.digits >= 2 && s.turns*5 >= s.n*2 && s.common*100 < s.pairs*58 && s.different >= 14 && random(v)
}

// publicName says whether a name is of what is drawn and no secret.
func publicName(called string) bool {
	for _, n := range []string{"id", "hash", "sha", "sha1", "sha256", "sha512", "md5", "digest", "integrity", "checksum", "sum", "nonce", "etag", "commit", "public", "public_key", "pub", "pubkey", "publickey", "cert", "certificate", "signature", "sig", "fingerprint", "url", "src", "href", "data", "image", "content", "body", "expected", "want", "uuid", "guid", "cid", "address", "tx", "txid", "cursor", "ref", "rev", "revision", "thumbprint", "x", "y", "n", "e", "kid", "video", "slug", "name", "file", "path", "module"} {
		if called == n || strings.HasSuffix(called, "_"+n) || strings.HasSuffix(called, "-"+n) || strings.HasSuffix(called, "."+n) {
			return true
		}
	}
	return strings.HasSuffix(called, "id") || strings.HasSuffix(called, "hash")
}

// alone looks at a text that is one word: somebody pasted it by itself.
func (s *scan) alone() {
	v := strings.TrimSpace(s.text)
	if len(v) < 20 || len(v) > 200 || strings.ContainsAny(v, " \t\r\n") || len(s.out) > 0 || !all(v, dottedAny) || strings.HasPrefix(v, "/") || strings.Count(v, ".") > 2 || strings.Contains(strings.TrimRight(v, "="), "=") || strings.HasPrefix(v, "sha") {
		return
	}
	if mostlyDrawn(strings.TrimRight(v, "=")) && !legible(v) && !walletLike(v) {
		start := strings.Index(s.text, v)
		s.report(Match{Rule: "random-text", Start: start, End: start + len(v), Severity: Medium, Score: 0.5, Why: "the whole text is one value that looks drawn"})
	}
}

// legible says whether v is the base64 of a text.
func legible(v string) bool {
	b := decoded(v)
	plain := 0
	for _, c := range b {
		if c >= ' ' && c <= '~' || c == '\n' {
			plain++
		}
	}
	return len(b) > 0 && plain*10 >= len(b)*9
}

// walletLike says whether v has the length and alphabet of the addresses of wallets.
func walletLike(v string) bool {
	return len(v) <= 44 && all(v, base62) && !strings.ContainsAny(v, "0OIl")
}
