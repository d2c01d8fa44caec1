package secret

import "strings"

// name is a word that says of what has it in its name that it is a credential.
type name struct {
	word string
	kind kind
}

// kind is how much of its value a name leaves to be shown.
type kind uint8

const (
	password kind = iota // chosen by people, as often as not
	token                // drawn
	key                  // drawn, and the name means other things too
)

var names = []name{
	{"password", password}, {"passwd", password}, {"passphrase", password}, {"passwort", password}, {"contrase", password}, {"senha", password},
	{"mot de passe", password}, {"motdepasse", password}, {"kennwort", password}, {"пароль", password}, {"密码", password}, {"パスワード", password}, {"비밀번호", password},
	{"pwd", password}, {"pass", password}, {"psw", password}, {"-pw ", password},
	{"secret", token}, {"token", token}, {"bearer", token}, {"credential", token}, {"creds", token}, {"auth", token},
	{"_srt", token}, {"cookie", token}, {"session", token}, {"signature", key}, {"webhook", key}, {"_pat", token}, {"salt", key}, {"pepper", key},
	{"nonce", key}, {"key", key}, {"api", key}, {"hook", key}, {"client", key}, {"access", key}, {"private", key}, {"mnemonic", key},
}

// notSecret are the endings of names that are about a credential and are none, and of words
// that only have one of the names in them.
var notSecret = []string{
	"url", "uri", "file", "filename", "path", "dir", "name", "names", "id", "ids", "type", "types", "length", "len", "size", "count", "limit", "expiry",
	"expires", "expiration", "ttl", "policy", "field", "label", "placeholder", "hint", "prompt", "error", "reset", "endpoint", "param", "params", "format", "algorithm",
	"alg", "version", "enabled", "required", "ring", "board", "word", "words", "stroke", "frame", "store", "chain", "code", "map", "usage", "manager", "provider", "class",
	"service", "rotation", "group", "regex", "pattern", "validator", "strength", "event", "press", "note", "ize", "izer", "hash", "fingerprint", "checksum", "digest",
	"method", "mode", "scheme", "host", "port", "domain", "version", "email", "user", "username", "age", "at", "date", "time", "timeout", "prefix", "suffix", "header", "ref", "arn", "public", "pub", "list", "set", "index", "server", "scope", "status", "title", "description", "sha", "commit", "etag", "cursor", "uid", "address", "input", "nr", "no", "num", "number", "port", "ports", "able", "es", "ed", "ing", "ive", "ant", "able", "ible", "or", "ors", "ority", "ion", "ary", "tech",
}

// notKeys are what stands before key or token where it is no credential.
var notKeys = []string{
	"public", "pub", "primary", "foreign", "sort", "partition", "cache", "object", "row", "group", "hot", "next", "page", "continuation", "cursor", "sync", "eos", "bos", "pad", "unk",
	"mask", "sep", "dict", "map", "route", "query", "event", "idempotency", "s3", "registry", "publishable", "site", "host", "known", "storage", "csrf", "xsrf", "translation", "unique", "composite", "bypass", "compass", "tool", "websocket", "secwebsocket", "verify", "verification", "signing_public", "recipient", "peer", "witness", "log", "authorized",
}

// longestName is how far the name of a value reaches to either side of its word.
const longestName = 48

// at looks at what is assigned to the name that has the word at.
func (n name) at(s *scan, at int) {
	t := s.text
	if at < s.done {
		return
	}
	start, end := at, at+len(n.word)
	for start > 0 && at-start < longestName && nameByte(t, start-1) {
		start--
	}
	for end < len(t) && end-at < longestName && nameByte(t, end) {
		end++
	}
	if n.word == "pass" && at > start && letter(t[at-1]) && t[at]-'a' < 26 {
		return // compass, bypass, and what is called so in other languages
	}
	called := qualified(t, start) + strings.ToLower(t[start:end])
	if !isCredential(called, n.word) {
		return
	}
	v, ok := valueAfter(t, start, end)
	if !ok || !s.spend(v.end-v.start) {
		return
	}
	score, rule := v.judge(t, n.kind, called)
	if score == 0 {
		return
	}
	s.done = v.end
	s.report(Match{Rule: rule, Start: v.start, End: v.end, Severity: High, Score: score, Why: "a value that looks drawn is assigned to a name that says it is a credential"})
}

// nameByte says whether t has part of a name at i.
func nameByte(t string, i int) bool {
	c := t[i]
	return alnum(c) || c == '_' || c == '-' || c == '.' && i+1 < len(t) && alnum(t[i+1]) && i > 0 && alnum(t[i-1])
}

// qualified is the word before a name, if it says more of it: the private of private key.
func qualified(t string, start int) string {
	if start < 4 || t[start-1] != ' ' {
		return ""
	}
	from := start - 1
	for from > 0 && start-from < 14 && letter(t[from-1]) {
		from--
	}
	switch word := strings.ToLower(t[from : start-1]); word {
	case "private", "secret", "api", "access", "encryption", "auth", "signing", "public", "primary", "foreign", "master", "bot", "app", "seed":
		return word + "_"
	}
	return ""
}

// isCredential says whether a name is of a credential.
func isCredential(called, word string) bool {
	flat := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, called)
	flat = strings.TrimRight(flat, "0123456789")
	before, after, _ := strings.Cut(flat, strings.Trim(word, "_- "))
	if word[0] == '_' && after != "" {
		return false
	}
	for _, n := range notKeys {
		if strings.HasSuffix(before, n) {
			return false
		}
	}
	if after == "" {
		return true
	}
	for _, n := range notSecret {
		if strings.HasSuffix(after, n) {
			return false
		}
	}
	return len(after) < 24
}

// value is a text that is assigned to a name.
type value struct {
	start, end int
	quoted     bool
	loose      bool // there is only a space, or a word, between the name and it
	marked     bool // the name is an option of a command
	said       bool // the text says that the name is the value
	firm       bool // there is a sign of assignment between them
}

// valueAfter finds what is assigned to the name at [start,end).
func valueAfter(t string, start, end int) (v value, ok bool) {
	v.marked = t[start] == '-' || start > 0 && t[start-1] == '-'
	i := end
	for k := 0; i < len(t) && k < 16 && strings.IndexByte(" \t\"'`])}\\*&", t[i]) >= 0; k++ {
		i++
	}
	if at, ok := otherField(t, i); ok {
		v.firm = true
		return quoted(t, at, v)
	}
	i = skipType(t, i)
	operator := i
	if hasFold(t[i:], "%3d") {
		i += len("%3d")
	}
	for i < len(t) && i-operator < 5 && strings.IndexByte("=:>?,|.~", t[i]) >= 0 {
		i++
	}
	if i == operator {
		if i == end || i >= len(t) {
			return v, false
		}
		v.loose = true
		for _, word := range []string{"is ", "are ", "to ", "was ", "= "} {
			if hasFold(t[i:], word) {
				i, v.said = i+len(word), true
				break
			}
		}
	} else if sign := t[operator:i]; sign == "." || strings.Contains(sign, "?") && !strings.Contains(sign, "=") {
		return v, false
	}
	v.firm = strings.ContainsAny(t[operator:i], "=:>%")
	for k := 0; i < len(t) && k < 12 && (space(t[i]) || strings.IndexByte("([{=", t[i]) >= 0); k++ {
		i++
	}
	return quoted(t, i, v)
}

// otherField is where the value of a name begins that is in the field after it, as in
// {"name": "PASSWORD", "value": "x"} and its like in YAML and XML.
func otherField(t string, i int) (at int, ok bool) {
	for k := 0; i < len(t) && k < 24 && (space(t[i]) || strings.IndexByte("\"',", t[i]) >= 0); k++ {
		i++
	}
	if !hasFold(t[i:], "value") {
		return 0, false
	}
	i += len("value")
	operators := 0
	for k := 0; i < len(t) && k < 8 && (space(t[i]) || strings.IndexByte("\"':=", t[i]) >= 0); k++ {
		if t[i] == ':' || t[i] == '=' {
			operators++
		} else if operators > 0 && !space(t[i]) {
			break
		}
		i++
	}
	return i, operators > 0
}

// skipType steps over a type between a name and its operator, and over what follows it.
func skipType(t string, i int) int {
	for _, word := range []string{"string ", ": string ", ": str ", ": &str ", ": final ", "&quot;", "varchar "} {
		if hasFold(t[min(i, len(t)):], word) {
			return i + len(word)
		}
	}
	return i
}

// longestValue is how much of a value is looked at.
const longestValue = 512

// quoted takes the value that begins at i, in quotes or up to what ends a word.
func quoted(t string, i int, v value) (value, bool) {
	for _, open := range []string{`\"`, `\'`, "&quot;", "b'", `b"`, "r'", `r"`, `@"`, `f"`, `u'`} {
		if strings.HasPrefix(t[i:], open) {
			i += len(open) - 1
			break
		}
	}
	if i >= len(t) {
		return v, false
	}
	stop := " \t\r\n\"'`;,<>()[]{}|\\&"
	if hasFold(t[max(0, i-3):], "%3d") {
		stop += "%"
	}
	if rest := t[i:]; strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, "'''") {
		i += 2
	}
	if c := t[i]; c == '"' || c == '\'' || c == '`' {
		i, v.quoted, stop = i+1, true, string(c)+"\r\n\\"
	} else if c == ';' { // the end of &quot;
		i, v.quoted, stop = i+1, true, "&\r\n"
	}
	v.start = i
	for i < len(t) && i-v.start < longestValue && strings.IndexByte(stop, t[i]) < 0 {
		i++
	}
	v.end = i
	if v.quoted && (i >= len(t) || t[i] == '\r' || t[i] == '\n') && !strings.ContainsAny(t[v.start:i], " \t") {
		v.quoted = false // the quote is not closed: an excerpt
	}
	if !v.quoted {
		if i < len(t) && strings.IndexByte("([{", t[i]) >= 0 || !v.firm && !v.loose {
			return v, false // a call; one name after another
		}
		for v.end > v.start && strings.IndexByte(".!?:", t[v.end-1]) >= 0 && v.end-v.start < 24 && (v.end == len(t) || space(t[v.end])) && t[v.end-1] != '!' {
			v.end--
		}
	}
	return v, v.end > v.start
}

// judge says how likely v is a credential: zero for not at all.
func (v value) judge(t string, k kind, called string) (score float64, rule string) {
	text := t[v.start:v.end]
	if placeholder(text) || reference(text) || !v.quoted && code(text, v.loose) {
		return 0, ""
	}
	drawn := random(text) && tokenBytes(text) && !header(text)
	if v.loose && !v.marked && wordAndNumber(text) || k != password && saysSo(text) {
		return 0, ""
	}
	switch {
	case k == password && !v.loose:
		if chosen(text, v.quoted) {
			return 0.8, "password-assignment"
		}
		if v.firm && v.ofCode(t) && wordOfPass(text) && endsInPassword(called) {
			return 0.6, "password-assignment"
		}
	case k == password:
		if chosen(text, v.quoted) && (v.marked || v.said && mixed(text) || drawn && len(text) >= 8 && mixed(text)) {
			return 0.75, "password-in-text"
		}
	case uuid(text):
		if !v.loose && (strings.Contains(called, "secret") || strings.Contains(called, "token") || strings.Contains(called, "apikey") || strings.Contains(called, "api_key")) && shapeOf(text).different >= 8 || v.marked {
			return 0.7, "token-assignment"
		}
	case !drawn || dateOrVersion(text):
		return 0, ""
	case k == token:
		if len(text) >= 10 && !v.loose || len(text) >= 15 || v.marked && len(text) >= 10 {
			return 0.8, "token-assignment"
		}
	case shapeOf(text).hex && len(text) >= 40 && !strings.Contains(called, "secret") && !strings.Contains(called, "priv") && !strings.Contains(called, "api") && !strings.Contains(called, "access") && !strings.Contains(called, "enc") && !strings.Contains(called, "aes"):
		return 0, "" // a hash as likely as not
	case len(text) >= 16 && !v.loose || v.marked && len(text) >= 14 || len(text) >= 32 && v.said:
		return 0.75, "key-assignment"
	case len(text) >= 10 && !v.loose && strings.HasSuffix(called, "key"):
		if s := shapeOf(text); s.digits > 1 && s.upper > 0 && s.lower > 0 {
			return 0.7, "key-assignment"
		}
	}
	return 0, ""
}

// header says whether v is that of a JSON web token, without the rest.
func header(v string) bool {
	return strings.HasPrefix(v, "eyJ") && !strings.Contains(v, ".") && strings.Contains(string(decoded(v)), `"alg"`)
}

// wordAndNumber says whether v is as people write examples: words, and a number behind them.
func wordAndNumber(v string) bool {
	s := shapeOf(strings.TrimRight(v, "0123456789!"))
	return s.other == 0 && s.digits == 0 && (s.pairs < 4 || s.common*100 >= s.pairs*55)
}

// saysSo says whether a value has in it what it is said to be: an example.
func saysSo(v string) bool {
	v = strings.ToLower(v)
	return strings.Contains(v, "token") || strings.Contains(v, "secret") || strings.Contains(v, "apikey") || strings.Contains(v, "api_key") || strings.Contains(v, "password")
}

// ofCode says whether v stands as values do in code and connection strings: in quotes after an operator,
// or between semicolons.
func (v value) ofCode(t string) bool {
	if v.quoted {
		return v.end < len(t) && !space(t[v.end])
	}
	return v.end < len(t) && t[v.end] == ';' && v.start > 0 && t[v.start-1] == '='
}

// wordOfPass says whether a word can be a password that somebody chose: it is none of the words
// that stand for one, and no label.
func wordOfPass(v string) bool {
	if len(v) < 6 || len(v) > 40 || strings.ContainsAny(v, " /\\(){}<>,;:") {
		return false
	}
	s := shapeOf(v)
	if s.other == 0 && s.upper > 0 && s.upper < 4 && v[0]-'A' < 26 || s.lower == 0 || s.different < 4 || s.longest > 4 {
		return false
	}
	switch strings.ToLower(v) {
	case "password", "passwd", "secret", "string", "hidden", "required", "undefined", "optional", "username", "number", "object", "boolean", "default",
		"current-password", "new-password", "confirm", "database", "default_password", "disabled", "enabled", "keyring", "prompt", "plaintext", "bcrypt", "keychain", "passphrase", "mypassword", "yourpassword", "userpassword", "testpassword", "adminpassword", "password_hash", "hashed_password", "user_password", "my_password", "password_field", "credentials", "secrets":
		return false
	}
	return s.other <= 2 && !strings.ContainsAny(v, "_.-")
}

// endsInPassword says whether a name ends in a word for password.
func endsInPassword(called string) bool {
	called = strings.TrimRight(called, "0123456789")
	for _, word := range []string{"password", "passwd", "passphrase", "passwort", "senha", "contraseña", "pwd", "_pass", "pass"} {
		if strings.HasSuffix(called, word) {
			return true
		}
	}
	return false
}

// mixed says whether v has letters and digits or signs: a word of a sentence has not.
func mixed(v string) bool {
	s := shapeOf(v)
	return s.digits > 0 && s.lower+s.upper > 0 || s.other > 0 && s.upper > 0 && s.lower > 0 && strings.ContainsAny(v, "!@#$%^&*?")
}

// chosen says whether people or programs could have made v as a password.
func chosen(v string, quoted bool) bool {
	if len(v) < 5 || len(v) > 200 || strings.Contains(v, "://") || strings.HasPrefix(v, "/") || strings.Contains(v, " ") && !quoted {
		return false
	}
	s := shapeOf(v)
	if strings.Contains(v, " ") || s.different < 4 || s.longest > 5 {
		return false
	}
	switch {
	case s.digits > 0 && s.lower+s.upper > 0, s.other > 0 && s.upper > 0 && s.lower > 0 && strings.ContainsAny(v, "!@#$%^&*?"):
		return !dateOrVersion(v)
	case s.digits == s.n, s.other+s.digits == s.n:
		return false
	}
	return random(v)
}

func dateOrVersion(v string) bool {
	s := shapeOf(v)
	return s.lower+s.upper <= 2 && s.n < 36 && strings.ContainsAny(v, ".:-/")
}

// tokenBytes says whether v has only what drawn tokens are written in.
func tokenBytes(v string) bool {
	for i := range len(v) {
		if !base64any(v[i]) && strings.IndexByte("~.%:!@$*#", v[i]) < 0 {
			return false
		}
	}
	return true
}

// code says whether a value without quotes is of a program: a name, a member, a number; or, where
// nothing assigns it, an option or a path.
func code(v string, loose bool) bool {
	if len(v) < 19 && strings.HasPrefix(v, "0x") || strings.Contains(v, ".") && !strings.HasPrefix(v, "ey") && (strings.ContainsAny(v, "/") || member(v)) {
		return true
	}
	if loose && (v[0] == '-' || strings.Contains(v, "/")) {
		return true
	}
	s := shapeOf(v)
	return s.digits == 0 && s.other == 0 && s.common*100 >= s.pairs*45 && s.upper > 0 && s.upper < s.lower && s.turns*2 < s.n
}

// member says whether v is two names with a dot between them.
func member(v string) bool {
	a, b, _ := strings.Cut(v, ".")
	return a != "" && b != "" && letter(a[0]) && letter(b[0]) && (shapeOf(a).wordy() || shapeOf(b).wordy())
}

// reference says whether v names something in place of being it: a path, a call, a member, an
// address, a resource.
func reference(v string) bool {
	if strings.HasPrefix(v, "/") && strings.Count(v, "/") > 1 || strings.HasPrefix(v, "./") || strings.HasPrefix(v, "../") || strings.HasPrefix(v, "~/") ||
		strings.HasPrefix(v, "arn:") || strings.HasPrefix(v, "http") || strings.Contains(v, "::") || strings.HasPrefix(v, "projects/") || strings.HasPrefix(v, "sha256:") ||
		strings.HasPrefix(v, "vault:") || strings.HasPrefix(v, "--") || strings.HasPrefix(v, "ssh-") {
		return true
	}
	s := shapeOf(v)
	return strings.Contains(v, ".") && s.digits*8 < s.n && s.wordy() || strings.HasPrefix(v, "age1") || strings.HasPrefix(v, "AAAAB3Nza") || strings.HasPrefix(v, "AAAAC3Nza")
}
