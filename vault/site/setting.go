package site

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/vault/policy"
)

// Setting is one that somebody set.
type Setting struct {
	Key       string           `json:"key"`
	Value     string           `json:"value"`
	UpdatedBy policy.Principal `json:"updated_by"`
	UpdatedAt time.Time        `json:"updated_at"`
}

// The keys.
const (
	keyRequireSimulation = "intents_api.require_simulation"
	keyMaintenance       = "maintenance_mode"
	keySignup            = "signup_mode"
	keyPrivateEgress     = "egress.allow_private"
	prefixX402           = "x402."
)

// SignupMode says who may make an account without being asked to.
type SignupMode string

// The modes of signing up. The zero value is SignupInvite.
const (
	SignupInvite SignupMode = "invite" // nobody; invitations work
	SignupOpen   SignupMode = "open"   // everybody whose address can be confirmed
	SignupClosed SignupMode = "closed" // nobody, and invitations do not work either
	// SignupDev is everybody, at once and unconfirmed: for looking around only. It
	// may be the default, and cannot be set while the appliance runs.
	SignupDev SignupMode = "dev"
)

// Open reports whether somebody may make an account without being asked to.
func (m SignupMode) Open() bool { return m == SignupOpen || m == SignupDev }

// SignupIn is the mode in force, where fallback is if nobody set any.
func SignupIn(tx Tx, fallback SignupMode) (SignupMode, error) {
	set, err := tx.Settings()
	mode := Settings{Signup: fallback}.over(set).Signup
	if mode == "" {
		mode = SignupInvite
	}
	return mode, err
}

// Settings are the values in force.
type Settings struct {
	RequireSimulation  bool // transactions are simulated before they are submitted
	Maintenance        bool
	Signup             SignupMode
	AllowPrivateEgress bool              // the appliance may connect to private addresses
	X402               map[string]string // by what follows "x402." in the key; read only
}

// known are the settings that have a name, and what each may be.
var known = []struct {
	key    string
	values []string
}{
	{keyPrivateEgress, booleans},
	{keyRequireSimulation, booleans},
	{keyMaintenance, booleans},
	{keySignup, []string{string(SignupOpen), string(SignupInvite), string(SignupClosed)}},
}

var booleans = []string{"true", "false"}

// x402Key are the settings of payments, which are kept as they are written.
var x402Key = regexp.MustCompile(`^x402\.[a-z0-9_]{1,64}$`)

const maxValue = 1024

// checkKey refuses keys that mean nothing.
func checkKey(key string) error {
	names := make([]string, 0, len(known)+1)
	for _, k := range known {
		if k.key == key {
			return nil
		}
		names = append(names, k.key)
	}
	if x402Key.MatchString(key) {
		return nil
	}
	return ErrUnknownSetting.Detail("No such setting. There are: %s", strings.Join(append(names, prefixX402+"*"), ", "))
}

// parseValue returns the one form of a value.
func parseValue(key, value string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	for _, k := range known {
		if k.key != key {
			continue
		}
		if value = strings.ToLower(strings.TrimSpace(value)); !slices.Contains(k.values, value) {
			return "", ErrSettingValue.Detail("%s must be one of %s", key, strings.Join(k.values, ", "))
		}
		return value, nil
	}
	if len(value) > maxValue {
		return "", ErrSettingValue.Detail("%s may have at most %d bytes", key, maxValue)
	}
	return value, nil
}

// over returns s with what was set.
func (s Settings) over(set []Setting) Settings {
	s.X402 = maps.Clone(s.X402)
	for _, v := range set {
		switch v.Key {
		case keyRequireSimulation:
			s.RequireSimulation = v.Value == "true"
		case keyMaintenance:
			s.Maintenance = v.Value == "true"
		case keySignup:
			s.Signup = SignupMode(v.Value)
		case keyPrivateEgress:
			s.AllowPrivateEgress = v.Value == "true"
		default:
			if name, ok := strings.CutPrefix(v.Key, prefixX402); ok {
				if s.X402 == nil {
					s.X402 = map[string]string{}
				}
				s.X402[name] = v.Value
			}
		}
	}
	return s
}

// maintenance is Settings.Maintenance alone, for every request.
func maintenance(fallback bool, set []Setting) bool {
	for _, v := range set {
		if v.Key == keyMaintenance {
			return v.Value == "true"
		}
	}
	return fallback
}
