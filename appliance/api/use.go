package api

// ExecuteRequest is a request to elsewhere with placeholders for secrets:
// {{secret:path}}, or {{secret://vault_id/path}}.
type ExecuteRequest struct {
	Binding string            `json:"binding,omitempty" doc:"Name or id of a binding, which puts its secret into the request."`
	Method  string            `json:"method,omitempty" enum:"GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS" default:"GET"`
	URL     string            `json:"url,omitempty" doc:"Absolute, or with a binding a path below its base_url. No placeholders."`
	Headers map[string]string `json:"headers,omitempty" doc:"May have placeholders."`
	Body    string            `json:"body,omitempty" doc:"May have placeholders. In JSON and form bodies, by the header Content-Type, values are escaped."`
}

// ExecuteResponse is the answer of the host without the values of secrets.
type ExecuteResponse struct {
	ExecutionID  string              `json:"execution_id" doc:"Also in the audit events secret.use and secret.used."`
	Status       int                 `json:"status"`
	Headers      map[string]string   `json:"headers" doc:"By their lower-case names."`
	Body         string              `json:"body"`
	BodyEncoding string              `json:"body_encoding" enum:"text,base64"`
	Truncated    bool                `json:"truncated" doc:"The body had more than 1 MiB."`
	Redactions   int                 `json:"redactions" doc:"How many values were taken out."`
	Verdict      string              `json:"verdict" enum:"clean,warning,suspicious,malicious" doc:"What inspection says of the answer, read as a document."`
	Threats      []InspectionFinding `json:"threats"`
}

// ExecuteIntentRequest is the same in the form of the published clients.
type ExecuteIntentRequest struct {
	Binding       string        `json:"binding,omitempty" doc:"Name or id of a binding."`
	IntentType    string        `json:"intent_type" enum:"http"`
	ExecutionMode string        `json:"execution_mode,omitempty" enum:"vault"`
	Params        ExecuteParams `json:"params"`
	DryRun        bool          `json:"dry_run,omitempty" doc:"Decide only: nothing is counted or sent."`
}

// ExecuteParams is the request of an intent.
type ExecuteParams struct {
	Method  string            `json:"method,omitempty" enum:"GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS" default:"GET"`
	URL     string            `json:"url,omitempty" doc:"Absolute, or with a binding a path below its base_url. No placeholders."`
	Path    string            `json:"path,omitempty" doc:"Below the binding's base_url, instead of url."`
	Query   map[string]any    `json:"query,omitempty" doc:"Texts, numbers and truth values that are added to the URL. No placeholders."`
	Headers map[string]string `json:"headers,omitempty" doc:"May have placeholders."`
	Body    any               `json:"body,omitempty" doc:"A text goes as it is, anything else as JSON. May have placeholders."`
}

// ExecuteInput is what executeRequest takes: ExecuteRequest, or with intent_type
// ExecuteIntentRequest.
type ExecuteInput struct {
	ExecuteRequest
	IntentType    string         `json:"intent_type,omitempty" enum:"http" doc:"The request is in params, and the answer is an ExecuteIntentResponse."`
	ExecutionMode string         `json:"execution_mode,omitempty" enum:"vault" doc:"With intent_type."`
	Params        *ExecuteParams `json:"params,omitempty" doc:"With intent_type: the request, instead of method, url, headers and body."`
	DryRun        bool           `json:"dry_run,omitempty" doc:"With intent_type: decide only. Nothing is counted or sent."`
}

// ExecuteIntentResponse answers an intent. What is refused is an error and has no
// such answer.
type ExecuteIntentResponse struct {
	ExecutionID       string         `json:"execution_id"`
	Status            string         `json:"status" enum:"completed,dry_run"`
	ExecutionSurface  string         `json:"execution_surface" enum:"vault"`
	Result            *ExecuteResult `json:"result,omitempty"`
	DurationMS        int64          `json:"duration_ms"`
	RedactionsApplied int            `json:"redactions_applied"`
}

// ExecuteResult is the answer of the host without the values of secrets.
type ExecuteResult struct {
	Status       int                 `json:"status"`
	Headers      map[string]string   `json:"headers" doc:"By their lower-case names."`
	Body         any                 `json:"body" doc:"What is JSON by its Content-Type as such, anything else as a text."`
	BodyEncoding string              `json:"body_encoding" enum:"json,text,base64"`
	Truncated    bool                `json:"truncated"`
	Verdict      string              `json:"verdict" enum:"clean,warning,suspicious,malicious"`
	Threats      []InspectionFinding `json:"threats"`
}

// ExecutionEvent is a past execution.
type ExecutionEvent struct {
	ID                string                  `json:"id"`
	AgentID           string                  `json:"agent_id"`
	BindingID         string                  `json:"binding_id" doc:"Empty where the request had placeholders and no binding."`
	IntentType        string                  `json:"intent_type" enum:"http"`
	ExecutionMode     string                  `json:"execution_mode" enum:"vault"`
	ExecutionSurface  string                  `json:"execution_surface" enum:"vault"`
	Status            string                  `json:"status" enum:"completed,failed,denied,dry_run,pending"`
	RequestSummary    ExecutionRequestSummary `json:"request_summary"`
	ResultSummary     *ExecutionResultSummary `json:"result_summary,omitempty"`
	ErrorMessage      string                  `json:"error_message,omitempty" doc:"The code of the error."`
	DurationMS        int64                   `json:"duration_ms"`
	RedactionsApplied int                     `json:"redactions_applied"`
	CreatedAt         Time                    `json:"created_at"`
}

// ExecutionRequestSummary is what is kept of a request.
type ExecutionRequestSummary struct {
	Method string `json:"method"`
	Host   string `json:"host" doc:"With its scheme, and its port if it is an unusual one."`
}

// ExecutionResultSummary is what is kept of an answer.
type ExecutionResultSummary struct {
	Status int `json:"status"`
}

// ExecutionListResponse lists what an agent executed, newest first.
type ExecutionListResponse struct {
	Events []ExecutionEvent `json:"events"`
}

// BindingConfig says where a binding leads, and how the secret goes into a request.
type BindingConfig struct {
	_          struct{} `additionalProperties:"false"`
	BaseURL    string   `json:"base_url"`
	AuthType   string   `json:"auth_type" enum:"bearer,basic,header,query"`
	AuthHeader string   `json:"auth_header,omitempty" doc:"For header: its name."`
	AuthPrefix string   `json:"auth_prefix,omitempty" doc:"For header: what stands before the value."`
	AuthUser   string   `json:"auth_user,omitempty" doc:"For basic; the value is user:password without."`
	AuthParam  string   `json:"auth_param,omitempty" doc:"For query: the parameter's name. The value ends in the logs of the host."`
}

// BindingGuardrails narrow a binding. Others than these are refused.
type BindingGuardrails struct {
	_              struct{} `additionalProperties:"false"`
	AllowedHosts   []string `json:"allowed_hosts,omitzero" doc:"Hosts besides that of base_url: host, *.suffix, host:port, http://host."`
	AllowedMethods []string `json:"allowed_methods,omitzero" doc:"All when left out."`
	AllowedPaths   []string `json:"allowed_paths,omitzero" doc:"Paths, or beginnings of paths that end in *. All when left out."`
}

// CredentialSource names the secret of a binding.
type CredentialSource struct {
	Type    string `json:"type,omitempty" enum:"vault_ref" default:"vault_ref"`
	VaultID string `json:"vault_id" format:"uuid"`
	Path    string `json:"path"`
}

// CreateBindingRequest lets an agent use a secret at one place.
type CreateBindingRequest struct {
	Name             string            `json:"name"`
	Description      string            `json:"description,omitempty"`
	BindingType      string            `json:"binding_type,omitempty" enum:"http" default:"http"`
	Config           BindingConfig     `json:"config"`
	Guardrails       BindingGuardrails `json:"guardrails,omitzero"`
	AllowedHosts     []string          `json:"allowed_hosts,omitzero" doc:"The same as in guardrails."`
	AllowedPaths     []string          `json:"allowed_paths,omitzero" doc:"The same as in guardrails."`
	CredentialSource CredentialSource  `json:"credential_source,omitzero" doc:"Required."`
	Credential       Object            `json:"credential,omitempty" doc:"Refused: write the value into a vault, and name that as credential_source."`
}

// UpdateBindingRequest changes what it names; each part is replaced whole.
type UpdateBindingRequest struct {
	Name             *string            `json:"name,omitempty"`
	Description      *string            `json:"description,omitempty"`
	Config           *BindingConfig     `json:"config,omitempty"`
	Guardrails       *BindingGuardrails `json:"guardrails,omitempty"`
	CredentialSource *CredentialSource  `json:"credential_source,omitempty"`
	Credential       Object             `json:"credential,omitempty" doc:"Refused: rotateBindingCredential writes a new value."`
	IsActive         *bool              `json:"is_active,omitempty"`
}

// BindingResponse is a binding. It never has the credential.
type BindingResponse struct {
	ID                   string            `json:"id"`
	AgentID              string            `json:"agent_id"`
	BindingType          string            `json:"binding_type"`
	Name                 string            `json:"name"`
	Description          string            `json:"description,omitempty"`
	Config               BindingConfig     `json:"config"`
	Guardrails           BindingGuardrails `json:"guardrails"`
	IsActive             bool              `json:"is_active"`
	CredentialSet        bool              `json:"credential_set"`
	CredentialSourceType string            `json:"credential_source_type"`
	CredentialVaultID    string            `json:"credential_vault_id"`
	CredentialPath       string            `json:"credential_path"`
	GivenBy              string            `json:"given_by" doc:"The person by whose right the secret is used."`
	CreatedAt            Time              `json:"created_at"`
	UpdatedAt            Time              `json:"updated_at"`
}

// BindingCredential is a value for a binding. Type, and name or username if they are
// said, must be those of the binding's config.
type BindingCredential struct {
	Type     string `json:"type" enum:"bearer,basic,header,query"`
	Token    string `json:"token,omitempty" doc:"For bearer."`
	Name     string `json:"name,omitempty" doc:"For header and query."`
	Value    string `json:"value,omitempty" doc:"For header and query."`
	Username string `json:"username,omitempty" doc:"For basic."`
	Password string `json:"password,omitempty" doc:"For basic."`
}

// RotateCredentialRequest brings a new value.
type RotateCredentialRequest struct {
	Credential BindingCredential `json:"credential"`
}

// BindingListResponse lists an agent's bindings.
type BindingListResponse struct {
	Bindings []BindingResponse `json:"bindings"`
}

// TestBindingResponse says whether the host of a binding answers. The secret was not
// sent.
type TestBindingResponse struct {
	Success   bool   `json:"success"`
	LatencyMS int64  `json:"latency_ms"`
	Error     string `json:"error,omitempty"`
}
