package shroud

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// What a call is refused with by the agent's policy.
var (
	errProviderNotAllowed = fault.New(fault.Denied, "provider_not_allowed", "the agent may not use this provider")
	errModelNotAllowed    = fault.New(fault.Denied, "model_not_allowed", "the agent may not use this model")
	errTooManyTokens      = fault.New(fault.Denied, "too_many_tokens", "the request has more tokens than the agent may send at once")
	errNoModel            = fault.New(fault.Invalid, "missing_model", "the request names no model")
)

// Policy is what an agent's shroud_config says about whom it may talk to and how
// much. Members that are not there have the published defaults; what is not known
// is passed over, since newer clients write more.
type Policy struct {
	AllowedProviders []string
	AllowedModels    []string
	DeniedModels     []string
	MaxInput         int      // tokens of a request; 0: any number
	Fallbacks        []string // PROVIDER/MODEL or MODEL, asked in this order where the model does not answer
	Limits           meter.Limits
	Detect           *detect.Policy
	Redact           bool // secrets of the vaults
	RestorePII       bool // in answers, what was replaced in the request
	FilterAnswers    bool
	LogThreats       bool
	KeepFlagged      time.Duration // requests in which something was found; 0: they are not kept
}

// policyJSON is how it is written. A pointer tells "not there" from zero.
type policyJSON struct {
	AllowedProviders []string `json:"allowed_providers"`
	AllowedModels    []string `json:"allowed_models"`
	DeniedModels     []string `json:"denied_models"`
	Fallbacks        []string `json:"fallback_models"`
	MaxInput         *int     `json:"max_tokens_per_request"`
	PerMinute        *int64   `json:"max_requests_per_minute"`
	PerDay           *int64   `json:"max_requests_per_day"`
	Budget           *float64 `json:"daily_budget_usd"`
	RestorePII       *bool    `json:"restore_pii"`
	Redact           *bool    `json:"enable_secret_redaction"`
	FilterAnswers    *bool    `json:"enable_response_filtering"`
	LogThreats       *bool    `json:"threat_logging"`
	KeepDays         *int     `json:"flagged_request_retention_days"`
}

// The published defaults.
const (
	defaultMaxInput  = 8192
	defaultPerMinute = 60
	defaultPerDay    = 10_000
)

// maxFallbacks bounds how many models are asked after the first.
const maxFallbacks = 4

// maxKeepDays bounds how long requests are kept.
const maxKeepDays = 365

// ParsePolicy reads a shroud_config. One that cannot be read forbids everything:
// that is the caller's to say.
func ParsePolicy(config json.RawMessage) (Policy, error) {
	var in policyJSON
	if len(config) > 0 {
		if err := json.Unmarshal(config, &in); err != nil {
			return Policy{}, err
		}
	}
	conf, err := detect.ParseConfig(config)
	if err != nil {
		return Policy{}, err
	}
	texts, err := detect.NewPolicy(conf)
	if err != nil {
		return Policy{}, err
	}
	return Policy{
		Detect:           texts,
		AllowedProviders: canonical(in.AllowedProviders), AllowedModels: in.AllowedModels, DeniedModels: in.DeniedModels,
		Fallbacks: in.Fallbacks[:min(len(in.Fallbacks), maxFallbacks)],
		MaxInput:  or(in.MaxInput, defaultMaxInput),
		Limits:    meter.Limits{PerMinute: or(in.PerMinute, defaultPerMinute), PerDay: or(in.PerDay, defaultPerDay), Budget: meter.USD(or(in.Budget, 0))},
		Redact:    or(in.Redact, true), RestorePII: or(in.RestorePII, false), FilterAnswers: or(in.FilterAnswers, true), LogThreats: or(in.LogThreats, true),
		KeepFlagged: time.Duration(min(max(or(in.KeepDays, 0), 0), maxKeepDays)) * 24 * time.Hour,
	}, nil
}

func or[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

func canonical(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = provider.Canonical(strings.ToLower(n))
	}
	return out
}

// Provider reports whether the agent may use a provider.
func (p Policy) Provider(name string) error {
	if len(p.AllowedProviders) > 0 && !slices.Contains(p.AllowedProviders, name) {
		return errProviderNotAllowed.Detail("the agent may not use the provider %s", name)
	}
	return nil
}

// Model reports whether the agent may use a model. Denials win.
func (p Policy) Model(name string) error {
	if matches(p.DeniedModels, name) || len(p.AllowedModels) > 0 && !matches(p.AllowedModels, name) {
		return errModelNotAllowed.Detail("the agent may not use the model %s", shown(name))
	}
	return nil
}

// matches looks for a name among patterns, in any case: providers do not tell
// GPT-4 from gpt-4. A pattern that is none denies, and allows, nothing but itself.
func matches(patterns []string, name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "/", "\x00")) // * crosses it
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		pattern = strings.ToLower(strings.ReplaceAll(pattern, "/", "\x00"))
		ok, err := path.Match(pattern, name)
		return ok || err != nil && pattern == name
	})
}
