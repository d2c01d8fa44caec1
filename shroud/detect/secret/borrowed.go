package secret

import (
	"regexp"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
	"github.com/zricethezav/gitleaks/v8/config"
)

// borrowed is a rule of gitleaks: a regular expression that is compiled when a text first
// needs it.
type borrowed struct {
	ID          string
	Description string
	Regex       string
	SecretGroup int
	Entropy     float64
	Keywords    []string
	Allowlists  []allowlist

	expression func() *regexp.Regexp
	assigned   bool // what is looked for is assigned to a name with the keyword in it
}

// allowlist is what a rule must not report.
type allowlist struct {
	RegexTarget string
	Regexes     []string
	StopWords   []string
	Paths       []string
}

// ours are the rules of gitleaks that have rules of this package in their place: they
// need the whole text, or match what is no secret without the path of a file.
var ours = map[string]bool{
	"generic-api-key": true, "curl-auth-header": true, "curl-auth-user": true, "kubernetes-secret-yaml": true,
	"private-key": true, "jwt": true, "twilio-api-key": true, "facebook-access-token": true,
	"airtable-personnal-access-token": true, "sourcegraph-access-token": true, "vault-service-token": true,
	"pkcs12-file": true, "nuget-config-password": true, "freemius-secret-key": true, "hashicorp-tf-password": true,
}

// identifiers are assignments that gitleaks reports although their values open nothing by
// themselves.
var identifiers = []string{"client-id", "access-id", "user-api-id", "-pub-key", "pub-api-key"}

// assignment is how the expressions of assigned values can be told from the others.
const assignment = `(?:=|>|:{1,3}=`

// gitleaks is the rules of its default configuration.
func gitleaks() []*borrowed {
	var all struct{ Rules []*borrowed }
	if err := toml.Unmarshal([]byte(config.DefaultConfig), &all); err != nil {
		panic("secret: the rules of gitleaks are not what they were: " + err.Error())
	}
	for _, r := range all.Rules {
		r.expression = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(r.Regex) })
		r.assigned = strings.Contains(r.Regex, assignment)
	}
	return all.Rules
}

// borrow adds those that have none of ours in their place.
func borrow(e *engine) {
	for _, r := range gitleaks() {
		if ours[r.ID] || r.Regex == "" {
			continue
		}
		for _, word := range r.Keywords {
			e.on(strings.ToLower(word), r.at)
		}
	}
}

// at tries the rule at a keyword.
func (r *borrowed) at(s *scan, at int) {
	from, to, ok := r.window(s.text, at)
	if !ok || !s.spend(to-from) {
		return
	}
	where := r.expression().FindStringSubmatchIndex(s.text[from:to])
	if where == nil {
		return
	}
	start, end := r.group(where)
	start, end = start+from, end+from
	value := s.text[start:end]
	if r.Entropy > 0 && entropy(value) <= r.Entropy || placeholder(value) || shapeOf(value).longest > 6 || r.allowed(s.text[from+where[0]:from+where[1]], value) {
		return
	}
	m := Match{Rule: r.ID, Start: start, End: end, Severity: Critical, Score: 0.89, Why: "it has the format of: " + r.ID}
	if r.assigned {
		m.Severity, m.Score, m.Why = High, 0.85, "a value is assigned to a name of the service: "+r.ID
		if !random(value) && !uuid(value) {
			return
		}
	}
	for _, suffix := range identifiers {
		if strings.HasSuffix(r.ID, suffix) {
			m.Severity, m.Score = Medium, 0.6
		}
	}
	s.report(m)
}

// window is the part of t that an expression with a keyword at i can match in; false if
// it cannot.
func (r *borrowed) window(t string, i int) (from, to int, ok bool) {
	if r.assigned {
		start, end, ok := assignedNear(t, i)
		return i, min(end+4, len(t)), ok && end-start >= 8
	}
	from, to = i, i
	for from > 0 && i-from < 100 && !space(t[from-1]) {
		from--
	}
	for to < len(t) && to-i < 1024 && !space(t[to]) {
		to++
	}
	return max(0, from-1), min(to+1, len(t)), to-from >= 16
}

// assignedNear is the value assigned to the name that has i in it, in the loose sense of
// gitleaks: some twenty bytes further, after an operator.
func assignedNear(t string, i int) (start, end int, ok bool) {
	n := i
	for n < len(t) && n-i < 50 && (wordByte(t[n]) || t[n] == ' ' || t[n] == '\t') {
		n++
	}
	for k := 0; n < len(t) && k < 3 && (space(t[n]) || t[n] == '\'' || t[n] == '"'); k++ {
		n++
	}
	operator := n
	for n < len(t) && n-operator < 4 && strings.IndexByte("=>:|?,", t[n]) >= 0 {
		n++
	}
	if n == operator {
		return 0, 0, false
	}
	for k := 0; n < len(t) && k < 8 && (space(t[n]) || strings.IndexByte("'\"`=", t[n]) >= 0); k++ {
		n++
	}
	start = n
	for n < len(t) && n-start < 400 && !space(t[n]) && strings.IndexByte("'\"`;<", t[n]) < 0 {
		n++
	}
	return start, n, true
}

// group is the part of a match that is the secret.
func (r *borrowed) group(where []int) (start, end int) {
	if g := 2 * r.SecretGroup; g > 0 && g < len(where) && where[g] >= 0 {
		return where[g], where[g+1]
	}
	for g := 2; g < len(where); g += 2 {
		if where[g] >= 0 && where[g+1] > where[g] {
			return where[g], where[g+1]
		}
	}
	return where[0], where[1]
}

// allowed says whether the rule's own exceptions cover a match.
func (r *borrowed) allowed(match, value string) bool {
	for _, a := range r.Allowlists {
		if len(a.Paths) > 0 {
			continue
		}
		target := value
		if a.RegexTarget != "" {
			target = match
		}
		for _, expression := range a.Regexes {
			if ok, _ := regexp.MatchString(expression, target); ok {
				return true
			}
		}
		for _, word := range a.StopWords {
			if strings.Contains(strings.ToLower(value), word) {
				return true
			}
		}
	}
	return false
}
