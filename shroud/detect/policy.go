package detect

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Bounds of what a configuration may ask for.
const (
	maxCustom     = 32  // patterns
	maxCustomSize = 512 // bytes of one
	maxListed     = 1000
)

// Policy is a Config made ready. It does not change and may be shared.
type Policy struct {
	config  Config
	rules   *ruleset
	wanted  []bool // which of the rules count
	custom  []*regexp.Regexp
	domains *literals
	paths   *literals
}

// builtin are the rules that every policy shares.
var builtin = sync.OnceValue(func() *ruleset {
	var all []rule
	for _, rules := range [][]rule{commandRules(), pathRules(), socialRules(), exfilRules()} {
		all = append(all, rules...)
	}
	return newRuleset(all)
})

// NewPolicy makes a Config ready. It fails where a custom pattern is none, or there
// is too much of something.
func NewPolicy(c Config) (*Policy, error) {
	if len(c.Command.CustomPatterns) > maxCustom || len(c.Network.BlockedDomains)+len(c.Network.AllowedDomains) > maxListed || len(c.Filesystem.BlockedPaths) > maxListed {
		return nil, fmt.Errorf("a list of the configuration is too long")
	}
	p := &Policy{config: c, rules: builtin()}
	for i := range p.rules.rules {
		p.wanted = append(p.wanted, p.wants(&p.rules.rules[i]))
	}
	if c.Command.Patterns == "custom" {
		for i, s := range c.Command.CustomPatterns {
			if len(s) > maxCustomSize {
				return nil, fmt.Errorf("custom pattern %d is longer than %d bytes", i+1, maxCustomSize)
			}
			re, err := regexp.Compile(s)
			if err != nil {
				return nil, fmt.Errorf("custom pattern %d is not a regular expression", i+1)
			}
			p.custom = append(p.custom, re)
		}
	}
	var domains []string
	for _, list := range [][]string{tunnels, pastes, catches, c.Network.BlockedDomains} {
		domains = append(domains, cleaned(list, "*.")...)
	}
	p.domains = newLiterals(domains)
	if paths := cleaned(c.Filesystem.BlockedPaths, ""); len(paths) > 0 {
		p.paths = newLiterals(paths)
	}
	return p, nil
}

// cleaned drops what is too short to look for.
func cleaned(list []string, prefix string) (out []string) {
	for _, s := range list {
		if s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), prefix); len(s) >= 3 && len(s) <= 253 {
			out = append(out, s)
		}
	}
	return out
}

var standard = sync.OnceValue(func() *Policy {
	p, err := NewPolicy(Defaults())
	if err != nil {
		panic(err) // the defaults are constants
	}
	return p
})

// Config returns what the policy was made of.
func (p *Policy) Config() Config { return p.config }

// wants reports whether a rule counts under the policy.
func (p *Policy) wants(r *rule) bool {
	level := 1
	switch r.typ {
	case CommandInjection:
		if !p.config.Command.Enabled || p.config.Command.Patterns == "custom" {
			return false
		}
		if p.config.Command.Patterns == "strict" {
			level = 2
		}
	case SocialEngineering:
		if !p.config.Social.Enabled {
			return false
		}
		switch p.config.Social.Sensitivity {
		case "high":
			level = 2
		case "medium", "":
		default:
			level = 0
		}
	case Network:
		return p.config.Network.Enabled
	}
	return r.level <= level
}

// Action is what the policy has for a finding. The action of a filter holds where it
// is warn or log; sanitization_mode says what becomes of those that would block.
func (p *Policy) Action(f Finding) Action {
	a := Block
	switch f.Type {
	case CommandInjection:
		a = p.config.Command.Action
	case SocialEngineering:
		a = p.config.Social.Action
	case Encoding:
		a = p.config.Encoding.Action
	case Network:
		a = p.config.Network.Action
	case Filesystem:
		a = p.config.Filesystem.Action
	case PII:
		a = map[string]Action{"block": Block, "redact": Sanitize, "warn": Warn}[p.config.PIIPolicy]
	case SecretLeak:
		if a = Log; p.config.EnableSecretRedaction {
			a = Sanitize
		}
	case Unicode, HiddenContent:
		a = Sanitize
	case PromptInjection, ContextInjection:
		if f.Severity < High {
			a = Warn
		}
	}
	if a == "" {
		a = Log
	}
	if a != Block {
		return a
	}
	switch p.config.SanitizationMode {
	case "surgical":
		return Sanitize
	case "log_only":
		return Log
	}
	return Block
}
