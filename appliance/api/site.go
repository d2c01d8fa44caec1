package api

// CreateIpRuleRequest lets addresses in or keeps them out.
type CreateIpRuleRequest struct {
	RuleType  string `json:"rule_type" maxLength:"16" doc:"allow, or deny, which may also be written block"`
	CIDR      string `json:"cidr" maxLength:"64"`
	Label     string `json:"label,omitempty"`
	AppliesTo string `json:"applies_to,omitempty" maxLength:"16" doc:"all, users or agents; all if left out"`
	// LabelAlias is Label as some guides spell it.
	LabelAlias string `json:"description,omitempty" deprecated:"true"`
}

// RuleLabel is the label under either of its names.
func (r *CreateIpRuleRequest) RuleLabel() string { return either(r.Label, r.LabelAlias) }

// IpRuleResponse is one IP rule of the caller's organisation.
type IpRuleResponse struct {
	ID        string `json:"id" format:"uuid"`
	OrgID     string `json:"org_id" format:"uuid"`
	RuleType  string `json:"rule_type" enum:"allow,deny"`
	CIDR      string `json:"cidr"`
	Label     string `json:"label"`
	AppliesTo string `json:"applies_to" enum:"all,users,agents"`
	CreatedBy string `json:"created_by" doc:"user:<uuid>"`
	CreatedAt Time   `json:"created_at"`
}

// IpRulesListResponse lists them, oldest first.
type IpRulesListResponse struct {
	Rules []IpRuleResponse `json:"rules"`
}

// UpdateSettingRequest sets a setting.
type UpdateSettingRequest struct {
	Value string `json:"value"`
}

// SettingResponse is a setting that somebody set.
type SettingResponse struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	UpdatedBy string `json:"updated_by" doc:"user:<uuid>"`
	UpdatedAt Time   `json:"updated_at"`
}

// SettingsListResponse lists them, in the order of their keys.
type SettingsListResponse struct {
	Settings []SettingResponse `json:"settings"`
}
