package shroud

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/shroud/detect/pii"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// hardBlock is the score above which an injection does not pass, whatever the
// agent's threshold.
const hardBlock = 0.9

var errBlocked = fault.New(fault.Denied, "blocked", "the request was blocked by inspection")

// Threat is something that was found. Nothing of the text is in it.
type Threat struct {
	Type     string `json:"threat_type"`
	Pattern  string `json:"pattern"`
	Location string `json:"location,omitempty"`
	Severity string `json:"severity"`
}

// inspection is what was found in a call, both ways, and what becomes of it.
type inspection struct {
	threats   []Threat
	redacted  int // values of vaults, credentials and personal data replaced
	injection float64
	pii       bool
	unicode   bool
}

// maxThreats bounds what is remembered of one call.
const maxThreats = 100

// judge is an inspection of one request.
type judge struct {
	c       *call
	blocked string // why it may not pass
}

// nothing is what is looked for where the policy wants no values replaced.
var nothing = new(redact.Matcher)

// inspect looks at all that the request says.
func (c *call) inspect() (err error) {
	c.matcher = nothing
	if c.policy.Redact {
		if c.matcher, _, err = c.s.Manifests.For(c.ctx, c.agent.Principal); err != nil {
			return err
		}
	}
	if c.model, _ = c.matcher.Redact(shown(c.model)); c.req == nil {
		return c.around()
	}
	if c.edits, err = c.look(&c.req.Message); err != nil {
		return err
	}
	return c.around()
}

// around looks at what is beside the body: a value in a path or a query is no
// mistake that could be mended on the way.
func (c *call) around() error {
	query, err := url.QueryUnescape(c.r.URL.RawQuery)
	if err != nil || len(c.matcher.Find(c.r.URL.Path)) > 0 || len(c.matcher.Find(query)) > 0 {
		return errBlocked.Detail("the request was blocked by inspection: its URL holds a secret, or cannot be read")
	}
	return nil
}

// look inspects a request and returns what its texts become. It refuses one that the
// policy blocks.
func (c *call) look(m *provider.Message) (map[int]string, error) {
	j := &judge{c: c}
	c.tokens.OneWay = true
	c.texts = make([]*reading, len(m.Texts))
	for i, t := range m.Texts {
		c.tokens.Reserve(t.Value) // what looks like a token already keeps its number
		c.texts[i] = c.reading(t)
	}
	edits := map[int]string{}
	for i, t := range m.Texts {
		if out := j.text(t, c.texts[i]); out != t.Value {
			edits[i] = out
		}
	}
	if j.blocked != "" {
		return nil, errBlocked.Detail("the request was blocked by inspection: %s", j.blocked)
	}
	return edits, nil
}

// reading is what there is to know of a text of the request. What machines say to each
// other has values of vaults at most.
func (c *call) reading(t provider.Text) *reading {
	if t.Kind == provider.Label || t.Kind == provider.ToolName || t.Signed {
		return c.s.seen.of(t.Value, c.matcher, nil, "")
	}
	as, _ := contextOf(t)
	return c.s.seen.of(t.Value, c.matcher, c.policy.Detect, as)
}

// text is what becomes of one text.
func (j *judge) text(t provider.Text, r *reading) string {
	if r.leaks > 0 {
		j.c.found.redacted += r.leaks
		j.c.found.unicode = j.c.found.unicode || r.masked
		j.c.found.add(leak(place(t)))
	}
	if r.report == nil {
		return r.bare
	}
	return j.judge(t, r.bare, r.report)
}

// judge inspects a text that the values of the vaults are out of already.
func (j *judge) judge(t provider.Text, text string, r *detect.Report) string {
	as, judged := contextOf(t)
	var edits []edit
	if judged {
		if as == detect.Document && j.withholds(text, r) {
			j.c.found.add(Threat{Type: string(detect.ContextInjection), Pattern: "withheld", Location: place(t), Severity: "high"})
			j.c.found.injection = max(j.c.found.injection, r.ContextInjectionScore)
			return withheld
		}
		edits = j.threats(t, as, text, r)
		j.score(t, r)
	}
	edits = append(edits, j.private(t, judged, text, r)...)
	out := apply(text, edits)
	if judged && r.UnicodeNormalized && j.c.policy.Detect.Config().Unicode.Enabled && tricked(r) {
		j.c.found.unicode = true
		out = j.c.policy.Detect.Config().Unicode.Clean(out).Text
	}
	return out
}

// withholds reports whether nothing of a document may pass: it gives orders, and they
// are to be refused or, where they are to be cut out, cannot be.
func (j *judge) withholds(text string, r *detect.Report) bool {
	if !j.tooHigh(r) {
		return false
	}
	switch j.c.policy.Detect.Config().SanitizationMode {
	case "log_only":
		return false
	case "surgical":
		cuts := orders(r)
		return len(cuts) == 0 || j.tooHigh(j.c.s.seen.report(apply(text, cuts), j.c.policy.Detect, detect.Document))
	}
	return true
}

// withheld takes the place of what a tool brings, or a document, that gives orders to
// the model. To refuse the whole request would refuse the conversation for good: it
// is sent again with every turn.
const withheld = "[Withheld by Shroud: this text gives orders to the assistant.]"

// contextOf is what a text came as, and whether it is judged for threats. What the
// application configures is not, nor what the model said before, which was judged
// when it came.
func contextOf(t provider.Text) (as detect.Context, judged bool) {
	switch {
	case t.Kind == provider.ToolSchema || t.Kind == provider.Failure:
		return detect.Output, false
	case t.Kind == provider.ToolResult || t.Kind == provider.Document || t.Role == provider.Tool:
		return detect.Document, true
	case t.Role == provider.User:
		return detect.Input, true
	}
	return detect.Output, false
}

func tricked(r *detect.Report) bool {
	return slices.ContainsFunc(r.Threats, func(f detect.Finding) bool { return f.Type == detect.Unicode })
}

// threats does what the policy says about each threat, and returns what is to be
// taken out.
func (j *judge) threats(t provider.Text, as detect.Context, text string, r *detect.Report) (edits []edit) {
	policy := j.c.policy.Detect
	for _, f := range r.Threats {
		if f.Type == detect.Unicode || f.Type == detect.PromptInjection || f.Type == detect.ContextInjection {
			j.c.found.add(threat(t, f))
			continue // normalised; judged by their score
		}
		action := policy.Action(f)
		if as == detect.Document && f.Type == detect.CommandInjection && action == detect.Block {
			action = detect.Warn // programs are what tools and documents are full of
		}
		j.c.found.add(threat(t, f))
		switch action {
		case detect.Block:
			j.block(f)
		case detect.Sanitize:
			edits = append(edits, edit{f.Start, f.End, ""})
		case detect.Decode:
			if decoded, ok := decode(text, f); ok {
				edits = append(edits, edit{f.Start, f.End, decoded})
			}
		}
	}
	return append(edits, j.surgery(r)...)
}

// surgery takes injections out, where the policy wants that instead of a refusal.
func (j *judge) surgery(r *detect.Report) (edits []edit) {
	conf := j.c.policy.Detect.Config()
	if conf.SanitizationMode != "surgical" || !j.tooHigh(r) {
		return nil
	}
	if edits = orders(r); len(edits) == 0 { // it is all of the text
		j.block(detect.Finding{Type: detect.PromptInjection, Pattern: "score"})
	}
	return edits
}

// orders are the stretches that give orders, cut out.
func orders(r *detect.Report) (cuts []edit) {
	for _, f := range r.Threats {
		if f.Type == detect.PromptInjection || f.Type == detect.ContextInjection {
			cuts = append(cuts, edit{f.Start, f.End, "[REMOVED]"})
		}
	}
	return cuts
}

func (j *judge) tooHigh(r *detect.Report) bool {
	conf := j.c.policy.Detect.Config()
	return r.InjectionScore > conf.InjectionThreshold || r.ContextInjectionScore > conf.ContextInjectionThreshold ||
		r.InjectionScore > hardBlock || r.ContextInjectionScore > hardBlock
}

// score judges by the scores of injection.
func (j *judge) score(t provider.Text, r *detect.Report) {
	score := max(r.InjectionScore, r.ContextInjectionScore)
	j.c.found.injection = max(j.c.found.injection, score)
	if !j.tooHigh(r) {
		return
	}
	kind := detect.PromptInjection
	if r.ContextInjectionScore >= r.InjectionScore {
		kind = detect.ContextInjection
	}
	switch j.c.policy.Detect.Config().SanitizationMode {
	case "surgical", "log_only":
		j.c.found.add(Threat{Type: string(kind), Pattern: "score", Location: place(t), Severity: "high"})
	default:
		j.block(detect.Finding{Type: kind, Pattern: "score"})
	}
}

// private takes out credentials and personal data, as the policy says.
func (j *judge) private(t provider.Text, judged bool, text string, r *detect.Report) (edits []edit) {
	policy := j.c.policy.Detect
	for _, f := range r.Secrets {
		j.c.found.add(threat(t, f))
		if policy.Action(f) == detect.Sanitize {
			edits = append(edits, edit{f.Start, f.End, "[REDACTED:" + f.Pattern + "]"})
			j.c.found.redacted++
		}
	}
	// Configuration and calls of tools have to stay what they are, but for what was put
	// back into the model's own words.
	own := j.c.restores() && t.Role == provider.Assistant
	if !judged && !own {
		return edits
	}
	for _, f := range r.PII {
		if pii.Weak(f.Pattern) || f.Pattern == pii.IP && f.Severity <= detect.Low {
			continue // too often wrong, or of no person, to act on
		}
		j.c.found.pii = true
		switch policy.Action(f) {
		case detect.Block:
			if judged {
				j.block(f)
			}
		case detect.Sanitize:
			edits = append(edits, edit{f.Start, f.End, j.token(text[f.Start:f.End], f.Pattern)})
			j.c.found.redacted++
		}
	}
	return edits
}

// token stands for personal data: the same for the same value in the whole message,
// and, as a conversation is sent again from its beginning, in the next one.
func (j *judge) token(value, kind string) string {
	return j.c.tokens.Redact(value, []pii.Match{{Type: kind, End: len(value)}})
}

// block refuses the message.
func (j *judge) block(f detect.Finding) {
	if j.blocked == "" {
		j.blocked = strings.ReplaceAll(string(f.Type), "_", " ") + " (" + f.Pattern + ")"
	}
}

func threat(t provider.Text, f detect.Finding) Threat {
	at := place(t)
	if f.Location != "" && f.Location != "text" {
		at += ": " + f.Location
	}
	return Threat{Type: string(f.Type), Pattern: f.Pattern, Location: at, Severity: f.Severity.String()}
}

// place says where a text is, without a word of it.
func place(t provider.Text) string { return t.Role.String() + " " + t.Kind.String() }

// leak is a value of a vault that was taken out.
func leak(at string) Threat {
	return Threat{Type: "secret_leak", Pattern: "vault_value", Location: at, Severity: "critical"}
}

func (in *inspection) add(t Threat) {
	if len(in.threats) < maxThreats && !slices.Contains(in.threats, t) {
		in.threats = append(in.threats, t)
	}
}

// decode is what the span of a finding reads like, decoded.
func decode(text string, f detect.Finding) (string, bool) {
	views, _ := view.Views(view.Normalise(text), view.Budget{})
	for _, v := range views[1:] {
		if v.Start == f.Start && v.End == f.End {
			return v.Text, true
		}
	}
	return "", false
}

// edit is a stretch of a text and what takes its place.
type edit struct {
	start, end int
	with       string
}

// apply makes edits. Where they overlap, the one that begins first wins, and of
// those the longest; nothing that any of them would have taken out stays.
func apply(text string, edits []edit) string {
	if len(edits) == 0 {
		return text
	}
	slices.SortStableFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	var out strings.Builder
	at := 0
	for _, e := range edits {
		if e.start >= at {
			out.WriteString(text[at:e.start])
			out.WriteString(e.with)
		}
		at = max(at, e.end)
	}
	out.WriteString(text[at:])
	return out.String()
}
