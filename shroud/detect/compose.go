package detect

import (
	"github.com/oneclaw/oneclawd/shroud/detect/injection"
	"github.com/oneclaw/oneclawd/shroud/detect/secret"
)

// secrets finds credentials, in the text and in what was decoded from it.
func (r *reading) secrets() {
	for _, v := range r.places {
		if v.index > 0 && r.known(v) {
			continue
		}
		found, cut := secret.Search(v.text)
		r.over(OfCredentials, cut)
		for _, m := range found {
			r.add(v, Finding{Type: SecretLeak, Pattern: m.Rule, Severity: severity(m.Severity), Score: m.Score, Why: m.Why}, m.Start, m.End)
			p := part{start: m.Start, end: m.End, secret: m.Rule}
			if v.index > 0 {
				p.start, p.end = within(r.normal, v.start, v.end)
			}
			r.report.parts = append(r.report.parts, p)
		}
	}
}

// known reports whether a view was decoded from what is a credential already.
func (r *reading) known(v place) bool {
	for _, f := range r.report.Secrets {
		if f.Start <= v.start && v.end <= f.End {
			return true
		}
	}
	return false
}

// injections scores the text as what it came as. A finding for each reason is made
// where the score is worth a word; beyond the threshold it is bad, beyond hardBlock
// as bad as can be.
func (r *reading) injections() {
	const notable, hardBlock, reasons = 0.5, 0.9, 20
	role, typ, threshold, score := injection.User, PromptInjection, r.policy.config.InjectionThreshold, &r.report.InjectionScore
	if r.context == Document || r.context == Output {
		role, typ, threshold, score = injection.Document, ContextInjection, r.policy.config.ContextInjectionThreshold, &r.report.ContextInjectionScore
	}
	found := injection.Score(r.views, r.normal.Tricks, role)
	*score = found.Score
	bad := Medium
	switch {
	case found.Score > hardBlock:
		bad = Critical
	case found.Score > threshold:
		bad = High
	case found.Score <= notable:
		return
	}
	for i, h := range found.Hits {
		if r.ordered[h.View] = min(bad, High); i < reasons {
			r.add(r.places[h.View], Finding{Type: typ, Pattern: h.Rule, Severity: bad, Score: found.Score, Why: h.Why}, h.Start, h.End)
		}
	}
	if len(found.Hits) == 0 {
		r.add(r.places[0], Finding{Type: typ, Pattern: injection.Learned, Severity: bad, Score: found.Score, Why: "the text as a whole reads like an injection"}, 0, len(r.places[0].text))
	}
}
