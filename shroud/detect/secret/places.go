package secret

import (
	"encoding/base64"
	"strings"
)

// scheme and basic are the schemes of Authorization headers: one that a token follows, and
// that of names and passwords.
func scheme(word string) action {
	return func(s *scan, at int) { s.sent(at + len(word)) }
}

// sent looks at the token that begins at i.
func (s *scan) sent(i int) {
	start, end := run(s.text, i, dottedAny, 4096)
	if v := s.text[start:end]; s.spend(len(v)) && len(v) >= 16 && (random(v) || uuid(v) && shapeOf(v).different > 8) {
		s.report(Match{Rule: "bearer-token", Start: start, End: end, Severity: High, Score: 0.85, Why: "it is sent as a bearer token"})
	}
}

func basic(s *scan, at int) {
	start, end := run(s.text, at+len("basic "), base64any, 1024)
	if !s.spend(end - start) {
		return
	}
	user, pass, ok := strings.Cut(string(decoded(s.text[start:end])), ":")
	if ok && printable(user) && printable(pass) && !weakPair(user, pass) {
		s.report(Match{Rule: "basic-auth", Start: start, End: end, Severity: High, Score: 0.85, Why: "it decodes to a name and a password"})
	}
}

func dottedAny(c byte) bool { return base64any(c) || c == '.' || c == '~' }

// run is the characters of the alphabet from i on.
func run(t string, i int, in alphabet, most int) (start, end int) {
	start = min(i, len(t))
	for end = start; end < len(t) && end-start < most && in(t[end]); end++ {
	}
	return start, end
}

// decoded is v out of base64 of either kind, padded or not; nil if it is none.
func decoded(v string) []byte {
	v = strings.TrimRight(v, "=")
	if len(v) < 6 {
		return nil
	}
	enc := base64.RawStdEncoding
	if strings.ContainsAny(v, "-_") {
		enc = base64.RawURLEncoding
	}
	b, err := enc.DecodeString(v)
	if err != nil {
		return nil
	}
	return b
}

func printable(v string) bool {
	for i := range len(v) {
		if v[i] < ' ' || v[i] > '~' {
			return false
		}
	}
	return v != ""
}

// weakPair says whether a name and password are those of examples.
func weakPair(user, pass string) bool {
	if len(pass) < 4 || placeholder(pass) || strings.EqualFold(user, pass) {
		return true
	}
	switch strings.ToLower(pass) {
	case "pass", "password", "passwd", "pwd", "secret", "test", "guest", "admin", "root", "token", "key", "user", "username", "password123":
		return true
	}
	s := shapeOf(pass)
	return s.digits == 0 && s.other == 0 && (s.lower == 0 || s.upper == 0) && !random(pass)
}

// userinfo looks for the password of a URL.
func (s *scan) userinfo(at int) {
	t := s.text
	start := at + len("://")
	end := start
	for end < len(t) && end-start < 256 && strings.IndexByte(" \t\r\n\"'`<>?#\\", t[end]) < 0 && t[end] != '/' {
		end++
	}
	sign := strings.LastIndexByte(t[start:end], '@')
	if sign < 0 || !s.spend(end-start) {
		return
	}
	user, pass, ok := strings.Cut(t[start:start+sign], ":")
	if !ok || weakPair(user, pass) || strings.Contains(pass, "(") {
		if pass = user; ok || !random(user) || len(user) < 20 {
			return
		}
	}
	end = start + sign
	s.report(Match{Rule: "url-password", Start: end - len(pass), End: end, Severity: Critical, Score: 0.9, Why: "a URL has a password in it"})
}

// account looks for NAME:PASSWORD after an option of a command.
func (s *scan) account(at int) {
	t := s.text
	i := at + 1
	for i < len(t) && t[i] == '-' {
		i++
	}
	for i < len(t) && letter(t[i]) && i-at < 9 {
		i++
	}
	for k := 0; i < len(t) && k < 3 && strings.IndexByte(" =\"'", t[i]) >= 0; k++ {
		i++
	}
	start, end := run(t, i, func(c byte) bool { return c > ' ' && strings.IndexByte("\"'`<>|;", c) < 0 }, 200)
	if !s.spend(end - start) {
		return
	}
	user, pass, ok := strings.Cut(t[start:end], ":")
	if !ok && t[at+2] == 'p' {
		s.lonePassword(at, start, end)
	}
	if pass == "" { // some services take a key as the name
		user, pass = "", user
	}
	if !ok || strings.HasPrefix(user, "-") || strings.Contains(pass, "/") || weakPair(user, pass) || reference(pass) || !mixed(pass) && !random(pass) || dateOrVersion(pass) {
		return
	}
	start += strings.Index(t[start:end], pass)
	s.report(Match{Rule: "command-account", Start: start, End: start + len(pass), Severity: High, Score: 0.75, Why: "a command is given a name and a password"})
}

// dotnet looks for the password in a call that makes a credential of a name and one.
func (s *scan) dotnet(at int) {
	t := s.text
	_, i := run(t, at+len("networkcredential"), func(c byte) bool { return c == ' ' || c == '(' }, 4)
	var parts []string
	for k := 0; k < 2 && i < len(t) && t[i] == '"'; k++ {
		start, end := run(t, i+1, func(c byte) bool { return c != '"' && c != '\n' }, 80)
		parts = append(parts, t[start:end])
		if k == 1 && end < len(t) && t[end] == '"' && !weakPair(parts[0], parts[1]+"1") && len(parts[1]) > 5 {
			s.report(Match{Rule: "call-with-password", Start: start, End: end, Severity: High, Score: 0.8, Why: "a credential is made of a name and a password"})
		}
		_, i = run(t, end+1, func(c byte) bool { return c == ' ' || c == ',' }, 4)
	}
}

// lonePassword looks at what follows -p where a command takes a password there.
func (s *scan) lonePassword(at, start, end int) {
	t := s.text
	if !strings.HasPrefix(t[at:], " -p") || at+3 < len(t) && at+3 < start && letter(t[at+3]) {
		start = at + 3 // without a space between
	}
	line := t[max(0, at-100):at]
	line = line[strings.LastIndexByte(line, '\n')+1:]
	for _, command := range []string{"mysql", "mariadb", "sshpass", "psexec", "docker login", "podman login", "mongo", "redis-cli", "7z ", "plink", "pscp"} {
		if v := t[min(start, end):end]; strings.Contains(strings.ToLower(line), command) && mixed(v) && chosen(v, false) && !placeholder(v) && !strings.HasPrefix(v, "-") && !strings.Contains(v, "=") {
			s.report(Match{Rule: "command-password", Start: start, End: end, Severity: High, Score: 0.75, Why: "a command is given a password"})
			return
		}
	}
}

// pgpass looks for the password in a line of ~/.pgpass, around the port in it.
func (s *scan) pgpass(at int) {
	t := s.text
	start, end := run(t, at+len(":5432:"), func(c byte) bool { return c > ' ' }, 256)
	if parts := strings.SplitN(t[start:end], ":", 3); len(parts) == 3 && !weakPair(parts[1], parts[2]) && chosen(parts[2], false) {
		s.report(Match{Rule: "pgpass", Start: end - len(parts[2]), End: end, Severity: High, Score: 0.85, Why: "it is a line of a file of database passwords"})
	}
}

// dockerAuth looks for the account in the configuration of Docker.
func (s *scan) dockerAuth(at int) {
	i := at + len(`"auth"`)
	for k := 0; i < len(s.text) && k < 4 && strings.IndexByte(": \"", s.text[i]) >= 0; k++ {
		i++
	}
	start, end := run(s.text, i, base64any, 2048)
	if !s.spend(end - start) {
		return
	}
	if user, pass, ok := strings.Cut(string(decoded(s.text[start:end])), ":"); ok && printable(user) && printable(pass) && !weakPair(user, pass) {
		s.report(Match{Rule: "docker-auth", Start: start, End: end, Severity: Critical, Score: 0.93, Why: "it decodes to a name and a password"})
	}
}

// telegram looks for the token of a bot around a colon: a number, and 35
// characters that begin with AA.
func (s *scan) telegram(at int) {
	t := s.text
	start := at
	for start > 0 && at-start < 11 && digit(t[start-1]) {
		start--
	}
	_, end := run(t, at+1, base64url, 40)
	if n := at - start; n < 8 || n > 10 || end-at-1 != 35 || t[at+1] != 'A' || t[at+2] != 'A' || start > 0 && base64url(t[start-1]) && !strings.HasSuffix(t[:start], "bot") {
		return
	}
	if drawn(t[at+3 : end]) {
		s.report(Match{Rule: "telegram-token", Start: start, End: end, Severity: Critical, Score: 0.95, Why: "it has the form of a bot's token: its number and 35 characters"})
	}
}

// jwt looks for a signed or bare JSON web token: a header that decodes.
func (s *scan) jwt(at int) {
	t := s.text
	if !strings.HasPrefix(t[at:], "eyJ") && !strings.HasPrefix(t[at:], "ewo") || at > 0 && (alnum(t[at-1]) || t[at-1] == '-') {
		return
	}
	_, dot := run(t, at, base64url, 2048)
	if dot >= len(t) || t[dot] != '.' || dot-at < 16 || !s.spend(dot-at) {
		return
	}
	header := string(decoded(t[at:dot]))
	if !strings.HasPrefix(header, "{") || !strings.Contains(header, `"alg"`) && !strings.Contains(header, `"enc"`) {
		return
	}
	_, end := run(t, dot, dotted, 16<<10)
	if !s.spend(end - dot) {
		return
	}
	for end > dot && t[end-1] == '.' {
		end--
	}
	payload, signature, _ := strings.Cut(t[dot+1:max(end, dot+1)], ".")
	m := Match{Rule: "jwt", Start: at, End: end, Severity: High, Score: 0.95, Why: "its header is that of a JSON web token"}
	if signature == "" {
		m.Score = 0.75
	}
	if len(payload) >= 8 && shapeOf(payload).different >= 8 {
		s.report(m)
	}
}

// hash is how stored passwords begin.
type hash struct {
	prefix string
	min    int // characters that follow
}

var hashes = []hash{{"$1$", 24}, {"$5$", 44}, {"$6$", 88}, {"$y$", 40}, {"$7$", 40}, {"$2a$", 56}, {"$2b$", 56}, {"$2y$", 56}, {"$apr1$", 24}, {"$argon2", 60}, {"{ssha}", 28}, {"$sha1$", 30}}

func (h hash) at(s *scan, at int) {
	_, end := run(s.text, at, func(c byte) bool { return base64any(c) || strings.IndexByte("$.,", c) >= 0 || c == '{' || c == '}' }, 300)
	if body := s.text[at:end]; s.spend(end-at) && end-at >= h.min+len(h.prefix) && !placeholder(strings.TrimLeft(body[len(h.prefix):], "$")) && shapeOf(body).different > 12 {
		s.report(Match{Rule: "password-hash", Start: at, End: end, Severity: High, Score: 0.85, Why: "it is the stored form of a password"})
	}
}
