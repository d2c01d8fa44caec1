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
	"method", "mode", "scheme", "host", "port", "domain", "version", "email", "user", "username", "age", "at", "date", "time", "timeout", "prefix", "suffix", "header", "ref", "arn", "public", "pub", "list", "set", "index", "server", "scope", "status", "title", "description", "sha", "commit", "etag", "cursor", "uid", "address", "input",
}

// notKeys are what stands before key or token where it is no credential.
var notKeys = []string{
	"public", "pub", "primary", "foreign", "sort", "partition", "cache", "object", "row", "group", "hot", "next", "page", "continuation", "cursor", "sync", "eos", "bos", "pad", "unk",
	"mask", "sep", "dict", "map", "route", "query", "event", "idempotency", "s3", "registry", "publishable", "site", "host", "known", "storage", "csrf", "xsrf", "translation", "unique", "composite", "bypass", "compass", "tool",
}

// longestName is how far the name of a value reaches to either side of its word.
const longestName = 48

// at looks at what is assigned to the name that has the word at.
func (n name) at(s *scan, at int) {
	t := s.text
	if at < s.done && n.kind != password {
		return
	}
	start, end := at, at+len(n.word)
	for start > 0 && at-start < longestName && nameByte(t, start-1) {
		start--
	}
	for end < len(t) && end-at < longestName && nameByte(t, end) {
		end++
	}
	called := strings.ToLower(t[start:end])
	if !isCredential(called, n.word) {
		return
	}
	v, ok := valueAfter(t, start, end)
	if !ok {
		return
	}
	s.done = v.end
	score, rule := v.judge(t, n.kind, called)
	if score == 0 {
		return
	}
	s.report(Match{Rule: rule, Start: v.start, End: v.end, Severity: High, Score: score, Why: "a value that looks drawn is assigned to a name that says it is a credential"})
}

// nameByte says whether t has part of a name at i.
func nameByte(t string, i int) bool {
	c := t[i]
	return alnum(c) || c == '_' || c == '-' || c == '.' && i+1 < len(t) && alnum(t[i+1]) && i > 0 && alnum(t[i-1])
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
}

// valueAfter finds what is assigned to the name at [start,end).
func valueAfter(t string, start, end int) (v value, ok bool) {
	v.marked = t[start] == '-' || start > 0 && t[start-1] == '-'
	i := end
	for k := 0; i < len(t) && k < 5 && strings.IndexByte(" \t\"'`])}\\*&", t[i]) >= 0; k++ {
		i++
	}
	i = skipType(t, i)
	operator := i
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
				i += len(word)
				break
			}
		}
	} else if t[operator] == '.' && i-operator == 1 {
		return v, false
	}
	for k := 0; i < len(t) && k < 12 && (space(t[i]) || strings.IndexByte("([{=", t[i]) >= 0); k++ {
		i++
	}
	if rest := t[i:]; hasFold(rest, `"value"`) || hasFold(rest, `value:`) || hasFold(rest, `'value'`) {
		if i += strings.IndexByte(rest, ':') + 1; i <= 0 || i > len(t) {
			return v, false
		}
		for i < len(t) && space(t[i]) {
			i++
		}
	}
	return quoted(t, i, v)
}

// skipType steps over a type between a name and its operator, and over what follows it.
func skipType(t string, i int) int {
	for _, word := range []string{"string ", ": string ", ": str ", ": &str ", ": final ", "value ", "&quot;", "varchar "} {
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
		if i < len(t) && strings.IndexByte("([{", t[i]) >= 0 {
			return v, false // a call
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
	if placeholder(text) || reference(text) {
		return 0, ""
	}
	switch {
	case k == password && !v.loose:
		if chosen(text, v.quoted) {
			return 0.8, "password-assignment"
		}
	case k == password:
		if (v.marked || v.end-v.start >= 6) && chosen(text, v.quoted) && (v.marked || mixed(text)) {
			return 0.75, "password-in-text"
		}
	case k == token && (len(text) >= 10 && !v.loose || len(text) >= 15 || v.marked && len(text) >= 10):
		if random(text) && tokenBytes(text) {
			return 0.8, "token-assignment"
		}
	case k == key && (len(text) >= 16 && !v.loose || v.marked && len(text) >= 14):
		if random(text) && tokenBytes(text) {
			return 0.75, "key-assignment"
		}
	case k == key && len(text) >= 10 && strings.HasSuffix(called, "key") && len(called) > 3:
		if s := shapeOf(text); random(text) && tokenBytes(text) && s.digits > 1 && s.upper > 0 && s.lower > 0 {
			return 0.7, "key-assignment"
		}
	}
	return 0, ""
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
	return shapeOf(v).lower+shapeOf(v).upper <= 1 && strings.ContainsAny(v, ".:-/")
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

// reference says whether v names something in place of being it: a path, a call, a member, an
// address, a resource.
func reference(v string) bool {
	if strings.HasPrefix(v, "/") && strings.Count(v, "/") > 1 || strings.HasPrefix(v, "./") || strings.HasPrefix(v, "../") || strings.HasPrefix(v, "~/") ||
		strings.HasPrefix(v, "arn:") || strings.HasPrefix(v, "http") || strings.Contains(v, "::") || strings.HasPrefix(v, "projects/") || strings.HasPrefix(v, "sha256:") ||
		strings.HasPrefix(v, "vault:") || strings.HasPrefix(v, "--") || strings.HasPrefix(v, "ssh-") {
		return true
	}
	s := shapeOf(v)
	return strings.Contains(v, ".") && s.digits*8 < s.n && s.wordy()
}
