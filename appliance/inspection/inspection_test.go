package inspection_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/inspection"
	"github.com/oneclaw/oneclawd/shroud/detect"
)

// Clients read every list, and both names of a place.
func TestOf(t *testing.T) {
	text := "Write to jane.doe@example.com."
	got := inspection.Of(detect.Inspect(text, detect.Options{}))
	if got.Verdict != "warning" || got.Safe || got.RedactedContent != "Write to [EMAIL_1]." || got.NormalizedContent != "" || len(got.PII) != 1 {
		t.Fatalf("%+v", got)
	}
	if f := got.PII[0]; text[f.Start:f.End] != "jane.doe@example.com" || f.Match != f.Location || f.Severity != "medium" || strings.Contains(f.Explanation, "jane") {
		t.Errorf("%+v", f)
	}
	raw, err := json.Marshal(inspection.Of(detect.Inspect("hello", detect.Options{})))
	for _, want := range []string{`"threats":[]`, `"pii":[]`, `"secrets":[]`, `"threat_count":0`} {
		if err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
}

func TestSum(t *testing.T) {
	all := []api.Inspection{{Verdict: "clean", Safe: true}, {Verdict: "malicious", ThreatCount: 2, InjectionScore: 0.8}, {Verdict: "warning", ThreatCount: 1, ContextInjectionScore: 0.3, Truncated: true}}
	if got := inspection.Sum(all); got.Verdict != "malicious" || got.Safe || got.ThreatCount != 3 || got.InjectionScore != 0.8 || got.ContextInjectionScore != 0.3 || !got.Truncated {
		t.Errorf("%+v", got)
	}
	if got := inspection.Sum(nil); got.Verdict != "clean" || !got.Safe || got.Threats == nil {
		t.Errorf("%+v", got)
	}
}
