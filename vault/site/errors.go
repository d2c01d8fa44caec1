package site

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. The texts are published: clients show them and tests match them.
var (
	ErrDenied      = fault.New(fault.Denied, "access_denied", "Access denied")
	ErrAddress     = fault.New(fault.Denied, "ip_denied", "Access denied: your organisation's IP rules do not allow this address")
	ErrMaintenance = fault.New(fault.Unavailable, "maintenance", "The appliance is in maintenance mode: it can be read, but nothing can be changed")

	ErrRuleType     = fault.New(fault.Invalid, "invalid_rule_type", "rule_type must be allow or deny")
	ErrCIDR         = fault.New(fault.Invalid, "invalid_cidr", "cidr must be an IP address or a CIDR block")
	ErrAppliesTo    = fault.New(fault.Invalid, "invalid_applies_to", "applies_to must be all, users or agents")
	ErrLabel        = fault.New(fault.Invalid, "invalid_label", "A label may have at most 255 bytes")
	ErrTooManyRules = fault.New(fault.Invalid, "too_many_ip_rules", "An organisation may have at most 256 IP rules")
	ErrRuleNotFound = fault.New(fault.NotFound, "ip_rule_not_found", "No such IP rule")
	ErrLockOut      = fault.New(fault.Conflict, "ip_rule_locks_out", "This would lock out the address that you are asking from")

	ErrUnknownSetting  = fault.New(fault.Invalid, "unknown_setting", "No such setting")
	ErrSettingValue    = fault.New(fault.Invalid, "invalid_setting", "Not a valid value of this setting")
	ErrSettingNotFound = fault.New(fault.NotFound, "setting_not_found", "This setting is not set")
)
