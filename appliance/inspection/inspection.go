// Package inspection says what an inspection found in the words of the API, for all
// who answer with them.
//
// It must not know how texts are inspected.
package inspection

import (
	"math"
	"slices"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/shroud/detect"
)

// Of is what a report says.
func Of(r *detect.Report) api.Inspection {
	out := api.Inspection{
		Verdict: string(r.Verdict), Safe: r.Safe,
		InjectionScore: rounded(r.InjectionScore), ContextInjectionScore: rounded(r.ContextInjectionScore),
		ThreatCount: len(r.Threats), Threats: findings(r.Threats), PII: findings(r.PII), Secrets: findings(r.Secrets),
		UnicodeNormalized: r.UnicodeNormalized, Truncated: r.Cut,
	}
	for _, b := range r.CutBy {
		out.TruncatedBy = append(out.TruncatedBy, string(b))
	}
	if r.UnicodeNormalized {
		out.NormalizedContent = r.Text
	}
	if redacted := r.Redact(nil); redacted != r.Text {
		out.RedactedContent = redacted
	}
	return out
}

func findings(all []detect.Finding) []api.InspectionFinding {
	out := make([]api.InspectionFinding, len(all))
	for i, f := range all {
		out[i] = api.InspectionFinding{
			Type: string(f.Type), Pattern: f.Pattern, Severity: f.Severity.String(), Location: f.Location, Match: f.Location,
			Start: f.Start, End: f.End, Score: rounded(f.Score), Explanation: f.Why,
		}
	}
	return out
}

// rounded is a score to four decimals: more would promise more than there is.
func rounded(score float64) float64 { return math.Round(score*1e4) / 1e4 }

// Sum is what several texts are together: as bad as the worst of them.
func Sum(all []api.Inspection) api.Inspection {
	verdicts := map[string]int{string(detect.Clean): 0, string(detect.Warning): 1, string(detect.Suspicious): 2, string(detect.Malicious): 3}
	out := api.Inspection{Verdict: string(detect.Clean), Safe: true, Threats: findings(nil), PII: findings(nil), Secrets: findings(nil)}
	for _, one := range all {
		if verdicts[one.Verdict] > verdicts[out.Verdict] {
			out.Verdict = one.Verdict
		}
		out.Safe = out.Safe && one.Safe
		out.InjectionScore = max(out.InjectionScore, one.InjectionScore)
		out.ContextInjectionScore = max(out.ContextInjectionScore, one.ContextInjectionScore)
		out.ThreatCount += one.ThreatCount
		out.UnicodeNormalized = out.UnicodeNormalized || one.UnicodeNormalized
		out.Truncated = out.Truncated || one.Truncated
		for _, b := range one.TruncatedBy {
			if !slices.Contains(out.TruncatedBy, b) {
				out.TruncatedBy = append(out.TruncatedBy, b)
			}
		}
	}
	return out
}
