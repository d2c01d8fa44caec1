package api

// ShroudConfig says what an agent's shroud_config holds by the published API.
// It describes; nothing is decoded into it. The field itself is an Object that
// is kept as it came: clients send members and values that are not listed here,
// and must find them again.
type ShroudConfig struct {
	PIIPolicy                 string   `json:"pii_policy,omitempty" enum:"block,redact,warn,allow" default:"redact"`
	InjectionThreshold        float64  `json:"injection_threshold,omitempty" minimum:"0" maximum:"1" default:"0.7"`
	ContextInjectionThreshold float64  `json:"context_injection_threshold,omitempty" minimum:"0" maximum:"1" default:"0.7"`
	AllowedProviders          []string `json:"allowed_providers,omitempty"`
	AllowedModels             []string `json:"allowed_models,omitempty"`
	DeniedModels              []string `json:"denied_models,omitempty"`
	MaxTokensPerRequest       int32    `json:"max_tokens_per_request,omitempty"`
	MaxRequestsPerMinute      int32    `json:"max_requests_per_minute,omitempty"`
	MaxRequestsPerDay         int32    `json:"max_requests_per_day,omitempty"`
	DailyBudgetUSD            float64  `json:"daily_budget_usd,omitempty"`
	EnableSecretRedaction     bool     `json:"enable_secret_redaction,omitempty" default:"true"`
	EnableResponseFiltering   bool     `json:"enable_response_filtering,omitempty" default:"true"`
	SanitizationMode          string   `json:"sanitization_mode,omitempty" enum:"block,surgical,log_only" default:"block"`
	ThreatLogging             bool     `json:"threat_logging,omitempty" default:"true"`

	UnicodeNormalization       UnicodeNormalizationConfig `json:"unicode_normalization,omitzero"`
	CommandInjectionDetection  CommandInjectionConfig     `json:"command_injection_detection,omitzero"`
	SocialEngineeringDetection SocialEngineeringConfig    `json:"social_engineering_detection,omitzero"`
	EncodingDetection          EncodingDetectionConfig    `json:"encoding_detection,omitzero"`
	NetworkDetection           NetworkDetectionConfig     `json:"network_detection,omitzero"`
	FilesystemDetection        FilesystemDetectionConfig  `json:"filesystem_detection,omitzero"`
}

// UnicodeNormalizationConfig is a part of ShroudConfig.
type UnicodeNormalizationConfig struct {
	Enabled             bool   `json:"enabled,omitempty" default:"true"`
	StripZeroWidth      bool   `json:"strip_zero_width,omitempty" default:"true"`
	NormalizeHomoglyphs bool   `json:"normalize_homoglyphs,omitempty" default:"true"`
	NormalizationForm   string `json:"normalization_form,omitempty" enum:"NFC,NFKC,NFD,NFKD" default:"NFKC"`
}

// CommandInjectionConfig is a part of ShroudConfig.
type CommandInjectionConfig struct {
	Enabled        bool     `json:"enabled,omitempty" default:"true"`
	Action         string   `json:"action,omitempty" enum:"block,sanitize,warn,log" default:"block"`
	Patterns       string   `json:"patterns,omitempty" enum:"default,strict,custom" default:"default"`
	CustomPatterns []string `json:"custom_patterns,omitempty"`
}

// SocialEngineeringConfig is a part of ShroudConfig.
type SocialEngineeringConfig struct {
	Enabled     bool   `json:"enabled,omitempty" default:"true"`
	Action      string `json:"action,omitempty" enum:"block,warn,log" default:"warn"`
	Sensitivity string `json:"sensitivity,omitempty" enum:"low,medium,high" default:"medium"`
}

// EncodingDetectionConfig is a part of ShroudConfig.
type EncodingDetectionConfig struct {
	Enabled             bool   `json:"enabled,omitempty" default:"true"`
	Action              string `json:"action,omitempty" enum:"block,decode,warn,log" default:"warn"`
	DetectBase64        bool   `json:"detect_base64,omitempty" default:"true"`
	DetectHex           bool   `json:"detect_hex,omitempty" default:"true"`
	DetectUnicodeEscape bool   `json:"detect_unicode_escape,omitempty" default:"true"`
}

// NetworkDetectionConfig is a part of ShroudConfig.
type NetworkDetectionConfig struct {
	Enabled        bool     `json:"enabled,omitempty" default:"true"`
	Action         string   `json:"action,omitempty" enum:"block,warn,log" default:"warn"`
	BlockedDomains []string `json:"blocked_domains,omitempty"`
	AllowedDomains []string `json:"allowed_domains,omitempty"`
}

// FilesystemDetectionConfig is a part of ShroudConfig.
type FilesystemDetectionConfig struct {
	Enabled      bool     `json:"enabled,omitempty" default:"false"`
	Action       string   `json:"action,omitempty" enum:"block,sanitize,warn,log" default:"log"`
	BlockedPaths []string `json:"blocked_paths,omitempty"`
}
