package api

import "encoding/json"

// CreatePolicyRequest grants a principal permissions on a path pattern.
type CreatePolicyRequest struct {
	SecretPathPattern string   `json:"secret_path_pattern,omitempty" doc:"* is one segment, ** any number"`
	PatternAlias      string   `json:"path_pattern,omitempty" deprecated:"true"`
	PrincipalType     string   `json:"principal_type" enum:"user,agent"`
	PrincipalID       string   `json:"principal_id" format:"uuid"`
	Permissions       []string `json:"permissions" doc:"read, write, delete, use"`
	Conditions        Object   `json:"conditions,omitzero" doc:"ip_allowlist, time_window"`
	ExpiresAt         Time     `json:"expires_at,omitzero"`

	// What newer clients always send. Only the values that mean "as ever" are
	// accepted, and none is echoed: strict readers do not know them.
	SchemaVersion       *int32          `json:"policy_schema_version,omitempty" doc:"Must be 1"`
	Effect              string          `json:"effect,omitempty" doc:"Must be allow"`
	Priority            *int32          `json:"priority,omitempty" doc:"Has no effect: policies never deny"`
	AttributeConditions json.RawMessage `json:"attribute_conditions,omitempty" doc:"Must be empty"`
	TxConditions        json.RawMessage `json:"tx_conditions,omitempty" doc:"Must be empty"`
	ConsensusTrigger    json.RawMessage `json:"consensus_trigger,omitempty" doc:"Must be empty"`
}

// Pattern is the path pattern under either of its names.
func (r *CreatePolicyRequest) Pattern() string { return either(r.SecretPathPattern, r.PatternAlias) }

// Unsupported names the fields that ask for what policies here cannot do, and
// says why. It is empty for every client that means an ordinary grant.
func (r *CreatePolicyRequest) Unsupported() map[string]string {
	out := map[string]string{}
	if r.SchemaVersion != nil && *r.SchemaVersion != 1 {
		out["policy_schema_version"] = "only version 1 is supported"
	}
	if r.Effect != "" && r.Effect != "allow" {
		out["effect"] = "only allow is supported: what no policy grants is denied"
	}
	for name, raw := range map[string]json.RawMessage{
		"attribute_conditions": r.AttributeConditions,
		"tx_conditions":        r.TxConditions,
		"consensus_trigger":    r.ConsensusTrigger,
	} {
		if !isEmptyJSON(raw) {
			out[name] = "not supported; leave it out"
		}
	}
	return out
}

// isEmptyJSON reports whether raw is absent or one of the spellings of nothing.
func isEmptyJSON(raw json.RawMessage) bool {
	if len(raw) == 0 {
		return true
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return false
	}
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case bool:
		return !v
	}
	return false
}

// UpdatePolicyRequest changes what may change of a policy; what is left out
// stays.
type UpdatePolicyRequest struct {
	Permissions []string       `json:"permissions,omitzero"`
	Conditions  Object         `json:"conditions,omitzero" doc:"{} lifts every condition"`
	ExpiresAt   Optional[Time] `json:"expires_at,omitzero" doc:"null: never"`
}

// PolicyResponse is a policy. Strict readers know exactly these fields.
type PolicyResponse struct {
	ID                string   `json:"id" format:"uuid"`
	VaultID           string   `json:"vault_id" format:"uuid"`
	SecretPathPattern string   `json:"secret_path_pattern"`
	PrincipalType     string   `json:"principal_type" enum:"user,agent"`
	PrincipalID       string   `json:"principal_id" format:"uuid"`
	Permissions       []string `json:"permissions"`
	Conditions        Object   `json:"conditions"`
	ExpiresAt         Time     `json:"expires_at,omitzero"`
	CreatedBy         string   `json:"created_by" format:"uuid"`
	CreatedByType     string   `json:"created_by_type" enum:"user,agent"`
	CreatedAt         Time     `json:"created_at"`
}

// PolicyListResponse lists a vault's policies.
type PolicyListResponse struct {
	Policies []PolicyResponse `json:"policies"`
}
