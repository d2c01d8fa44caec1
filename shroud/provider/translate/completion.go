package translate

import (
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// completion is a chat completion, or a chunk of one.
type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
}

type choice struct {
	Index   int      `json:"index"`
	Message *message `json:"message,omitempty"`
	Delta   *message `json:"delta,omitempty"`
	Finish  *string  `json:"finish_reason"`
}

// message has a content of null where there is none, but no content at all in a
// chunk about something else.
type message struct {
	Role      string     `json:"role,omitempty"`
	Content   any        `json:"content,omitempty"`
	Reasoning string     `json:"reasoning_content,omitempty"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

type toolCall struct {
	Index    *int       `json:"index,omitempty"` // in chunks
	ID       string     `json:"id,omitempty"`
	Type     string     `json:"type,omitempty"`
	Function function   `json:"function"`
	Extra    *signature `json:"extra_content,omitempty"`
}

type function struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// signature comes back with the call, as Google's own compatibility has it.
type signature struct {
	Google struct {
		Thought string `json:"thought_signature"`
	} `json:"google"`
}

func signed(text string) *signature {
	if text == "" {
		return nil
	}
	s := &signature{}
	s.Google.Thought = text
	return s
}

type usage struct {
	Prompt        int `json:"prompt_tokens"`
	Completion    int `json:"completion_tokens"`
	Total         int `json:"total_tokens"`
	PromptDetails struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

func counted(u provider.Usage) *usage {
	out := &usage{Prompt: u.Input, Completion: u.Output, Total: u.Input + u.Output}
	out.PromptDetails.Cached, out.CompletionDetails.Reasoning = u.Cached, u.Reasoning
	return out
}

// answer is a choice that is complete.
func answer(index int, text, reasoning string, calls []toolCall, finish string) choice {
	m := &message{Role: "assistant", Reasoning: reasoning, ToolCalls: calls, Content: text}
	if text == "" && len(calls) > 0 {
		m.Content = nilContent{}
	}
	return choice{Index: index, Message: m, Finish: &finish}
}

// nilContent is a content that is there and null.
type nilContent struct{}

// MarshalJSON writes null.
func (nilContent) MarshalJSON() ([]byte, error) { return []byte("null"), nil }
