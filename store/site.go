package store

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/site"
)

// The tables of vault/site. They are read for every request, so that each is
// one record under a known key: an organisation's rules, the appliance's
// settings.
var (
	ipRules  = table[[]site.Rule]{name: "ip-rules", version: 1}
	settings = table[[]site.Setting]{name: "settings", version: 1}
)

// settingsKey is the one key of its table.
var settingsKey = []byte("settings")

var _ site.Tx = (*Tx)(nil)

// IPRules implements site.Tx.
func (t *Tx) IPRules(org id.ID) ([]site.Rule, error) {
	rules, _, err := ipRules.get(t, org[:])
	return rules, err
}

// PutIPRules implements site.Tx.
func (t *Tx) PutIPRules(org id.ID, rules []site.Rule) error {
	if len(rules) == 0 {
		return ipRules.delete(t, org[:])
	}
	return ipRules.put(t, org[:], rules)
}

// Settings implements site.Tx.
func (t *Tx) Settings() ([]site.Setting, error) {
	set, _, err := settings.get(t, settingsKey)
	return set, err
}

// PutSettings implements site.Tx.
func (t *Tx) PutSettings(set []site.Setting) error {
	if len(set) == 0 {
		return settings.delete(t, settingsKey)
	}
	return settings.put(t, settingsKey, set)
}
