package translate

import (
	"encoding/json"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// chat is a request for a chat completion, as far as it is translated.
type chat struct {
	model  string
	stream bool
	usage  bool
	system []string
	turns  []turn
	tools  []tool

	choice   string // auto, none, required, or "" for a named one
	named    string
	parallel bool

	limit  int // tokens of the answer
	stop   []string
	effort string
	schema json.RawMessage // of the answer
	asJSON bool

	// Numbers, as the client wrote them; nil where it did not.
	temperature, topP, seed, count, presence, frequency json.RawMessage
}

// turn is one message that is no instruction.
type turn struct {
	role  string // user, assistant, tool
	parts []part
	calls []call
	id    string // of the call that a tool answers
}

// part is a text, or a file by address or as base64.
type part struct {
	text            string
	url, mime, data string
}

type call struct {
	id, name  string
	args      json.RawMessage // an object
	signature string
}

type tool struct {
	name, description string
	parameters        json.RawMessage
}

func read(root jsonedit.Node) (*chat, error) {
	c := &chat{
		model: root.Get("model").Text(), stream: root.Get("stream").True(),
		usage:       root.Get("stream_options", "include_usage").True(),
		parallel:    root.Get("parallel_tool_calls").Kind() != jsonedit.False,
		effort:      root.Get("reasoning_effort").Text(),
		limit:       max(root.Get("max_completion_tokens").Int(), root.Get("max_tokens").Int()),
		temperature: number(root.Get("temperature")), topP: number(root.Get("top_p")), seed: number(root.Get("seed")),
		count: number(root.Get("n")), presence: number(root.Get("presence_penalty")), frequency: number(root.Get("frequency_penalty")),
	}
	for m := range root.Get("messages").Items() {
		if err := c.message(m); err != nil {
			return nil, err
		}
	}
	if len(c.turns) == 0 {
		return nil, ErrUnsupported.Detail("there is no message")
	}
	if err := c.readTools(root); err != nil {
		return nil, err
	}
	return c, c.readForm(root)
}

func number(n jsonedit.Node) json.RawMessage {
	if n.Kind() != jsonedit.Number {
		return nil
	}
	return n.Raw()
}

func (c *chat) message(m jsonedit.Node) error {
	parts, err := content(m.Get("content"))
	if err != nil {
		return err
	}
	switch role := m.Get("role").Text(); role {
	case "system", "developer":
		for _, p := range parts {
			c.system = append(c.system, p.text)
		}
	case "user":
		c.turns = append(c.turns, turn{role: role, parts: parts})
	case "assistant":
		t := turn{role: role, parts: parts}
		if r := m.Get("refusal").Text(); r != "" {
			t.parts = append(t.parts, part{text: r})
		}
		for tc := range m.Get("tool_calls").Items() {
			t.calls = append(t.calls, readCall(tc))
		}
		c.turns = append(c.turns, t)
	case "tool":
		c.turns = append(c.turns, turn{role: role, parts: parts, id: m.Get("tool_call_id").Text()})
	default:
		return ErrUnsupported.Detail("a message of a role that is not known")
	}
	return nil
}

// content is a string, or parts. What is empty is left out: vendors refuse it.
func content(n jsonedit.Node) ([]part, error) {
	if n.Kind() != jsonedit.Array {
		if n.Text() == "" {
			return nil, nil
		}
		return []part{{text: n.Text()}}, nil
	}
	var parts []part
	for p := range n.Items() {
		var one part
		switch p.Get("type").Text() {
		case "text", "refusal":
			one.text = first(p.Get("text").Text(), p.Get("refusal").Text())
		case "image_url":
			u := p.Get("image_url")
			one = file(first(u.Get("url").Text(), u.Text()))
		case "file":
			one = file(p.Get("file", "file_data").Text())
		case "input_audio":
			a := p.Get("input_audio")
			one = part{data: a.Get("data").Text(), mime: "audio/" + a.Get("format").Text()}
		default:
			return nil, ErrUnsupported.Detail("a part of a type that is not known")
		}
		if one != (part{}) {
			parts = append(parts, one)
		}
	}
	return parts, nil
}

// file is an address, or a file in the form of one.
func file(url string) part {
	head, data, ok := strings.Cut(url, ";base64,")
	if mime, isData := strings.CutPrefix(head, "data:"); ok && isData {
		mime, _, _ = strings.Cut(mime, ";")
		return part{mime: mime, data: data}
	}
	return part{url: url}
}

func readCall(tc jsonedit.Node) call {
	f := tc.Get("function")
	return call{
		id: tc.Get("id").Text(), name: f.Get("name").Text(), args: object(f.Get("arguments").Text()),
		signature: tc.Get("extra_content", "google", "thought_signature").Text(),
	}
}

// object is what a model wrote as arguments. If it is no object, it becomes the
// member of one: the vendors take nothing else.
func object(text string) json.RawMessage {
	if strings.TrimSpace(text) == "" {
		return json.RawMessage("{}")
	}
	if doc, err := jsonedit.ParseLoose([]byte(text)); err == nil && doc.Root().Kind() == jsonedit.Object {
		return doc.Root().Raw()
	}
	return marshal(map[string]string{"arguments": text})
}

func (c *chat) readTools(root jsonedit.Node) error {
	for t := range root.Get("tools").Items() {
		f := t.Get("function")
		if t.Get("type").Text() != "function" || !f.Is() {
			return ErrUnsupported.Detail("a tool that is no function")
		}
		one := tool{name: f.Get("name").Text(), description: f.Get("description").Text()}
		if p := f.Get("parameters"); p.Is() {
			one.parameters = p.Raw()
		}
		c.tools = append(c.tools, one)
	}
	choice := root.Get("tool_choice")
	c.choice, c.named = choice.Text(), choice.Get("function", "name").Text()
	return nil
}

// readForm is what the answer has to look like.
func (c *chat) readForm(root jsonedit.Node) error {
	switch stop := root.Get("stop"); stop.Kind() {
	case jsonedit.String:
		c.stop = []string{stop.Text()}
	case jsonedit.Array:
		for s := range stop.Items() {
			c.stop = append(c.stop, s.Text())
		}
	}
	form := root.Get("response_format")
	switch form.Get("type").Text() {
	case "json_object":
		c.asJSON = true
	case "json_schema":
		c.asJSON = true
		if s := form.Get("json_schema", "schema"); s.Is() {
			c.schema = s.Raw()
		}
	}
	if root.Get("logprobs").True() || root.Get("audio").Is() {
		return ErrUnsupported.Detail("log probabilities and sound are OpenAI's own")
	}
	return nil
}
