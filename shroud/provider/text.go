package provider

import "github.com/oneclaw/oneclawd/internal/fault"

// ErrSigned is the refusal to change a text that its provider has signed.
var ErrSigned = fault.New(fault.Denied, "signed_text", "a signed part of the message would have to be changed")

// Role is who says something.
type Role uint8

// The roles. Tool is the world that tools bring in, documents included: not the
// user's own words.
const (
	System Role = iota
	User
	Assistant
	Tool
)

// String is the role as OpenAI calls it.
func (r Role) String() string {
	return [...]string{"system", "user", "assistant", "tool"}[r]
}

// Kind is what a text is.
type Kind uint8

// The kinds.
const (
	Content    Kind = iota // what is said
	Reasoning              // what the model thinks
	Refusal                // the model declines
	ToolCall               // one value of a call's arguments, or a name in them
	ToolName               // what a call calls
	ToolResult             // what a tool brings
	ToolSchema             // what tools are offered, with their descriptions
	Document               // a document beside the conversation, or a text that is attached
	Link                   // where an image or file is, and what describes it
	Failure                // an error message of the provider
	Label                  // identifiers, model names: words for machines
	Other                  // a string in a place that this package does not know
)

// String is for logs and metrics.
func (k Kind) String() string {
	return [...]string{
		"content", "reasoning", "refusal", "tool_call", "tool_name", "tool_result",
		"tool_schema", "document", "link", "failure", "label", "other",
	}[k]
}

// Text is something said in a message.
type Text struct {
	Role  Role
	Kind  Kind
	Turn  int    // which message of the conversation, which choice of an answer; -1 beside them
	Tool  string // what is called, for a ToolCall
	Value string
	// Signed says that the text must pass as it is or not at all.
	Signed bool
}

// Call is a tool call of an answer.
type Call struct {
	Name      string
	Arguments string // JSON as the model wrote it
}

// Usage counts tokens, as the provider does. Input includes what was Cached.
type Usage struct {
	Input, Output, Cached, Reasoning int
}

// merge takes over what a later report knows: counts grow.
func (u *Usage) merge(v Usage) {
	u.Input, u.Output = max(u.Input, v.Input), max(u.Output, v.Output)
	u.Cached, u.Reasoning = max(u.Cached, v.Cached), max(u.Reasoning, v.Reasoning)
}
