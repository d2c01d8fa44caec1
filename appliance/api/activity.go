package api

// ShroudActivityResponse lists calls of models, newest first.
type ShroudActivityResponse struct {
	Events     []ShroudCall `json:"events"`
	NextCursor string       `json:"next_cursor,omitempty" doc:"Where the next page begins; none if this is the last"`
}

// ShroudCall is one call of a model.
type ShroudCall struct {
	ID           string         `json:"id" format:"uuid"`
	AgentID      string         `json:"agent_id" format:"uuid"`
	Provider     string         `json:"provider"`
	Model        string         `json:"model"`
	Asked        string         `json:"asked,omitempty" doc:"Provider and model that were asked first, if another one answered"`
	Status       int            `json:"status"`
	Refusal      string         `json:"refusal,omitempty" doc:"The code of the error, if the appliance refused it"`
	Threats      []ShroudThreat `json:"threats"`
	Redacted     int            `json:"redacted" doc:"Values and credentials that were replaced, both ways"`
	InputTokens  int            `json:"input_tokens"`
	OutputTokens int            `json:"output_tokens"`
	CostUSD      float64        `json:"cost_usd"`
	StartedAt    Time           `json:"started_at"`
	DurationMS   int64          `json:"duration_ms"`
	KeptUntil    Time           `json:"kept_until,omitzero" doc:"Until when its request is kept, if it is"`
}

// ShroudCallResponse is one call of a model and, if it is kept, its request.
type ShroudCallResponse struct {
	ShroudCall
	Request string `json:"request,omitempty" doc:"As the agent sent it, without the values of the vaults and credentials. What is longer than 256 KiB lacks its middle"`
}

// ShroudThreat is something that was found.
type ShroudThreat struct {
	ThreatType string `json:"threat_type"`
	Pattern    string `json:"pattern"`
	Location   string `json:"location,omitempty"`
	Severity   string `json:"severity"`
}

// ShroudThreatSummaryResponse is what was found in a period.
type ShroudThreatSummaryResponse struct {
	Period   string         `json:"period" enum:"24h,7d,30d"`
	Since    Time           `json:"since"`
	Requests int            `json:"requests"`
	Refused  int            `json:"refused"`
	Redacted int            `json:"redacted"`
	Threats  map[string]int `json:"threats" doc:"How many of each type"`
	Agents   map[string]int `json:"agents" doc:"How many in the calls of each agent, by its ID"`
	Complete bool           `json:"complete" doc:"Whether all calls of the period were looked at; else the newest"`
}
