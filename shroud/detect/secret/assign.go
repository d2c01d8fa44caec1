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
	{"password", password}, {"passwd", password}, {"passphrase", password}, {"passwort", password}, {"contraseña", password}, {"senha", password},
	{"mot de passe", password}, {"motdepasse", password}, {"kennwort", password}, {"пароль", password}, {"密码", password}, {"パスワード", password}, {"비밀번호", password},
	{"pwd", password}, {"pass", password}, {"psw", password}, {"psk", password}, {"requirepass", password}, {"masterauth", password}, {"identified by", password}, {"-pw ", password},
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
	if n.word == "pass" && t[start:end] == "PASS" {
		return // what a test did
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
		if strings.HasSuffix(before, n) && !strings.HasSuffix(before, "azurestorage") {
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
