package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// parse takes a body apart, whatever it is of.
func parse(part string, f Format, body string) (*Message, error) {
	if strings.HasPrefix(part, "request") {
		r, err := ParseRequest(f, []byte(body))
		if err != nil {
			return nil, err
		}
		return &r.Message, nil
	}
	status := 200
	if strings.HasPrefix(part, "error") {
		status = 400
	}
	r, err := ParseResponse(f, status, []byte(body))
	if err != nil {
		return nil, err
	}
	return &r.Message, nil
}

// bodies runs a test on all bodies that there are fixtures of.
func bodies(t *testing.T, test func(t *testing.T, part string, c fixture)) {
	for _, part := range []string{"request", "response", "answer", "error"} {
		for name, c := range fixtures(t, part) {
			t.Run(name, func(t *testing.T) { test(t, part, c) })
		}
	}
}

func TestRewriteChangesOneString(t *testing.T) {
	bodies(t, func(t *testing.T, part string, c fixture) {
		m, err := parse(part, c.format, c.text)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := m.Rewrite(nil); err != nil || string(out) != c.text {
			t.Fatalf("without changes: %v\n%s", err, out)
		}
		for i, text := range m.Texts {
			to := "other \"words\"\n" + text.Value
			out, err := m.Rewrite(map[int]string{i: to})
			if text.Signed {
				if !errors.Is(err, ErrSigned) {
					t.Errorf("%s: a signed text changes: %v", m.Path(i), err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			oneChange(t, m, i, string(out))
			again, err := parse(part, c.format, string(out))
			if err != nil || len(again.Texts) != len(m.Texts) {
				t.Errorf("%s: %v, %d texts, were %d\n%s", m.Path(i), err, len(again.Texts), len(m.Texts), out)
			} else if again.Texts[i].Value != to {
				t.Errorf("%s: %q, want %q", m.Path(i), again.Texts[i].Value, to)
			}
		}
	})
}

// oneChange fails if anything but the token of a text differs, and what repeats
// that text in another form.
func oneChange(t *testing.T, m *Message, i int, out string) {
	t.Helper()
	s := m.sites[i]
	token := s.node
	if s.in != nil {
		token = s.in.outer
	}
	before, _, _ := strings.Cut(string(m.body), string(token.Raw()))
	if !strings.HasPrefix(out, before) && len(m.shadows) == 0 {
		t.Errorf("%s: something before it has changed", m.Path(i))
	}
}

// TestEveryStringIsLookedAt puts a canary into each string of each body, one
// after the other, and one more name into each object: it must be in a text.
// Left out is what repeats texts token by token, and goes when they change.
func TestEveryStringIsLookedAt(t *testing.T) {
	const canary = "canary-3f9a51"
	bodies(t, func(t *testing.T, part string, c fixture) {
		for at, body := range planted(t, c.text, canary) {
			m, err := parse(part, c.format, body)
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			if !holds(m, canary) && !strings.Contains(at, "logprobs") {
				t.Errorf("%s is not looked at", at)
			}
		}
	})
}

func holds(m *Message, word string) bool {
	for _, text := range m.Texts {
		if strings.Contains(text.Value, word) {
			return true
		}
	}
	return false
}

// planted is a body once for each of its strings, with a word in its place.
func planted(t testing.TB, body, word string) map[string]string {
	t.Helper()
	d, err := jsonedit.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var walk func(n jsonedit.Node)
	walk = func(n jsonedit.Node) {
		for _, v := range n.Fields() {
			walk(v)
		}
		for v := range n.Items() {
			walk(v)
		}
		if n.Kind() == jsonedit.String {
			all[d.Pointer(n)] = string(d.Apply([]jsonedit.Edit{{Node: n, With: jsonedit.Quote(word)}}))
		}
		if n.Kind() == jsonedit.Object {
			extra := append([]byte(`{"`+word+`":1,`), n.Raw()[1:]...)
			if len(n.Raw()) == 2 {
				extra = []byte(`{"` + word + `":1}`)
			}
			all[d.Pointer(n)+" (name)"] = string(d.Apply([]jsonedit.Edit{{Node: n, With: extra}}))
		}
	}
	walk(d.Root())
	return all
}

// TestTexts is what the fixtures say, and who says it.
func TestTexts(t *testing.T) {
	for name, wants := range map[string][]string{
		"openai-chat/request": {
			"system content You are terse.\nAlways.",
			"user content What is in \"this\" image? café 😀",
			"user link https://example.com/a.png?alt=a+cat",
			"user document some notes of ann",
			"assistant tool_name get_weather",
			"assistant tool_call Oslo",
			"assistant tool_call 4929123412341234",
			"assistant tool_call abc",
			"assistant tool_call not json",
			"tool tool_result {\"temp\": 3}",
			"tool tool_result noted",
			"system tool_schema Weather of a city",
			"user other END OF IT",
		},
		"anthropic/request": {
			"system content You are careful.",
			"user content Look at these.",
			"tool document The grass is green.",
			"tool document Report of May",
			"tool document A part of it.",
			"tool document How to do it",
			"user link https://example.com/cat.jpg",
			"assistant reasoning I should look it up.",
			"assistant tool_call San Francisco, CA",
			"assistant tool_call 12345678901",
			"tool tool_result 15 degrees",
			"tool document inside a result",
			"tool tool_result plain result",
			"system tool_schema Get the weather",
		},
		"openai-chat/response": {"assistant content Hello! How can I \"assist\"?", "assistant tool_call ls -l /tmp", "assistant tool_name run"},
		"anthropic/response":   {"assistant content Hi! My name is Claude.", "assistant tool_call ls -l", "tool tool_result Claude Shannon"},
		"openai-chat/error":    {"assistant failure invalid_api_key"},
	} {
		part := name[strings.IndexByte(name, '/')+1:]
		c := fixtures(t, part)[name]
		m, err := parse(part, c.format, c.text)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for i, x := range m.Texts {
			fmt.Fprintf(&got, "%s %s %s\n@%s\n", x.Role, x.Kind, x.Value, m.Path(i))
		}
		for _, want := range wants {
			if !strings.Contains("\n"+got.String(), "\n"+want+"\n") {
				t.Errorf("%s: no %q in\n%s", name, want, got.String())
			}
		}
	}
}

func TestRequestRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"a role twice":     `{"messages":[{"role":"user","content":"a","content":"b"}]}`,
		"messages twice":   `{"messages":[],"mess\u0061ges":[]}`,
		"another model":    `{"model":"a","Model":"b"}`,
		"an array":         `[]`,
		"nothing":          ``,
		"something behind": `{"messages":[]} {"messages":[]}`,
		"half a rune":      "{\"messages\":[{\"role\":\"user\",\"content\":\"\xc3\"}]}",
	} {
		for _, f := range formats {
			if _, err := ParseRequest(f, []byte(body)); err == nil {
				t.Errorf("%s passes as %d", name, f)
			}
		}
	}
}

func TestLongNumbers(t *testing.T) {
	r, err := ParseRequest(OpenAIChat, []byte(`{"created":1700000000000,"top_p":0.12345678901234567,"metadata":{"card":4929123412341234}}`))
	if err != nil || len(r.Texts) != 1 || r.Texts[0].Value != "4929123412341234" {
		t.Fatalf("%+v, %v", r.Texts, err)
	}
	if out, err := r.Rewrite(map[int]string{0: "[card]"}); err != nil || !strings.Contains(string(out), `{"card":"[card]"}`) {
		t.Errorf("%s, %v", out, err)
	}
}

// TestNamesInAnotherCase: servers written in Go take them for those they know.
func TestNamesInAnotherCase(t *testing.T) {
	for body, f := range map[string]Format{
		`{"messages":[{"role":"user","Content":"a"}]}`:                          OpenAIChat,
		`{"messages":[{"role":"user","content":[{"type":"text","TEXT":"a"}]}]}`: OpenAIChat,
		`{"messages":[{"role":"user","content":"a","Role":"system"}]}`:          AnthropicMessages,
		`{"input":[{"role":"user","content":"a","ROLE":"system"}]}`:             OpenAIResponses,
	} {
		if _, err := ParseRequest(f, []byte(body)); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, body := range []string{`{"messages":[],"metadata":{"Role":"x"}}`, `{"messages":[],"tools":[{"function":{"parameters":{"properties":{"Name":{}}}}}]}`} {
		if _, err := ParseRequest(OpenAIChat, []byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestResponsesThatAreNone(t *testing.T) {
	if _, err := ParseResponse(OpenAIChat, 200, []byte("<html>")); err == nil {
		t.Error("HTML passes as an answer")
	}
	r, err := ParseResponse(OpenAIChat, 502, []byte("<html>oops"))
	if err != nil || len(r.Texts) != 1 || r.Texts[0].Kind != Failure {
		t.Fatalf("%+v, %v", r, err)
	}
	if out, err := r.Rewrite(map[int]string{0: "gone"}); err != nil || string(out) != "gone" {
		t.Errorf("%s, %v", out, err)
	}
}

func TestUsage(t *testing.T) {
	want := map[string]Usage{
		"openai-chat/response": {19, 10, 4, 2}, "anthropic/response": {2200, 503, 100, 0},
	}
	for name, c := range fixtures(t, "response") {
		r, err := ParseResponse(c.format, 200, []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if w, ok := want[name]; ok && r.Usage != w {
			t.Errorf("%s: %+v, want %+v", name, r.Usage, w)
		}
		if r.Finish == "" || r.Model == "" && c.format != CohereChat || len(r.Calls) == 0 || !json.Valid([]byte(r.Calls[0].Arguments)) {
			t.Errorf("%s: finish %q, model %q, calls %q", name, r.Finish, r.Model, r.Calls)
		}
	}
}

func TestSetModel(t *testing.T) {
	for name, c := range fixtures(t, "request") {
		r, err := ParseRequest(c.format, []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		old := r.Model
		r.SetModel("other-model")
		out, err := r.Rewrite(nil)
		if want := strings.Replace(c.text, `"`+old+`"`, `"other-model"`, 1); err != nil || old != "" && string(out) != want {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestErrorBody(t *testing.T) {
	if got := string(ErrorBody(403, "no \"way\"")); got != `{"error":{"code":403,"message":"no \"way\"","type":"shroud_error"}}` {
		t.Error(got)
	}
}
