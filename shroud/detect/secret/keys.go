package secret

import "strings"

// pem looks for a private key in PEM, whole or cut off.
func (s *scan) pem(at int) {
	t := s.text
	line := t[at:min(len(t), at+120)]
	label, _, ok := strings.Cut(line[len("-----begin"):], "-----")
	if !ok || !strings.Contains(strings.ToUpper(label), "PRIVATE KEY") {
		return
	}
	body := at + len("-----begin") + len(label) + len("-----")
	if !s.spend(min(len(t)-body, 16<<10)) {
		return
	}
	end := len(t)
	if n := strings.Index(t[body:min(len(t), body+16<<10)], "-----END"); n >= 0 {
		end = body + n
		if _, after, ok := strings.Cut(t[end+5:min(len(t), end+120)], "-----"); ok {
			end = min(len(t), end+120) - len(after)
		}
	}
	stop, drawn := keyBody(t[body:min(end, body+16<<10)])
	if drawn < 24 {
		return
	}
	if end == len(t) && !strings.HasSuffix(t, "-----") {
		end = body + stop
	}
	s.report(Match{Rule: "private-key", Start: at, End: end, Severity: Critical, Score: 0.98, Why: "it is a private key in PEM"})
}

// keyBody is how far base64 goes on in t over line breaks, spaces, quotes and headers, and how many
// characters of it there are in lines that look drawn.
func keyBody(t string) (end, drawn int) {
	for i := 0; i < len(t); {
		start, stop := run(t, i, func(c byte) bool { return alnum(c) || c == '+' || c == '/' || c == '=' }, len(t))
		if v := t[start:stop]; len(v) >= 16 && shapeOf(v).different >= 8 && shapeOf(v).steps*3 < len(v) && !placeholder(v) {
			drawn, end = drawn+len(v), stop
		} else if len(v) > 0 && end > 0 && stop-end > 80 {
			return end, drawn
		}
		i = max(stop, start+1)
		if stop > start {
			i = stop + 1
		}
	}
	return end, drawn
}

// wrappedPEM looks for a private key whose PEM is in base64 once more.
func (s *scan) wrappedPEM(at int) {
	_, end := run(s.text, at, base64any, 16<<10)
	head := s.text[at:min(end, at+80)]
	if !s.spend(end - at) {
		return
	}
	if strings.Contains(string(decoded(head[:len(head)/4*4])), "PRIVATE KEY") && end-at > 100 {
		s.report(Match{Rule: "private-key", Start: at, End: end, Severity: Critical, Score: 0.95, Why: "it is a private key in PEM, in base64"})
	}
}

// putty looks for the private part of a key of PuTTY.
func (s *scan) putty(at int) {
	if !s.spend(min(len(s.text)-at, 8<<10)) {
		return
	}
	if end, drawn := keyBody(s.text[at:min(len(s.text), at+8<<10)]); drawn >= 32 {
		s.report(Match{Rule: "private-key", Start: at, End: at + end, Severity: Critical, Score: 0.95, Why: "it is the private part of a PuTTY key"})
	}
}

// derStarts are how private keys begin in base64, without their frame: RSA of the usual sizes
// by itself and in PKCS #8, elliptic curves, OpenSSH.
var derStarts = []string{
	"MIIEvQIBADANBg", "MIIEvgIBADANBg", "MIIEvAIBADANBg", "MIIJQgIBADANBg", "MIIJQwIBADANBg", "MIIJRAIBADANBg", "MIIEpAIBAAKC", "MIIEowIBAAKC", "MIIEogIBAAKC", "MIIJKAIBAAKC",
	"MIIJKQIBAAKC", "MIIJKgIBAAKC", "MIICXAIBAAKB", "MIICXQIBAAKB", "MIICWwIBAAKB", "MIICdgIBADANBg", "MIICdwIBADANBg", "MIICeAIBADANBg", "MHcCAQEEI", "MIGkAgEBBD", "MIGHAgEAMBMGBy", "MC4CAQAwBQYDK2Vw", "MFECAQEwBQYDK2Vw", "MIIBOgIBAAJB", "MIIBOwIBAAJB", "b3BlbnNzaC1rZXktdjE",
}

func (s *scan) der(at int) {
	t := s.text
	if at > 0 && base64any(t[at-1]) && t[at-1] != '=' {
		return
	}
	for _, start := range derStarts {
		if !strings.HasPrefix(t[at:], start) {
			continue
		}
		if !s.spend(min(len(t)-at, 8<<10)) {
			return
		}
		if end, drawn := keyBody(t[at:min(len(t), at+8<<10)]); drawn >= 40 {
			s.report(Match{Rule: "private-key", Start: at, End: at + end, Severity: Critical, Score: 0.9, Why: "it begins as the encoding of a private key does"})
		}
		return
	}
}

// jwk looks for the private part of a JSON web key.
func (s *scan) jwk(at int) {
	t := s.text
	i := at + len(`"d"`)
	for i < len(t) && i-at < 12 && (space(t[i]) || t[i] == ':' || t[i] == '"') {
		i++
	}
	start, end := run(t, i, base64url, 2048)
	if end-start < 20 || end >= len(t) || t[end] != '"' || !s.spend(3000) || !drawn(t[start:end]) {
		return
	}
	if around := t[max(0, at-1500):min(len(t), end+1500)]; strings.Contains(around, `"kty"`) && (t[at+1] == 'd' || strings.Contains(around, `"oct"`)) {
		s.report(Match{Rule: "jwk", Start: start, End: end, Severity: Critical, Score: 0.97, Why: "it is the private part of a JSON web key"})
	}
}
