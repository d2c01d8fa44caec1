package detect

// Severity is how bad a finding is.
type Severity uint8

// Severities, in their order.
const (
	None Severity = iota
	Low
	Medium
	High
	Critical
)

// String is the name under which a severity is published.
func (s Severity) String() string {
	return [...]string{"none", "low", "medium", "high", "critical"}[min(s, Critical)]
}

func severity(name string) Severity {
	for s := Low; s <= Critical; s++ {
		if s.String() == name {
			return s
		}
	}
	return Medium
}

// Verdict sums a report up.
type Verdict string

// Verdicts. Findings of low and medium severity are warnings.
const (
	Clean      Verdict = "clean"
	Warning    Verdict = "warning"
	Suspicious Verdict = "suspicious"
	Malicious  Verdict = "malicious"
)

func verdict(worst Severity) Verdict {
	switch worst {
	case None:
		return Clean
	case Low, Medium:
		return Warning
	case High:
		return Suspicious
	}
	return Malicious
}

// Type is the category of a finding.
type Type string

// Types of findings. Personal data and credentials are listed apart from threats.
const (
	HiddenContent     Type = "hidden_content"
	CommandInjection  Type = "command_injection"
	SocialEngineering Type = "social_engineering"
	Encoding          Type = "encoding_obfuscation"
	Network           Type = "network_threat"
	Filesystem        Type = "filesystem_threat"
	Unicode           Type = "unicode_obfuscation"
	PromptInjection   Type = "prompt_injection"
	ContextInjection  Type = "context_injection"
	PII               Type = "pii"
	SecretLeak        Type = "secret_leak"
)

// Types are all types of findings.
func Types() []Type {
	return []Type{
		HiddenContent, CommandInjection, SocialEngineering, Encoding, Network, Filesystem, Unicode,
		PromptInjection, ContextInjection, PII, SecretLeak,
	}
}

// Finding is one thing found.
type Finding struct {
	Type       Type
	Pattern    string // which rule or kind, by its published name
	Severity   Severity
	Start, End int     // bytes of the text, on borders of runes
	Score      float64 // how sure, 0 to 1
	Why        string  // in words that show nothing of the text
	Location   string  // where: "text", or what had to be undone, such as "html-comment > base64"
}

// Context is what a text came as.
type Context string

// Contexts. System and developer messages are configuration: they are not
// inspected.
const (
	Input    Context = "input"    // from a user
	Output   Context = "output"   // from a model
	Document Context = "document" // a tool's result, a file, a mail, a page
)
