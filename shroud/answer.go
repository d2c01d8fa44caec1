package shroud

import (
	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/shroud/detect/secret"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// inspectAnswer looks at what a whole answer says.
func (c *call) inspectAnswer(m *provider.Message) (map[int]string, error) {
	edits := map[int]string{}
	for i, t := range m.Texts {
		out, err := c.answerText(t)
		if err != nil {
			return nil, err
		}
		if out != t.Value {
			edits[i] = out
		}
	}
	return edits, nil
}

// answerText is what becomes of a text of an answer: the values of the vaults are
// out of it, and credentials, and a call of a tool is not one that nobody should
// make.
func (c *call) answerText(t provider.Text) (string, error) {
	out, hits := c.matcher.Redact(t.Value)
	if len(hits) > 0 {
		c.found.redacted += len(hits)
		c.found.add(leak(place(t)))
	}
	if !c.policy.FilterAnswers || t.Signed || t.Kind == provider.Label || t.Kind == provider.ToolName {
		return c.restored(t, out), nil
	}
	if t.Kind == provider.ToolCall {
		if err := c.toolCall(t, out); err != nil {
			return "", err
		}
	}
	return c.restored(t, c.credentials(out, place(t))), nil
}

// credentials takes credentials out of a text.
func (c *call) credentials(text, at string) string {
	var edits []edit
	for _, m := range secret.Find(text) {
		c.found.redacted++
		c.found.add(Threat{Type: "secret_leak", Pattern: m.Rule, Location: at, Severity: m.Severity})
		edits = append(edits, edit{m.Start, m.End, "[REDACTED:" + m.Rule + "]"})
	}
	return apply(text, edits)
}

// credentialsAfter is credentials for a text whose first bytes were shown already:
// what begins there and reaches beyond is cut short, not shown.
func (c *call) credentialsAfter(text string, shown int, at string) string {
	var edits []edit
	for _, m := range secret.Find(text) {
		if m.End <= shown {
			continue // it was seen, whole
		}
		c.found.redacted++
		c.found.add(Threat{Type: "secret_leak", Pattern: m.Rule, Location: at, Severity: m.Severity})
		edits = append(edits, edit{max(m.Start, shown), m.End, "[REDACTED:" + m.Rule + "]"})
	}
	if len(edits) == 0 {
		return text[shown:]
	}
	return apply(text, edits)[shown:]
}

// toolCall refuses the call of a tool that the policy blocks. Programs run commands
// and open addresses all day: what stops a call is what is critical.
func (c *call) toolCall(t provider.Text, text string) error {
	r := c.s.seen.report(text, c.policy.Detect, detect.Output)
	for _, f := range r.Threats {
		c.found.add(threat(t, f))
		if f.Severity == detect.Critical && serious(f) && c.policy.Detect.Action(f) == detect.Block {
			return errBlocked.Detail("the answer was blocked by inspection: the model calls a tool with %s (%s)", f.Type, f.Pattern)
		}
	}
	return nil
}

// serious is what no honest program does: open a shell to elsewhere, carry data
// away. That commands follow each other is what shells are for.
func serious(f detect.Finding) bool {
	return f.Pattern == "reverse_shell" || f.Pattern == "data_exfil"
}
