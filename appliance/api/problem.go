package api

// Problem is the body of every refusal (RFC 9457, application/problem+json).
type Problem struct {
	// Type is "about:blank" but for the few problems that clients tell apart by
	// it, such as "resource_limit_exceeded".
	Type   string `json:"type" doc:"about:blank, or a name that clients act on"`
	Title  string `json:"title" doc:"Short summary of the kind of problem"`
	Status int    `json:"status" doc:"HTTP status code"`
	Detail string `json:"detail" doc:"What went wrong, safe to show to a person"`

	Code      string            `json:"code,omitempty" doc:"Stable machine-readable name of the problem"`
	Fields    map[string]string `json:"fields,omitempty" doc:"Rejected request fields and why, without their values (400 only)"`
	Approval  string            `json:"approval_request_id,omitempty" doc:"The approval that is needed (approval_required only)"`
	RequestID string            `json:"request_id,omitempty" doc:"What to tell the operator (500 only)"`
}

// Problem types that clients act on; every other problem is about:blank.
const (
	TypeBlank         = "about:blank"
	TypeResourceLimit = "resource_limit_exceeded"
	TypeApproval      = "approval_required"
)

// ProblemContentType is the media type of a Problem.
const ProblemContentType = "application/problem+json"
