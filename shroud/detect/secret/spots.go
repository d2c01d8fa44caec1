package secret

import "strings"

// Spots where formats of files and options of commands have a password.

// enterSpots puts them behind their literals.
func enterSpots(e *engine) {
	e.on("securestring", (*scan).secureString)
	e.on("sshpass -p", (*scan).sshpass)
	for _, word := range []string{"private key", "private_key", "privatekey", "secret key", "privkey", "priv key"} {
		e.on(word, func(s *scan, at int) { s.hexKey(at + len(word)) })
	}
	e.on(`default`, (*scan).terraform)
	e.on("wifi:", (*scan).wifi)
	e.on("oracle:thin:", (*scan).oracle)
	e.on(" /rp ", (*scan).runAs)
	e.on(" /user:", (*scan).netUse)
	for _, port := range []string{":5432:", ":5433:", ":6432:", ":6543:"} {
		e.on(port, (*scan).pgpass)
	}
}

// spot reports what stands between start and end, if it can be a password.
func (s *scan) spot(start, end int, why string) {
	if v := s.text[start:end]; s.spend(len(v)) && !placeholder(v) && !reference(v) && len(v) > 5 && shapeOf(v).different > 3 && (mixed(v) || random(v)) {
		s.report(Match{Rule: "password-assignment", Start: start, End: end, Severity: High, Score: 0.8, Why: why})
	}
}

// sshpass looks for the password of an SSH login, which anything may be that is given there.
func (s *scan) sshpass(at int) {
	t := s.text
	_, i := run(t, at+len("sshpass -p"), func(c byte) bool { return c == ' ' }, 4)
	start, end, ok := quotedAt(t, i)
	if !ok {
		start, end = run(t, i, func(c byte) bool { return c > ' ' && c != '"' && c != '\'' }, 64)
	}
	if v := t[start:end]; s.spend(len(v)) && len(v) > 3 && !placeholder(v) && !reference(v) {
		s.report(Match{Rule: "command-password", Start: start, End: end, Severity: High, Score: 0.8, Why: "a command is given a password"})
	}
}

// hexKey looks for the 64 hex digits of a private key behind what says so, which ends at i.
func (s *scan) hexKey(i int) {
	const between, digits = 24, 64
	t := s.text
	for k := i; k < len(t) && k-i < between && t[k] != '\n'; k++ {
		start, end := run(t, k, hexDigit, digits+1)
		if end-start != digits || !s.spend(digits) {
			continue
		}
		if k > i+1 && t[k-1]|0x20 == 'x' && t[k-2] == '0' {
			start -= 2
		} else if !begins(t, k) {
			continue
		}
		if drawn(t[end-digits : end]) {
			s.report(Match{Rule: "wallet-key", Start: start, End: end, Severity: Critical, Score: 0.9, Why: "it is called a private key, and is 64 hex digits"})
		}
		return
	}
}

// quotedAt is what is in quotes at i, after spaces.
func quotedAt(t string, i int) (start, end int, ok bool) {
	_, i = run(t, i, func(c byte) bool { return c == ' ' }, 8)
	if i >= len(t) || t[i] != '"' && t[i] != '\'' {
		return 0, 0, false
	}
	open := t[i]
	start, end = run(t, i+1, func(c byte) bool { return c != open && c >= ' ' }, 200)
	return start, end, end < len(t) && t[end] == open
}

// secureString looks for the argument of PowerShell's ConvertTo-SecureString.
func (s *scan) secureString(at int) {
	i := at + len("securestring")
	if hasFold(s.text[i:], " -string ") {
		i += len(" -string ")
	}
	if start, end, ok := quotedAt(s.text, i); ok {
		s.spot(start, end, "a command makes a password of it")
	}
}

// terraform looks for the default of a variable that is called a credential.
func (s *scan) terraform(at int) {
	t := s.text
	_, i := run(t, at+len("default"), func(c byte) bool { return c == ' ' || c == '=' }, 16)
	start, end, ok := quotedAt(t, i)
	if !ok || i == at+len("default") {
		return
	}
	before := t[max(0, at-300):at]
	k := strings.LastIndex(before, `variable "`)
	if k < 0 || !s.spend(len(before)) || strings.Contains(before[k:], "}") {
		return
	}
	called, _, _ := strings.Cut(strings.ToLower(before[k+len(`variable "`):]), `"`)
	for _, n := range names {
		if strings.Contains(called, n.word) && isCredential(called, n.word) {
			s.spot(start, end, "it is the value of a variable that is called a credential")
			return
		}
	}
}

// wifi looks for the password in what a code for joining a network says.
func (s *scan) wifi(at int) {
	t := s.text
	line := t[at:min(len(t), at+160)]
	if k := strings.Index(line, ";P:"); k > 0 && strings.IndexByte(line[:k], '\n') < 0 {
		start, end := run(t, at+k+3, func(c byte) bool { return c != ';' && c > ' ' }, 64)
		s.spot(start, end, "it is the password of a network")
	}
}

// oracle looks for NAME/PASSWORD@ in the address of a database.
func (s *scan) oracle(at int) {
	t := s.text
	_, i := run(t, at+len("oracle:thin:"), alnum, 64)
	if i >= len(t) || t[i] != '/' {
		return
	}
	start, end := run(t, i+1, func(c byte) bool { return c > ' ' && c != '@' && c != '"' && c != '\'' }, 64)
	if end < len(t) && t[end] == '@' {
		s.spot(start, end, "the address of a database has a password in it")
	}
}

// runAs looks for the password of a task that runs as somebody.
func (s *scan) runAs(at int) {
	start, end := run(s.text, at+len(" /rp "), func(c byte) bool { return c > ' ' && c != '"' }, 64)
	s.spot(start, end, "a command is given a password")
}

// netUse looks for the password before the user of a shared folder.
func (s *scan) netUse(at int) {
	t := s.text
	line := t[max(0, at-160):at]
	line = line[strings.LastIndexByte(line, '\n')+1:]
	if start := at - len(line) + strings.LastIndexByte(line, ' ') + 1; strings.Contains(strings.ToLower(line), "net use") && strings.IndexByte("\\*/", t[start]) < 0 {
		s.spot(start, at, "a command is given a password")
	}
}
