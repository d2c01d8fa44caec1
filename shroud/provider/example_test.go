package provider_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider"
)

// A request is taken apart, looked at, and changed where it has to be.
func ExampleParseRequest() {
	body := `{"model": "gpt-5", "messages": [{"role": "user", "content": "My key is hunter2, is it \u0022good\u0022?"}], "n": 1.0}`
	req, err := provider.ParseRequest(provider.OpenAIChat, []byte(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	edits := map[int]string{}
	for i, text := range req.Texts {
		fmt.Println(text.Role, text.Kind, req.Path(i))
		if strings.Contains(text.Value, "hunter2") {
			edits[i] = strings.ReplaceAll(text.Value, "hunter2", "[REDACTED:key]")
		}
	}
	out, err := req.Rewrite(edits)
	fmt.Println(string(out), err)
	// Output:
	// user label /model
	// user content /messages/0/content
	// {"model": "gpt-5", "messages": [{"role": "user", "content": "My key is [REDACTED:key], is it \"good\"?"}], "n": 1.0} <nil>
}

// careful holds everything back until its text is complete.
type careful struct{ text string }

func (c *careful) Write(text string) (string, error) {
	c.text += text
	return "", nil
}

func (c *careful) Close() (string, error) {
	if strings.Contains(c.text, "rm -rf") {
		return "", errors.New("no such command")
	}
	return c.text, nil
}

// A stream is filtered while it arrives; a filter ends it before the client
// sees the call complete.
func ExampleStream() {
	route, _ := provider.Lookup(provider.OpenAI, "POST", "/v1/chat/completions", "")
	answer := `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"sh","arguments":"{\"run\": \"rm"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":" -rf /\"}"}}]}}]}

`
	s := provider.NewStream(route.Format, route.Events(strings.NewReader(answer)), func(provider.Channel) provider.Filter { return &careful{} })
	for {
		out, err := s.Next()
		fmt.Print(string(out))
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Print(string(s.Failure(403, err.Error())))
			return
		}
	}
	// Output:
	// data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"sh","arguments":"{\"run\": \""}}]}}]}
	//
	// data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":403,"message":"no such command","type":"shroud_error"}}
}
