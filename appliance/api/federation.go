package api

// GoogleAuthRequest signs a person in with an ID token of the identity provider
// that is configured, Google or another.
type GoogleAuthRequest struct {
	IDToken string `json:"id_token" maxLength:"16384"`
}

// EnrollAgentRequest is an agent that registers itself for a person.
type EnrollAgentRequest struct {
	Name        string `json:"name"`
	HumanEmail  string `json:"human_email" maxLength:"320" doc:"Whoever the agent works for; they get its key by mail"`
	Description string `json:"description,omitempty"`
}

// EnrollAgentResponse is the same whether or not anybody has the address.
type EnrollAgentResponse struct {
	AgentID string `json:"agent_id" format:"uuid"`
	Message string `json:"message"`
}
