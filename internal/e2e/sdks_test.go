package e2e

import (
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sdk is a provider's own client for JavaScript, as npm has it.
type sdk struct {
	name    string   // of the provider, of the script and of the file of answers
	version string   // that the base URL has in the setting
	more    []string // what it can do beside chats
	tls     bool
	errors  map[int]string // the classes that programs tell errors apart by
}

var sdks = []sdk{
	{"openai", "/v1", []string{"respond", "respondStream", "embed"}, false, map[int]string{
		401: "AuthenticationError", 403: "PermissionDeniedError", 429: "RateLimitError", 500: "InternalServerError",
	}},
	{"anthropic", "", []string{"count"}, true, map[int]string{
		401: "AuthenticationError", 403: "PermissionDeniedError", 429: "RateLimitError", 500: "InternalServerError",
	}},
	{"google", "", []string{"embed", "count"}, false, map[int]string{
		401: "ApiError", 403: "ApiError", 429: "ApiError", 500: "ApiError",
	}},
	{"mistral", "/v1", []string{"embed"}, false, map[int]string{
		401: "SDKError", 403: "SDKError", 429: "SDKError", 500: "SDKError",
	}},
	{"cohere", "", []string{"embed", "count"}, false, map[int]string{
		401: "UnauthorizedError", 403: "ForbiddenError", 429: "TooManyRequestsError", 500: "InternalServerError",
	}},
}

// sdkAnswer is what an SDK gave to the program that uses it.
type sdkAnswer struct {
	Text          string
	Calls         []sdkCall
	Input, Output int
	Vector        []float64
	Count         int
	Error         *sdkError
}

type sdkCall struct {
	Name string
	Args map[string]string
}

type sdkError struct {
	Class   string
	Status  int
	Message string
}

// user is a program that uses an SDK.
type user struct {
	t   *testing.T
	sdk sdk
	up  *upstream
	k   *talker
	ask func(any) ([]byte, error)
	key string // of the provider, in X-Shroud-Api-Key

	secret string
}

// does has the SDK do something, and what neither side may see looked for on both.
func (u *user) does(todo, text string) sdkAnswer {
	u.t.Helper()
	line, err := u.ask(map[string]any{"base": u.k.d.shroud, "todo": todo, "text": text, "headers": map[string]string{
		"X-Shroud-Agent-Key": u.k.id + ":" + u.k.key, "X-Shroud-Provider": u.sdk.name, "X-Shroud-Api-Key": u.key,
	}})
	if err != nil {
		u.t.Fatalf("%s: %v", todo, err)
	}
	if strings.Contains(string(line), u.secret) {
		u.t.Errorf("%s: the SDK was told %s", todo, line)
	}
	if asked := u.up.last(); strings.Contains(asked.body, u.secret) {
		u.t.Errorf("%s: the provider was asked %s", todo, asked.body)
	}
	var a sdkAnswer
	if err := json.Unmarshal(line, &a); err != nil {
		u.t.Fatalf("%s: %s: %v", todo, line, err)
	}
	return a
}

// gets is does for what goes well.
func (u *user) gets(todo, text string) sdkAnswer {
	u.t.Helper()
	a := u.does(todo, text)
	if a.Error != nil {
		u.t.Errorf("%s: %+v", todo, *a.Error)
	}
	asked := u.up.last()
	if key := asked.credential(); key != u.key {
		u.t.Errorf("%s: the provider got the key %q", todo, key)
	}
	if !strings.Contains(asked.body, "I know that [REDACTED:door/word] opens it.") {
		u.t.Errorf("%s: the provider was asked %s", todo, asked.body)
	}
	for name := range asked.header {
		if strings.HasPrefix(name, "X-Shroud") {
			u.t.Errorf("%s: the provider got %s", todo, name)
		}
	}
	return a
}

// TestProviderSDKs runs the providers' own SDKs, as npm has them, against Shroud.
func TestProviderSDKs(t *testing.T) {
	needSoftHSM(t)
	const secret = "CANARY-7f3b2c9d1e5a"
	js := npm(t)
	d := newDev(t)
	var users []*user
	var providers []string
	for _, s := range sdks {
		serve := httptest.NewServer
		if s.tls {
			serve = httptest.NewTLSServer
		}
		u := &user{sdk: s, up: newUpstream(t, s.name, secret, serve), key: "key-of-" + s.name, secret: secret}
		if s.tls {
			ca := filepath.Join(t.TempDir(), "ca.pem")
			text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: u.up.Certificate().Raw})
			if err := os.WriteFile(ca, text, 0o600); err != nil {
				t.Fatal(err)
			}
			d.args = append(d.args, "--set", "shroud.provider_ca_file="+ca)
		}
		providers = append(providers, s.name+"="+u.up.URL+s.version)
		users = append(users, u)
	}
	d.args = append(d.args, "--set", "shroud.providers="+strings.Join(providers, ","))
	d.start()
	k := d.talker(t, map[string]any{"max_requests_per_minute": 0})
	d.human().put(k.vault, "door/word", secret).is(t, 201)
	for _, u := range users {
		t.Run(u.sdk.name, func(t *testing.T) {
			u.t, u.k, u.ask = t, k, js.lines(t, filepath.Join("sdk", u.sdk.name+".mjs"))
			u.chats()
			u.doesMore()
			u.fails()
			u.aborts()
			u.breaks()
			u.isRefused()
		})
	}
	for _, u := range users[1:3] { // who do not speak as OpenAI does
		t.Run("openai to "+u.sdk.name, func(t *testing.T) {
			u.t, u.ask, u.sdk.errors = t, js.lines(t, filepath.Join("sdk", "openai.mjs")), sdks[0].errors
			u.chats()
			u.fails()
			u.aborts()
			u.breaks()
		})
	}
	if log := d.log(); strings.Contains(log, secret) || strings.Contains(log, "key-of-") {
		t.Error("a secret is in the log")
	}
}

// chats is about texts and calls of tools, whole and in streams.
func (u *user) chats() {
	u.t.Helper()
	for _, todo := range []string{"chat", "stream", "tool", "toolStream"} {
		a := u.gets(todo, "I know that "+u.secret+" opens it.")
		want := sdkAnswer{Text: "the word is [REDACTED:door/word], I think", Calls: []sdkCall{}, Input: 19, Output: 10}
		if strings.HasPrefix(todo, "tool") {
			want.Text, want.Calls = "", []sdkCall{{"unlock", map[string]string{"word": "[REDACTED:door/word]"}}}
		}
		if !reflect.DeepEqual(a, want) {
			u.t.Errorf("%s: %+v", todo, a)
		}
	}
}

// doesMore is about what only some providers have.
func (u *user) doesMore() {
	u.t.Helper()
	for _, todo := range u.sdk.more {
		a := u.gets(todo, "I know that "+u.secret+" opens it.")
		want := sdkAnswer{
			Text: "the word is [REDACTED:door/word], I think", Input: 19, Output: 10,
			Calls: []sdkCall{{"unlock", map[string]string{"word": "[REDACTED:door/word]"}}},
		}
		switch todo {
		case "embed":
			want = sdkAnswer{Vector: []float64{0.25, -0.5}}
		case "count":
			want = sdkAnswer{Count: 14}
		}
		if !reflect.DeepEqual(a, want) {
			u.t.Errorf("%s: %+v", todo, a)
		}
	}
}

// raises expects an error of the SDK's own.
func (u *user) raises(a sdkAnswer, status int, text string) {
	u.t.Helper()
	if a.Error == nil {
		u.t.Errorf("want %d, %q: no error", status, text)
		return
	}
	if a.Error.Class != u.sdk.errors[status] || a.Error.Status != status || !strings.Contains(a.Error.Message, text) {
		u.t.Errorf("want %d, %s, %q: %+v", status, u.sdk.errors[status], text, *a.Error)
	}
}

// fails is about errors of the provider's.
func (u *user) fails() {
	u.t.Helper()
	for status, words := range map[int]string{429: "answer 429", 500: "answer 500"} {
		for _, todo := range []string{"chat", "stream"} {
			u.raises(u.does(todo, words), status, "[REDACTED:door/word]")
		}
	}
}

// aborts is about a program that has read enough of a stream.
func (u *user) aborts() {
	u.t.Helper()
	a := u.does("abort", "talk without end")
	if a.Error != nil && !strings.Contains(strings.ToLower(a.Error.Class+a.Error.Message), "abort") {
		u.t.Errorf("abort: %+v", *a.Error)
	}
	select {
	case <-u.up.gone:
	case <-time.After(patience):
		u.t.Error("the provider still talks to nobody")
	}
}

// breaks is about a provider whose connection breaks in the middle of a stream.
// Mistral's SDK shows of an error that it is one.
func (u *user) breaks() {
	u.t.Helper()
	text := "upstream error: the stream"
	if u.sdk.name == "mistral" {
		text = "finish reason: error"
	}
	if a := u.does("stream", "break off"); a.Error == nil || !strings.Contains(a.Error.Message, text) {
		u.t.Errorf("%+v %+v", a, a.Error)
	}
}

// isRefused is about calls that end at Shroud.
func (u *user) isRefused() {
	u.t.Helper()
	before := u.up.times()
	k, stranger := u.k, *u.k
	stranger.key = "ocv_wrong"
	u.k = &stranger
	u.raises(u.does("chat", "let me in"), 401, "Invalid credentials")
	u.k = k
	k.configure(map[string]any{"max_requests_per_minute": 0, "denied_models": []string{"*"}})
	for _, todo := range []string{"chat", "stream"} {
		u.raises(u.does(todo, "hello"), 403, "the agent may not use the model")
	}
	k.configure(map[string]any{"max_requests_per_minute": 0})
	if after := u.up.times(); after != before {
		u.t.Errorf("the provider was asked %d times", after-before)
	}
}

// configure sets the agent's shroud_config.
func (k *talker) configure(config map[string]any) {
	k.t.Helper()
	k.d.human().do("PATCH", "/v1/agents/"+k.id, map[string]any{"shroud_config": config}).is(k.t, 200)
}
