package api

// InspectRequest is a text to be inspected, or several as items.
type InspectRequest struct {
	Content string         `json:"content,omitempty" doc:"The text. At most 5 MB with everything else in the body."`
	Context string         `json:"context,omitempty" enum:"input,output,document" default:"input" doc:"What the text came as: from a person, from a model, or from a tool, file, mail or page."`
	Config  Object         `json:"config,omitempty" doc:"As an agent's shroud_config; the defaults where it says nothing. An agent that sends none has its own."`
	Items   []*InspectItem `json:"items,omitempty" maxItems:"1000" doc:"Several texts, in the place of content."`
}

// InspectItem is one text of several.
type InspectItem struct {
	Content string `json:"content"`
	Context string `json:"context,omitempty" enum:"input,output,document" default:"input"`
}

// InspectResponse is what was found in a text. Results are those of items.
type InspectResponse struct {
	Inspection
	Results []Inspection `json:"results,omitempty"`
}

// Inspection is what was found in one text. Offsets are bytes of its UTF-8.
type Inspection struct {
	Verdict               string              `json:"verdict" enum:"clean,warning,suspicious,malicious"`
	Safe                  bool                `json:"safe"`
	InjectionScore        float64             `json:"injection_score" minimum:"0" maximum:"1"`
	ContextInjectionScore float64             `json:"context_injection_score" minimum:"0" maximum:"1"`
	ThreatCount           int                 `json:"threat_count"`
	Threats               []InspectionFinding `json:"threats"`
	PII                   []InspectionFinding `json:"pii"`
	Secrets               []InspectionFinding `json:"secrets"`
	UnicodeNormalized     bool                `json:"unicode_normalized"`
	NormalizedContent     string              `json:"normalized_content,omitempty" doc:"The text without tricks of Unicode, where it had any."`
	RedactedContent       string              `json:"redacted_content,omitempty" doc:"The text without credentials and personal data, where it had any."`
	Truncated             bool                `json:"truncated,omitempty" doc:"The search ended early: the text is larger or more tangled than is looked through."`
	TruncatedBy           []string            `json:"truncated_by,omitempty" enum:"views,rules,credentials,personal_data,findings" doc:"What ended early: undoing what is hidden or encoded, regular expressions, the search for credentials, that for numbers of phones, or the lists of findings, which have 500 each."`
}

// InspectionFinding is one thing found. Match repeats the location for clients of
// either generation.
type InspectionFinding struct {
	Type        string  `json:"type"`
	Pattern     string  `json:"pattern"`
	Severity    string  `json:"severity" enum:"low,medium,high,critical"`
	Location    string  `json:"location"`
	Match       string  `json:"match"`
	Start       int     `json:"start"`
	End         int     `json:"end"`
	Score       float64 `json:"score" minimum:"0" maximum:"1"`
	Explanation string  `json:"explanation"`
}
