package secret

import "strings"

// judge says how likely v is a credential: zero for not at all.
func (v value) judge(t string, k kind, called string) (score float64, rule string) {
	text := t[v.start:v.end]
	if placeholder(text) || reference(text) || !v.quoted && code(text, v.loose) {
		return 0, ""
	}
	drawn := random(text) && tokenBytes(text) && !header(text)
	if v.loose && !v.marked && !v.constant && called != "identified by" && wordAndNumber(text) || k != password && saysSo(text) {
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
		if chosen(text, v.quoted) && ((v.marked || v.constant) && mixed(text) || (v.said || v.quoted) && mixed(text) || drawn && len(text) >= 8 && mixed(text)) {
			return 0.75, "password-in-text"
		}
	case uuid(text):
		if !v.loose && (strings.Contains(called, "secret") || strings.Contains(called, "token") || strings.Contains(called, "apikey") || strings.Contains(called, "api_key") || strings.Contains(called, "api-key") || strings.Contains(called, "private")) && shapeOf(text).different >= 8 || v.marked {
			return 0.7, "token-assignment"
		}
	case v.quoted && v.firm && strings.Contains(called, "secret") && signs(text):
		return 0.75, "key-assignment"
	case !drawn || dateOrVersion(text):
		return 0, ""
	case k == token:
		if len(text) >= 10 && !v.loose || len(text) >= 15 || v.marked && len(text) >= 10 {
			return 0.8, "token-assignment"
		}
	case strings.HasSuffix(called, "nonce") && shapeOf(text).hex:
		return 0, ""
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

// signs says whether v is drawn from letters, digits and signs, as frameworks make their keys.
func signs(v string) bool {
	s := shapeOf(v)
	return s.n >= 24 && s.other >= 4 && s.digits >= 2 && s.lower >= 4 && s.different >= 16 && !strings.Contains(v, " ")
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
	if mostlyDrawn(v) && len(v) >= 32 {
		return false
	}
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
	if len(v) > 2 && v[0] == 'v' && digit(v[1]) && strings.Count(v, ".") == 2 && strings.Count(v, "-") == 2 { // of a commit, as Go writes it
		return true
	}
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
	if loose && (v[0] == '-' || strings.Contains(v, "/") && !(len(v) >= 32 && mostlyDrawn(v)) || digit(v[0]) && strings.Count(v, ".") > 1) {
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
