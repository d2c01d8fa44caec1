package appliance

import (
	"testing"

	"github.com/oneclaw/oneclawd/shroud"
)

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		status  int
		refusal string
		want    string
	}{
		{200, "", "answered"},
		{404, "", "answered"}, // the provider says so
		{429, "", "answered"},
		{503, "", "failed"},
		{403, "blocked", "blocked"},
		{403, "tool_call_too_long", "blocked"},
		{403, "model_not_allowed", "refused"},
		{401, "no_api_key", "refused"},
		{429, "llm_daily_budget", "limited"},
		{429, "llm_requests_per_minute", "limited"},
		{502, "bad_gateway", "failed"},
		{500, "internal", "failed"},
		{503, "sealed", "failed"},
	} {
		if got := outcome(shroud.Report{Status: c.status, Refusal: c.refusal}); got != c.want {
			t.Errorf("%d %s is %s, not %s", c.status, c.refusal, got, c.want)
		}
	}
	if got := outcome(shroud.Report{Status: 200, Left: true}); got != "abandoned" {
		t.Errorf("who left was %s", got)
	}
}
