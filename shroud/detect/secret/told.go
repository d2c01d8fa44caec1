package secret

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Passwords that a text tells somebody: "das Passwort für den Server lautet …",
// "パスワードは…です". A word for password, some words, one that says what follows is it, and
// a value that no sentence has.

// passwordWords are in small letters. What follows those of English by itself is found
// as an assignment.
var (
	englishWords  = strings.Split("password|passcode|passphrase", "|")
	passwordWords = strings.Split("pw|passwort|kennwort|mot de passe|mdp|contraseña|contrasena|clave|senha|palavra-passe|parola d'ordine|wachtwoord|hasło|haslo|lösenord|passord|"+
		"adgangskode|kodeord|salasana|jelszó|jelszava|heslo|geslo|lozinka|zaporka|šifra|parolă|parola|şifre|sifre|пароль|пароля|лозинка|шифра|парола|κωδικός|κωδικος|συνθηματικό|"+
		"كلمة المرور|كلمة السر|رمز عبور|گذرواژه|סיסמה|סיסמא|पासवर्ड|पासवर्ड|পাসওয়ার্ড|கடவுச்சொல்|รหัสผ่าน|mật khẩu|kata sandi|kata laluan|密码|密碼|口令|パスワード|비밀번호|암호|패스워드|"+
		"slaptažodis|parole|parool|contrasenya|nenosiri|wagwoord|lykilorð", "|")
	accountWords = strings.Split("credentials|creds|login|zugangsdaten|anmeldedaten|identifiants|credenciales|credenziali|credenciais|inloggegevens|учётные данные|учетные данные", "|")
)

// saying are words after which the value comes.
var saying = func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq("is are was be remains ist lautet war est sera es era è é era jest to brzmi är er on este je jsou это είναι adalah ialah là है हैं هي هو است היא הוא คือ olarak van = : -") {
		set[w] = true
	}
	return set
}()

// sayingSigns are what says so in scripts without spaces, and operators.
var sayingSigns = []string{"：", ":", "—", "–", "=>", "->", "是", "为", "為", "は", "が", "은", "는", "이", "가"}

// told is what is done at a word.
type told struct {
	word    string
	english bool
}

// enterTold puts the words behind their literals. Only letters of ASCII are found in
// either case.
func enterTold(e *engine) {
	enter := func(w string, do action) {
		e.on(lowerText(w), do)
		if r, n := utf8.DecodeRuneInString(w); r >= utf8.RuneSelf && unicode.ToUpper(r) != r {
			e.on(lowerText(string(unicode.ToUpper(r))+w[n:]), do)
		}
	}
	for _, w := range englishWords {
		enter(w, told{w, true}.at)
	}
	for _, w := range passwordWords {
		enter(w, told{w, false}.at)
	}
	for _, w := range accountWords {
		enter(w, told{w, false}.pair)
	}
}

// Bounds of what may stand between a word and its value.
const (
	toldBytes = 80
	toldWords = 7
)

// at looks for what a word for password tells.
func (w told) at(s *scan, at int) {
	t := s.text
	if at > 0 && t[at] < utf8.RuneSelf && (wordByte(t[at-1]) || t[at-1] >= utf8.RuneSelf) {
		return
	}
	i := at + len(w.word)
	firm, words := false, 0
	for first := true; i < len(t) && i-at < toldBytes && words < toldWords && s.spend(8); first = false {
		sign := signAt(t, i)
		if sign != "" && (!first || t[i] < utf8.RuneSelf || t[at] >= utf8.RuneSelf) {
			if w.english && sign != "—" && sign != "–" {
				return
			}
			i, firm = i+len(sign), true
			if i < len(t) && t[i] == '\n' {
				i++
			}
			continue
		}
		if gap := skipQuotes(t, i); gap > i {
			i = gap
			continue
		}
		start, end := toldToken(t, i)
		if end == start {
			return
		}
		if v := t[start:end]; !first && tellsValue(v) {
			if !w.english && (words == 0 && strict(v)) || firm || w.english && words == 0 && afterLogin(t[:at]) {
				s.tell(start, end)
			}
			return
		}
		word := t[start:end]
		if !first {
			words++
		}
		if !plainWord(word) || strings.IndexByte(".!?;\n", t[end-1]) >= 0 {
			return
		}
		firm = saying[strings.ToLower(strings.TrimRight(word, ","))]
		i = end
	}
}

func (s *scan) tell(start, end int) {
	s.report(Match{Rule: "password-in-text", Start: start, End: end, Severity: High, Score: 0.75, Why: "the text says that it is a password"})
}

// signAt is the sign at i that says that the value follows.
func signAt(t string, i int) string {
	for _, sign := range sayingSigns {
		if strings.HasPrefix(t[i:], sign) {
			return sign
		}
	}
	return ""
}

// skipQuotes steps over spaces, and over quotes before a value.
func skipQuotes(t string, i int) int {
	for i < len(t) {
		if strings.IndexByte(" \t\"'`*(", t[i]) >= 0 {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(t[i:])
		if r != '\u00a0' && r != '\u3000' && r != '“' && r != '„' && r != '«' && r != '»' && r != '「' && r != '『' && r != '‘' {
			break
		}
		i += n
	}
	return i
}

// toldToken is the word or value at i. What begins in ASCII ends there.
func toldToken(t string, i int) (start, end int) {
	ascii := i < len(t) && t[i] < utf8.RuneSelf
	for end = i; end < len(t) && end-i < 72 && t[end] > ' ' && strings.IndexByte("\"'`<>{}|\\", t[end]) < 0; end++ {
		if r, _ := utf8.DecodeRuneInString(t[end:]); ascii && t[end] >= utf8.RuneSelf && utf8.RuneStart(t[end]) && (r >= 0x530 || !unicode.IsLetter(r)) {
			break
		}
		if !ascii && strings.IndexByte(":=", t[end]) >= 0 {
			break
		}
	}
	if ascii {
		for v := t[i:end]; len(v) > 1 && strings.IndexByte(".,;:)]?", v[len(v)-1]) >= 0 && tellsValue(v[:len(v)-1]); v = t[i:end] {
			end--
		}
		if end > i && t[end-1] == ':' { // which says that the value comes
			end--
		}
	}
	return i, end
}

// plainWord says whether a token is a word of a sentence.
func plainWord(v string) bool {
	for i := range len(v) {
		if c := v[i]; c < utf8.RuneSelf && !letter(c) && strings.IndexByte("-',.!?;", c) < 0 {
			return false
		}
	}
	return true
}

// tellsValue says whether v can be a password in a sentence: of letters and digits or
// signs, and no name of software or of a form.
func tellsValue(v string) bool {
	if len(v) < 6 || len(v) > 64 || !printable(v) || !mixed(v) || !chosen(v, false) || placeholder(v) || reference(v) || dateOrVersion(v) || strings.ContainsAny(v, "()=/,") {
		return false
	}
	if s := shapeOf(v); s.different < 5 || s.digits == 0 && s.other > 1 {
		return false
	}
	low := strings.ToLower(v)
	for _, name := range []string{"sha", "md5", "digest", "hmac", "argon", "bcrypt", "scrypt", "pbkdf", "base64", "base32", "oauth", "utf", "ascii", "http", "ipv", "iso", "rfc", "x509", "totp", "mfa", "2fa", "pkcs", "aes", "rsa", "ed25519", "web3", "log4j", "wpa", "section", "step", "chapter", "table", "figure", "user", "python", "windows", "level"} {
		if strings.HasPrefix(low, name) {
			return false
		}
	}
	return strings.Count(v, ".") < 2 && !member(v)
}

// strict says whether nothing has to say that v is a value.
func strict(v string) bool {
	s := shapeOf(v)
	return len(v) >= 7 && s.digits > 0 && (s.lower > 0 && s.upper > 0 || s.other > 0 && strings.ContainsAny(v, "!@#$%^&*?"))
}

// afterLogin says whether "login NAME" stands before, as in ~/.netrc.
func afterLogin(before string) bool {
	fields := strings.Fields(before[max(0, len(before)-80):])
	n := len(fields)
	return n >= 2 && (fields[n-2] == "login" || fields[n-2] == "user")
}

// pair looks for NAME / PASSWORD after a word for both.
func (w told) pair(s *scan, at int) {
	t := s.text
	if at > 0 && t[at] < utf8.RuneSelf && wordByte(t[at-1]) {
		return
	}
	i := skipQuotes(t, at+len(w.word))
	for _, word := range []string{":", "are ", "is ", "sind ", "sont ", "son ", "sono ", "são "} {
		if hasFold(t[i:], word) {
			i = skipQuotes(t, i+len(word))
			break
		}
	}
	start, end := run(t, i, func(c byte) bool { return alnum(c) || strings.IndexByte("._@-", c) >= 0 }, 48)
	if end-start < 2 || start == at+len(w.word) || !s.spend(end-start) {
		return
	}
	i = skipQuotes(t, end)
	if i >= len(t) || t[i] != '/' && t[i] != ':' || i == end && t[i] == '/' {
		return
	}
	start, end = toldToken(t, skipQuotes(t, i+1))
	if v := t[start:end]; tellsValue(v) && strict(v) {
		s.tell(start, end)
	}
}
