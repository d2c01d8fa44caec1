package mcp

import (
	"context"

	"github.com/oneclaw/oneclawd/shroud/detect"
)

type inspectArgs struct {
	Content string `json:"content" jsonschema:"The text"`
	Context string `json:"context,omitempty" jsonschema:"input for what goes to a tool or model, output for what came from one"`
}

// inspected is what was found. Clients of two generations read the last field of a
// threat under one name or the other.
type inspected struct {
	Verdict           string   `json:"verdict"`
	Safe              bool     `json:"safe"`
	ThreatCount       int      `json:"threat_count"`
	Threats           []threat `json:"threats"`
	UnicodeNormalized bool     `json:"unicode_normalized"`
	RedactedContent   string   `json:"redacted_content,omitempty"`
	NormalizedContent string   `json:"normalized_content,omitempty"`
}

type threat struct {
	Type     string `json:"type"`
	Pattern  string `json:"pattern"`
	Severity string `json:"severity"`
	Location string `json:"location"`
	Match    string `json:"match"`
}

func inspectContent(_ context.Context, c *call, in inspectArgs) (string, inspected, error) {
	as := detect.Output
	if in.Context == "input" {
		as = detect.Input
	}
	g := c.s.guard
	r := detect.Inspect(in.Content, detect.Options{Context: as, Policy: g.policy})
	out := inspected{Threats: []threat{}, UnicodeNormalized: r.UnicodeNormalized}
	worst := detect.None
	for _, f := range g.all(r, "content") {
		worst = max(worst, f.Severity)
		out.Threats = append(out.Threats, threat{string(f.Type), f.Pattern, f.Severity.String(), f.Location, f.Location})
	}
	if r.UnicodeNormalized {
		out.NormalizedContent = r.Text
	}
	known := g.watches.of(c.caller).matcher()
	if as == detect.Input {
		if path, found := known.in(in.Content); found {
			worst = detect.Critical
			out.Threats = append(out.Threats, threat{"secret_exfiltration", "known_secret:" + path, "critical", "text", "text"})
		}
	} else if clean, paths := known.out(in.Content); len(paths) > 0 {
		worst, out.RedactedContent = detect.Critical, clean
		for _, path := range paths {
			out.Threats = append(out.Threats, threat{"secret_leak", "redacted:" + path, "critical", "text", "text"})
		}
	}
	out.Verdict, out.ThreatCount = verdict(worst), len(out.Threats)
	out.Safe = out.Verdict == string(detect.Clean)
	return indented(out), out, nil
}

func verdict(worst detect.Severity) string {
	switch worst {
	case detect.None:
		return string(detect.Clean)
	case detect.Low, detect.Medium:
		return string(detect.Warning)
	case detect.High:
		return string(detect.Suspicious)
	}
	return string(detect.Malicious)
}
