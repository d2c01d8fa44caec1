package shroud

import (
	"encoding/json"
	"net/http"

	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// Threat is something that was found. Nothing of the text is in it.
type Threat struct {
	Type     string `json:"threat_type"`
	Pattern  string `json:"pattern"`
	Location string `json:"location,omitempty"`
	Severity string `json:"severity"`
}

// inspection is what was found in a call, and what becomes of its request.
type inspection struct {
	edits     map[int]string
	threats   []Threat
	redacted  int
	injection float64
	pii       bool
	unicode   bool
}

// headerInspection tells the agent what was found (X-Shroud-Inspection).
const headerInspection = "X-Shroud-Inspection"

func (in *inspection) header(h http.Header) {
	raw, err := json.Marshal(struct {
		Unicode   bool    `json:"unicode_normalized"`
		Injection float64 `json:"injection_score"`
		PII       bool    `json:"pii_detected"`
	}{in.unicode, in.injection, in.pii})
	if err == nil {
		h.Set(headerInspection, string(raw))
	}
}

// inspect looks at all that the request says.
func (c *call) inspect() error {
	m, _, err := c.s.Manifests.For(c.ctx, c.agent.Principal)
	if err != nil {
		return err
	}
	if c.matcher = m; !c.policy.Redact {
		c.matcher = new(redact.Matcher)
	}
	if c.req == nil {
		return nil
	}
	c.asked.edits, err = c.inspectAnswer(&c.req.Message)
	return err
}

// inspectAnswer looks at all that a message says.
func (c *call) inspectAnswer(m *provider.Message) (map[int]string, error) {
	edits := map[int]string{}
	for i, t := range m.Texts {
		text, hits := c.matcher.Redact(t.Value)
		if len(hits) > 0 {
			edits[i] = text
			c.asked.redacted += len(hits)
		}
	}
	return edits, nil
}
