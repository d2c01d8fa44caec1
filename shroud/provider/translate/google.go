package translate

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

type googleRequest struct {
	System     *googleContent  `json:"systemInstruction,omitempty"`
	Contents   []googleContent `json:"contents"`
	Tools      []googleTools   `json:"tools,omitempty"`
	ToolConfig *googleChoice   `json:"toolConfig,omitempty"`
	Config     googleConfig    `json:"generationConfig"`
}

type googleContent struct {
	Role  string       `json:"role,omitempty"`
	Parts []googlePart `json:"parts"`
}

type googlePart struct {
	Text      string          `json:"text,omitempty"`
	Inline    *googleData     `json:"inlineData,omitempty"`
	File      *googleFile     `json:"fileData,omitempty"`
	Call      *googleCall     `json:"functionCall,omitempty"`
	Response  *googleResponse `json:"functionResponse,omitempty"`
	Signature string          `json:"thoughtSignature,omitempty"`
}

type googleData struct {
	MIME string `json:"mimeType"`
	Data string `json:"data"`
}

type googleFile struct {
	MIME string `json:"mimeType,omitempty"`
	URI  string `json:"fileUri"`
}

type googleCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type googleResponse struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
}

type googleTools struct {
	Functions []googleFunction `json:"functionDeclarations"`
}

type googleFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

type googleChoice struct {
	Calling struct {
		Mode    string   `json:"mode"`
		Allowed []string `json:"allowedFunctionNames,omitempty"`
	} `json:"functionCallingConfig"`
}

type googleConfig struct {
	Temperature json.RawMessage `json:"temperature,omitempty"`
	TopP        json.RawMessage `json:"topP,omitempty"`
	Seed        json.RawMessage `json:"seed,omitempty"`
	Count       json.RawMessage `json:"candidateCount,omitempty"`
	Presence    json.RawMessage `json:"presencePenalty,omitempty"`
	Frequency   json.RawMessage `json:"frequencyPenalty,omitempty"`
	MaxTokens   int             `json:"maxOutputTokens,omitempty"`
	Stop        []string        `json:"stopSequences,omitempty"`
	MIME        string          `json:"responseMimeType,omitempty"`
	Schema      json.RawMessage `json:"responseJsonSchema,omitempty"`
	Thinking    *googleThinking `json:"thinkingConfig,omitempty"`
}

type googleThinking struct {
	Budget *int   `json:"thinkingBudget,omitempty"`
	Level  string `json:"thinkingLevel,omitempty"`
}

func toGoogle(c *chat) (Call, error) {
	model := strings.TrimPrefix(c.model, "models/")
	if model == "" || strings.ContainsAny(model, "/:?#%") {
		return Call{}, ErrUnsupported.Detail("a name that no model of Google's has")
	}
	out := googleRequest{Config: c.googleConfig(model), ToolConfig: c.googleChoice(), Contents: c.googleContents()}
	if len(c.system) > 0 {
		out.System = &googleContent{}
		for _, text := range c.system {
			out.System.Parts = append(out.System.Parts, googlePart{Text: text})
		}
	}
	var tools googleTools
	for _, t := range c.tools {
		tools.Functions = append(tools.Functions, googleFunction{t.name, t.description, t.parameters})
	}
	if len(tools.Functions) > 0 {
		out.Tools = []googleTools{tools}
	}
	call := Call{Path: "/v1beta/models/" + url.PathEscape(model) + ":generateContent", Body: marshal(out), Usage: c.usage}
	if c.stream {
		call.Path, call.Query = "/v1beta/models/"+url.PathEscape(model)+":streamGenerateContent", "alt=sse"
	}
	return call, nil
}

func (c *chat) googleConfig(model string) googleConfig {
	out := googleConfig{
		Temperature: c.temperature, TopP: c.topP, Seed: c.seed, Count: c.count, Presence: c.presence, Frequency: c.frequency,
		MaxTokens: c.limit, Stop: c.stop, Schema: c.schema,
	}
	if c.asJSON {
		out.MIME = "application/json"
	}
	if c.effort != "" {
		out.Thinking = thinking(model, c.effort)
	}
	return out
}

// thinking follows Google's own table for OpenAI's efforts.
func thinking(model, effort string) *googleThinking {
	if !strings.HasPrefix(model, "gemini-2.5") {
		level := "high"
		if effort == "none" || effort == "minimal" || effort == "low" {
			level = "low"
		}
		return &googleThinking{Level: level}
	}
	budget, ok := map[string]int{"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}[effort]
	if !ok {
		return nil
	}
	return &googleThinking{Budget: &budget}
}

func (c *chat) googleChoice() *googleChoice {
	if len(c.tools) == 0 || c.choice == "" && c.named == "" {
		return nil
	}
	out := &googleChoice{}
	switch {
	case c.named != "":
		out.Calling.Mode, out.Calling.Allowed = "ANY", []string{c.named}
	case c.choice == "required":
		out.Calling.Mode = "ANY"
	case c.choice == "none":
		out.Calling.Mode = "NONE"
	default:
		out.Calling.Mode = "AUTO"
	}
	return out
}

// unsigned stands, by Google's rule, for the signature of a call that the model
// did not make in this conversation or that the client has not kept.
const unsigned = "skip_thought_signature_validator"

func (c *chat) googleContents() []googleContent {
	var out []googleContent
	names := map[string]string{}
	for _, t := range c.turns {
		next := googleContent{Role: "user"}
		switch t.role {
		case "tool":
			next.Parts = googleResult(t, names[t.id])
		case "assistant":
			next.Role = "model"
			next.Parts = googleParts(t.parts)
			for i, call := range t.calls {
				names[call.id] = call.name
				p := googlePart{Call: &googleCall{call.id, call.name, call.args}, Signature: call.signature}
				if i == 0 && p.Signature == "" {
					p.Signature = unsigned
				}
				next.Parts = append(next.Parts, p)
			}
		default:
			next.Parts = googleParts(t.parts)
		}
		if last := len(out) - 1; last >= 0 && out[last].Role == next.Role {
			out[last].Parts = append(out[last].Parts, next.Parts...)
		} else if len(next.Parts) > 0 {
			out = append(out, next)
		}
	}
	return out
}

// googleResult is what a tool brought: an object, or the member of one. Files go
// beside it.
func googleResult(t turn, name string) []googlePart {
	var text strings.Builder
	var files []part
	for _, p := range t.parts {
		text.WriteString(p.text)
		if p.text == "" {
			files = append(files, p)
		}
	}
	result := json.RawMessage(nil)
	if doc, err := jsonedit.ParseLoose([]byte(text.String())); err == nil && doc.Root().Kind() == jsonedit.Object {
		result = doc.Root().Raw()
	} else {
		result = marshal(map[string]string{"result": text.String()})
	}
	return append([]googlePart{{Response: &googleResponse{t.id, name, result}}}, googleParts(files)...)
}

func googleParts(parts []part) []googlePart {
	var out []googlePart
	for _, p := range parts {
		switch {
		case p.text != "":
			out = append(out, googlePart{Text: p.text})
		case p.data != "":
			out = append(out, googlePart{Inline: &googleData{p.mime, p.data}})
		default:
			out = append(out, googlePart{File: &googleFile{mimeOf(p.url), p.url}})
		}
	}
	return out
}

// mimeOf guesses from an address what Google wants to be told.
func mimeOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch path := strings.ToLower(u.Path); {
	case strings.HasSuffix(path, ".png"):
		return "image/png"
	case strings.HasSuffix(path, ".webp"):
		return "image/webp"
	case strings.HasSuffix(path, ".pdf"):
		return "application/pdf"
	}
	return "image/jpeg"
}

func (done *completion) fromGoogle(body []byte, root jsonedit.Node) error {
	r, err := provider.ParseResponse(provider.GeminiContent, 200, body)
	if err != nil {
		return err
	}
	done.ID, done.Model, done.Usage = root.Get("responseId").Text(), first(r.Model, done.Model), counted(r.Usage)
	for c := range root.Get("candidates").Items() {
		p := googleSaid(done.ID, 0, c)
		done.Choices = append(done.Choices, answer(c.Get("index").Int(), p.text, p.thought, p.calls, fromGoogleStop(c.Get("finishReason").Text(), len(p.calls) > 0)))
	}
	if len(done.Choices) == 0 { // the prompt was refused
		done.Choices = []choice{answer(0, "", "", nil, "content_filter")}
	}
	return nil
}

// pieces is what the parts of a candidate say, by kind.
type pieces struct {
	text, thought string
	calls         []toolCall
}

// googleSaid sorts the parts of a candidate. Calls that Google gives no id get
// one: known is how many there were before.
func googleSaid(id string, known int, c jsonedit.Node) pieces {
	var out pieces
	for p := range c.Get("content", "parts").Items() {
		text, f := p.Get("text").Text(), p.Get("functionCall")
		switch {
		case f.Is():
			args := string(f.Get("args").Raw())
			name := "call_" + id + "_" + strconv.Itoa(c.Get("index").Int()) + "_" + strconv.Itoa(known+len(out.calls))
			out.calls = append(out.calls, toolCall{
				ID: first(f.Get("id").Text(), name), Type: "function",
				Function: function{f.Get("name").Text(), first(args, "{}")},
				Extra:    signed(p.Get("thoughtSignature").Text()),
			})
		case p.Get("thought").True():
			out.thought += text
		default:
			out.text += text
		}
	}
	return out
}

// fromGoogleStop is why the model stopped, in OpenAI's words.
func fromGoogleStop(why string, called bool) string {
	switch why {
	case "MAX_TOKENS":
		return "length"
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY":
		return "content_filter"
	}
	if called {
		return "tool_calls"
	}
	return "stop"
}
