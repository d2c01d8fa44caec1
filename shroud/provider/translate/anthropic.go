package translate

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// defaultLimit is for requests that set none: Anthropic insists on one.
const defaultLimit = 4096

type anthropicRequest struct {
	Model       string             `json:"model"`
	MaxTokens   int                `json:"max_tokens"`
	System      []block            `json:"system,omitempty"`
	Messages    []anthropicMessage `json:"messages"`
	Tools       []anthropicTool    `json:"tools,omitempty"`
	ToolChoice  *anthropicChoice   `json:"tool_choice,omitempty"`
	Temperature json.RawMessage    `json:"temperature,omitempty"`
	TopP        json.RawMessage    `json:"top_p,omitempty"`
	Stop        []string           `json:"stop_sequences,omitempty"`
	Stream      bool               `json:"stream,omitempty"`
}

type anthropicMessage struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	Source    *source         `json:"source,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	Content   []block         `json:"content,omitempty"`
}

type source struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type,omitempty"`
	Data      string `json:"data,omitempty"`
	URL       string `json:"url,omitempty"`
}

type anthropicTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"`
}

type anthropicChoice struct {
	Type     string `json:"type"`
	Name     string `json:"name,omitempty"`
	OneByOne bool   `json:"disable_parallel_tool_use,omitempty"`
}

func toAnthropic(c *chat) (Call, error) {
	if c.count != nil && string(c.count) != "1" {
		return Call{}, ErrUnsupported.Detail("Anthropic gives one answer to a request")
	}
	if c.asJSON {
		return Call{}, ErrUnsupported.Detail("Anthropic takes no response_format: describe the form, or use a tool")
	}
	out := anthropicRequest{
		Model: c.model, MaxTokens: c.limit, Temperature: atMostOne(c.temperature), TopP: c.topP, Stop: c.stop, Stream: c.stream,
		ToolChoice: c.anthropicChoice(),
	}
	if out.MaxTokens == 0 {
		out.MaxTokens = defaultLimit
	}
	for _, text := range c.system {
		out.System = append(out.System, block{Type: "text", Text: text})
	}
	for _, t := range c.tools {
		schema := t.parameters
		if schema == nil {
			schema = json.RawMessage(`{"type":"object"}`)
		}
		out.Tools = append(out.Tools, anthropicTool{t.name, t.description, schema})
	}
	for _, t := range c.turns {
		m, err := anthropicTurn(t)
		if err != nil {
			return Call{}, err
		}
		if last := len(out.Messages) - 1; last >= 0 && out.Messages[last].Role == m.Role {
			out.Messages[last].Content = append(out.Messages[last].Content, m.Content...) // all results of tools belong together
		} else if len(m.Content) > 0 {
			out.Messages = append(out.Messages, m)
		}
	}
	return Call{Path: "/v1/messages", Body: marshal(out), Usage: c.usage}, nil
}

// atMostOne brings OpenAI's temperatures, which go up to 2, into Anthropic's range.
func atMostOne(n json.RawMessage) json.RawMessage {
	if f, err := strconv.ParseFloat(string(n), 64); err == nil && f > 1 {
		return json.RawMessage("1")
	}
	return n
}

func (c *chat) anthropicChoice() *anthropicChoice {
	if len(c.tools) == 0 {
		return nil
	}
	out := &anthropicChoice{OneByOne: !c.parallel}
	switch {
	case c.named != "":
		out.Type, out.Name = "tool", c.named
	case c.choice == "required":
		out.Type = "any"
	case c.choice == "none":
		return &anthropicChoice{Type: "none"}
	case c.choice == "auto" || out.OneByOne:
		out.Type = "auto"
	default:
		return nil
	}
	return out
}

func anthropicTurn(t turn) (anthropicMessage, error) {
	said, err := blocks(t.parts)
	if err != nil {
		return anthropicMessage{}, err
	}
	if t.role == "tool" {
		return anthropicMessage{"user", []block{{Type: "tool_result", ToolUseID: t.id, Content: said}}}, nil
	}
	for _, c := range t.calls {
		said = append(said, block{Type: "tool_use", ID: c.id, Name: c.name, Input: c.args})
	}
	return anthropicMessage{t.role, said}, nil
}

func blocks(parts []part) ([]block, error) {
	var out []block
	for _, p := range parts {
		kind := "image"
		if p.mime == "application/pdf" || strings.HasPrefix(p.mime, "text/") {
			kind = "document"
		}
		switch {
		case p.text != "":
			out = append(out, block{Type: "text", Text: p.text})
		case strings.HasPrefix(p.mime, "audio/"):
			return nil, ErrUnsupported.Detail("Anthropic takes no sound")
		case p.data != "":
			out = append(out, block{Type: kind, Source: &source{Type: "base64", MediaType: p.mime, Data: p.data}})
		default:
			out = append(out, block{Type: kind, Source: &source{Type: "url", URL: p.url}})
		}
	}
	return out, nil
}

func (done *completion) fromAnthropic(body []byte, root jsonedit.Node) error {
	r, err := provider.ParseResponse(provider.AnthropicMessages, 200, body)
	if err != nil {
		return err
	}
	var text, reasoning strings.Builder
	var calls []toolCall
	for b := range root.Get("content").Items() {
		switch b.Get("type").Text() {
		case "text":
			text.WriteString(b.Get("text").Text())
		case "thinking":
			reasoning.WriteString(b.Get("thinking").Text())
		case "tool_use":
			calls = append(calls, toolCall{
				ID: b.Get("id").Text(), Type: "function",
				Function: function{b.Get("name").Text(), string(b.Get("input").Raw())},
			})
		}
	}
	done.ID, done.Model, done.Usage = root.Get("id").Text(), first(r.Model, done.Model), counted(r.Usage)
	done.Choices = []choice{answer(0, text.String(), reasoning.String(), calls, fromAnthropicStop(r.Finish))}
	return nil
}

// fromAnthropicStop is why the model stopped, in OpenAI's words.
func fromAnthropicStop(why string) string {
	switch why {
	case "max_tokens", "model_context_window_exceeded":
		return "length"
	case "tool_use":
		return "tool_calls"
	case "refusal":
		return "content_filter"
	}
	return "stop"
}
