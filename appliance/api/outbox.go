package api

// OutboxMessageResponse is a message that waits to be sent, or was.
type OutboxMessageResponse struct {
	ID        string `json:"id" format:"uuid"`
	OrgID     string `json:"org_id,omitempty" format:"uuid"`
	Channel   string `json:"channel" enum:"mail,webhook"`
	Kind      string `json:"kind" doc:"What it is about, such as invite"`
	To        string `json:"to" doc:"An address, or the id of a webhook"`
	Subject   string `json:"subject,omitempty"`
	Body      string `json:"body,omitempty" doc:"Of one message, where the caller may read it and it was not sent yet"`
	Personal  bool   `json:"personal" doc:"Whoever reads it can pass for its addressee"`
	Status    string `json:"status" enum:"pending,sent,failed"`
	Attempts  int    `json:"attempts"`
	LastError string `json:"last_error,omitempty"`
	CreatedAt Time   `json:"created_at"`
	NextAt    Time   `json:"next_attempt_at,omitzero" doc:"When it is tried next, if it is pending and there is a way to send it"`
	ExpiresAt Time   `json:"expires_at" doc:"It is given up then"`
	SettledAt Time   `json:"settled_at,omitzero" doc:"When it was sent or given up"`
}

// OutboxListResponse lists messages, newest first, without their bodies.
type OutboxListResponse struct {
	Messages []OutboxMessageResponse `json:"messages"`
}
