package detect

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// Config says what counts and what is to be done about it: the fields of an agent's
// shroud_config that concern texts. Start from Defaults or Preset.
type Config struct {
	PIIPolicy                 string  `json:"pii_policy"` // block, redact, warn or allow
	InjectionThreshold        float64 `json:"injection_threshold"`
	ContextInjectionThreshold float64 `json:"context_injection_threshold"`
	SanitizationMode          string  `json:"sanitization_mode"` // block, surgical or log_only
	EnableSecretRedaction     bool    `json:"enable_secret_redaction"`
	EnableResponseFiltering   bool    `json:"enable_response_filtering"`

	Unicode    UnicodeConfig    `json:"unicode_normalization"`
	Command    CommandConfig    `json:"command_injection_detection"`
	Social     SocialConfig     `json:"social_engineering_detection"`
	Encoding   EncodingConfig   `json:"encoding_detection"`
	Network    NetworkConfig    `json:"network_detection"`
	Filesystem FilesystemConfig `json:"filesystem_detection"`
}

// UnicodeConfig is about what Unicode offers for hiding.
//
// Texts are judged without any of it, whatever this says; it says what is reported
// and how a text goes on.
type UnicodeConfig struct {
	Enabled             bool   `json:"enabled"`
	StripZeroWidth      bool   `json:"strip_zero_width"`
	NormalizeHomoglyphs bool   `json:"normalize_homoglyphs"`
	NormalizationForm   string `json:"normalization_form"` // NFC, NFKC, NFD or NFKD
}

// Clean is text as it goes on.
func (c UnicodeConfig) Clean(text string) view.Normal {
	if !c.Enabled {
		return view.Cleaning{}.Clean(text)
	}
	return view.Cleaning{Invisible: c.StripZeroWidth, Lookalikes: c.NormalizeHomoglyphs, Form: c.NormalizationForm}.Clean(text)
}

// thorough reports whether Clean is what texts are judged by.
func (c UnicodeConfig) thorough() bool {
	return c == UnicodeConfig{Enabled: true, StripZeroWidth: true, NormalizeHomoglyphs: true, NormalizationForm: "NFKC"}
}

// CommandConfig is about commands of a shell.
type CommandConfig struct {
	Enabled        bool     `json:"enabled"`
	Action         Action   `json:"action"`
	Patterns       string   `json:"patterns"` // default, strict or custom
	CustomPatterns []string `json:"custom_patterns"`
}

// SocialConfig is about pressure and false authority.
type SocialConfig struct {
	Enabled     bool   `json:"enabled"`
	Action      Action `json:"action"`
	Sensitivity string `json:"sensitivity"` // low, medium or high
}

// EncodingConfig is about what has to be decoded to be read.
type EncodingConfig struct {
	Enabled             bool   `json:"enabled"`
	Action              Action `json:"action"`
	DetectBase64        bool   `json:"detect_base64"`
	DetectHex           bool   `json:"detect_hex"`
	DetectUnicodeEscape bool   `json:"detect_unicode_escape"`
}

// NetworkConfig is about addresses. With allowed domains, no others are.
type NetworkConfig struct {
	Enabled        bool     `json:"enabled"`
	Action         Action   `json:"action"`
	BlockedDomains []string `json:"blocked_domains"`
	AllowedDomains []string `json:"allowed_domains"`
}

// FilesystemConfig is about paths that nobody should name.
type FilesystemConfig struct {
	Enabled      bool     `json:"enabled"`
	Action       Action   `json:"action"`
	BlockedPaths []string `json:"blocked_paths"`
}

// Action is what is to be done about a finding.
type Action string

// Actions.
const (
	Block    Action = "block"
	Sanitize Action = "sanitize" // take the span out and go on
	Decode   Action = "decode"   // put in its place what it decodes to
	Warn     Action = "warn"
	Log      Action = "log"
)

// Defaults is what holds for agents without a shroud_config.
func Defaults() Config {
	return Config{
		PIIPolicy: "redact", InjectionThreshold: 0.7, ContextInjectionThreshold: 0.7, SanitizationMode: "block",
		EnableSecretRedaction: true, EnableResponseFiltering: true,
		Unicode:    UnicodeConfig{Enabled: true, StripZeroWidth: true, NormalizeHomoglyphs: true, NormalizationForm: "NFKC"},
		Command:    CommandConfig{Enabled: true, Action: Block, Patterns: "default"},
		Social:     SocialConfig{Enabled: true, Action: Warn, Sensitivity: "medium"},
		Encoding:   EncodingConfig{Enabled: true, Action: Warn, DetectBase64: true, DetectHex: true, DetectUnicodeEscape: true},
		Network:    NetworkConfig{Enabled: true, Action: Warn, BlockedDomains: []string{"pastebin.com", "ngrok.io", "webhook.site"}},
		Filesystem: FilesystemConfig{Action: Log, BlockedPaths: []string{"/etc/passwd", "/etc/shadow", "~/.ssh/", "~/.aws/"}},
	}
}

// Preset returns the configuration of a name: strict, balanced (the defaults) or
// permissive.
func Preset(name string) (Config, bool) {
	c := Defaults()
	switch name {
	case "balanced":
	case "strict":
		c.PIIPolicy, c.InjectionThreshold, c.ContextInjectionThreshold = "block", 0.5, 0.5
		c.Command.Patterns, c.Social.Sensitivity, c.Filesystem.Enabled = "strict", "high", true
		c.Social.Action, c.Encoding.Action, c.Network.Action, c.Filesystem.Action = Block, Block, Block, Block
	case "permissive":
		c.PIIPolicy, c.InjectionThreshold, c.ContextInjectionThreshold = "warn", 0.9, 0.9
		c.SanitizationMode, c.Social.Sensitivity = "log_only", "low"
		c.Command.Action, c.Social.Action, c.Encoding.Action, c.Network.Action = Warn, Log, Log, Log
	default:
		return c, false
	}
	return c, true
}

// ParseConfig reads a shroud_config over the preset that it names, or the defaults.
// Members and values that are not known are left alone, as clients send such.
func ParseConfig(object []byte) (Config, error) {
	c := Defaults()
	if len(object) > 0 {
		var named struct {
			Preset any `json:"preset"`
		}
		_ = json.Unmarshal(object, &named) // what is wrong with it is found out below
		if name, ok := named.Preset.(string); ok {
			c, _ = Preset(name)
		}
		if err := json.Unmarshal(object, &c); err != nil {
			return Defaults(), fmt.Errorf("reading a shroud_config: %w", err)
		}
	}
	d := Defaults()
	known(&c.PIIPolicy, d.PIIPolicy, "block", "redact", "warn", "allow")
	known(&c.SanitizationMode, d.SanitizationMode, "block", "surgical", "log_only")
	known(&c.Unicode.NormalizationForm, d.Unicode.NormalizationForm, "NFC", "NFKC", "NFD", "NFKD")
	known(&c.Command.Patterns, d.Command.Patterns, "default", "strict", "custom")
	known(&c.Social.Sensitivity, d.Social.Sensitivity, "low", "medium", "high")
	known(&c.Command.Action, d.Command.Action, Block, Sanitize, Warn, Log)
	known(&c.Social.Action, d.Social.Action, Block, Warn, Log)
	known(&c.Encoding.Action, d.Encoding.Action, Block, Decode, Warn, Log)
	known(&c.Network.Action, d.Network.Action, Block, Warn, Log)
	known(&c.Filesystem.Action, d.Filesystem.Action, Block, Sanitize, Warn, Log)
	return c, nil
}

// known replaces a value that is none of those by the usual one.
func known[T comparable](v *T, usual T, values ...T) {
	if !slices.Contains(values, *v) {
		*v = usual
	}
}
