package detect

import (
	"cmp"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/detect/pii"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// Options say how to inspect. The zero value is for what a user typed, by the
// defaults.
type Options struct {
	Context Context
	Policy  *Policy  // nil for the defaults
	Regions []string // countries whose numbers may be written without a code
	// Structured leaves out personal data that only its surroundings make likely,
	// such as names: half the work, for who does not act on it.
	Structured bool
}

// Report is what an inspection found. It may be shared, and so must not be
// changed.
type Report struct {
	Verdict Verdict
	Safe    bool // whether the verdict is clean

	// Scores are 0 to 1. Injection is for what a user or a model wrote,
	// ContextInjection for documents.
	InjectionScore        float64
	ContextInjectionScore float64

	Threats []Finding // in the order of their places
	PII     []Finding
	Secrets []Finding

	UnicodeNormalized bool   // whether Text differs from what came
	Text              string // what goes on: normalised as the policy wants it
	Cut               bool   // whether a budget ended the search early
	CutBy             []Budget

	parts []part // what Redact replaces in Text
}

// Inspect reads a text.
func Inspect(text string, o Options) *Report {
	return newReading(text, o).run()
}

func (r *reading) run() *Report {
	r.injections()
	r.encodings()
	r.tricks()
	for _, v := range r.places {
		r.rules(v)
		if r.policy.config.Network.Enabled {
			r.addresses(v)
		}
		r.filesystem(v)
	}
	r.secrets()
	r.personal()
	return r.sum()
}

// Budget is one of the bounds of what a text may cost beyond reading it. The page of the
// documentation on inspection says how much each is.
type Budget string

// Budgets.
const (
	OfViews       Budget = "views"         // what is hidden and encoded
	OfRules       Budget = "rules"         // regular expressions
	OfCredentials Budget = "credentials"   // where one may be
	OfPersonal    Budget = "personal_data" // numbers that may be phones
	OfFindings    Budget = "findings"      // those that are listed
)

// maxFindings is how many are listed, of threats, of personal data and of credentials.
const maxFindings = 500

// place is one view of the text, to be looked at by rules.
type place struct {
	index      int
	text       string
	lower      []byte // text in small letters
	chain      []string
	start, end int
}

// reading is one inspection.
type reading struct {
	policy     *Policy
	context    Context
	regions    []string
	structured bool
	text       string
	normal     view.Normal // what is judged
	clean      view.Normal // what goes on
	views      []view.View
	places     []place
	ordered    map[int]Severity // how bad are the orders to a model that views give
	effort     *effort
	report     *Report
}

func newReading(text string, o Options) *reading {
	r := &reading{policy: o.Policy, context: o.Context, regions: o.Regions, structured: o.Structured, text: text, normal: view.Normalise(text), ordered: map[int]Severity{}, report: &Report{}}
	if r.policy == nil {
		r.policy = standard()
	}
	views, cut := view.Views(r.normal, view.Budget{})
	r.views = views
	r.over(OfViews, cut)
	for i, v := range r.views {
		r.places = append(r.places, place{i, v.Text, lowered(v.Text), v.Chain, v.Start, v.End})
	}
	r.effort = newEffort(len(text))
	r.clean = r.normal
	if u := r.policy.config.Unicode; !u.thorough() {
		r.clean = u.Clean(text)
	}
	r.report.Text, r.report.UnicodeNormalized = r.clean.Text, r.clean.Changed
	return r
}

// rules tries the rules on one view. Words that a page hides in its attributes, or
// that were torn apart, were looked at where they stand.
func (r *reading) rules(v place) {
	r.policy.rules.find(v.lower, r.effort, r.policy.wanted, func(s span) {
		r.add(v, Finding{Type: s.rule.typ, Pattern: s.rule.pattern, Severity: s.rule.severity, Score: s.rule.score, Why: s.rule.why}, s.start, s.end)
	})
	if r.policy.config.Command.Enabled {
		for _, re := range r.policy.custom {
			text := v.text
			if r.effort.left -= len(text) / 4; r.effort.left < 0 {
				r.effort.cut = true
				return
			}
			for _, m := range re.FindAllStringIndex(text, maxFindings) {
				r.add(v, Finding{Type: CommandInjection, Pattern: "custom", Severity: High, Score: 0.8, Why: "a pattern of the policy"}, m[0], m[1])
			}
		}
	}
}

// add keeps a finding in a view. In the text itself it has a place of its own; in
// what was decoded it is all that was.
func (r *reading) add(v place, f Finding, start, end int) {
	f.Start, f.End, f.Location = v.start, v.end, strings.Join(v.chain, " > ")
	if v.index == 0 {
		f.Start, f.End = r.normal.Origin(start, end)
	}
	r.put(f)
}

// put keeps a finding by its place in the original.
func (r *reading) put(f Finding) {
	if f.Location == "" {
		f.Location = "text"
	}
	list := &r.report.Threats
	switch f.Type {
	case PII:
		list = &r.report.PII
	case SecretLeak:
		list = &r.report.Secrets
	}
	if len(*list) >= maxFindings {
		r.over(OfFindings, true)
		return
	}
	for i := len(*list) - 1; i >= 0 && i >= len(*list)-32; i-- { // the same again, by another rule or view
		if g := (*list)[i]; g.Type == f.Type && g.Pattern == f.Pattern && g.Start <= f.Start && f.End <= g.End && g.Severity >= f.Severity {
			return
		}
	}
	f.Start, f.End = runeBorder(r.text, f.Start), runeBorder(r.text, f.End)
	*list = append(*list, f)
}

// roomy reports whether more findings of threats are wanted. Who stops looking for
// them has cut the search.
func (r *reading) roomy() bool {
	full := len(r.report.Threats) >= maxFindings
	r.over(OfFindings, full)
	return !full
}

// over notes that a budget is used up, if it is.
func (r *reading) over(b Budget, cut bool) {
	if cut && !slices.Contains(r.report.CutBy, b) {
		r.report.Cut, r.report.CutBy = true, append(r.report.CutBy, b)
	}
}

// personal finds personal data.
func (r *reading) personal() {
	if r.policy.config.PIIPolicy == "allow" {
		return
	}
	found, cut := pii.Search(r.normal.Text, pii.Options{Regions: r.regions, Structured: r.structured})
	r.over(OfPersonal, cut)
	for _, m := range found {
		r.add(r.places[0], Finding{Type: PII, Pattern: m.Type, Severity: severity(m.Severity), Score: m.Score, Why: m.Why}, m.Start, m.End)
		r.report.parts = append(r.report.parts, part{start: m.Start, end: m.End, match: m})
	}
}

// sum ends the reading. Personal data that only its surroundings make likely, such
// as names, does not count for the verdict.
func (r *reading) sum() *Report {
	worst := None
	for _, list := range [][]Finding{r.report.Threats, r.report.PII, r.report.Secrets} {
		slices.SortStableFunc(list, func(a, b Finding) int { return cmp.Compare(a.Start, b.Start) })
		for _, f := range list {
			if f.Type != PII || !pii.Weak(f.Pattern) {
				worst = max(worst, f.Severity)
			}
		}
	}
	r.over(OfRules, r.effort.cut)
	r.report.Verdict = verdict(worst)
	r.report.Safe = worst == None
	r.settleParts()
	return r.report
}
