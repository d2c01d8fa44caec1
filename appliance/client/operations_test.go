package client_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// operation is what the API's description says of one.
type operation struct {
	Method, Path string

	ID         string `json:"operationId"`
	Parameters []struct {
		In, Name string
		Required bool
	}
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema schema }
	}
	Security []map[string]any // none: the operation needs no token
}

type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

func description(t *testing.T) (document, []operation) {
	t.Helper()
	raw, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	var all []operation
	for path, methods := range d.Paths {
		for method, op := range methods {
			op.Method, op.Path = strings.ToUpper(method), path
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	if len(all) < 100 {
		t.Fatalf("the description has %d operations", len(all))
	}
	return d, all
}

var (
	words       = regexp.MustCompile(`[A-Z]+(?:[A-Z]|$)|[A-Z]?[a-z]+`)
	initialisms = []string{"API", "CMEK", "HSM", "ID", "IP", "JWKS", "JWT", "LLM", "MFA"}
)

// methodName is what the method of an operation is called.
func methodName(operation string) string {
	var b strings.Builder
	for _, w := range words.FindAllString(operation, -1) {
		if upper := strings.ToUpper(w); slices.Contains(initialisms, upper) {
			b.WriteString(upper)
			continue
		}
		r := []rune(w)
		b.WriteString(string(unicode.ToUpper(r[0])) + string(r[1:]))
	}
	return b.String()
}

// conveniences are the methods that are no operations.
var conveniences = map[string]string{
	"As":             "another principal at the same appliance",
	"BaseURL":        "where the appliance is",
	"String":         "fmt must not print credentials",
	"GoString":       "fmt must not print credentials",
	"Session":        "what the key was exchanged for",
	"ExecuteIntent":  "the other form of ExecuteRequest",
	"AuditEvents":    "the pages of QueryAuditEvents",
	"Transactions":   "the pages of ListTransactions",
	"OutboxMessages": "the pages of AdminListOutbox",
}

func TestEveryOperationHasItsMethod(t *testing.T) {
	_, operations := description(t)
	wanted := maps.Clone(conveniences)
	for _, op := range operations {
		wanted[methodName(op.ID)] = op.ID
	}
	kind := reflect.TypeFor[*client.Client]()
	for i := range kind.NumMethod() {
		if name := kind.Method(i).Name; wanted[name] == "" {
			t.Errorf("%s is no operation of the API, and no convenience that is listed", name)
		} else {
			delete(wanted, name)
		}
	}
	for name, why := range wanted {
		t.Errorf("there is no method %s (%s)", name, why)
	}
}

// elsewhere are parameters that a method sends in another place, and fields that
// another method sends.
var elsewhere = map[string]string{
	"executeRequest body.intent_type cannot be said":    "it is for ExecuteIntent",
	"executeRequest body.execution_mode cannot be said": "it is for ExecuteIntent",
	"executeRequest body.params cannot be said":         "it is for ExecuteIntent",
	"executeRequest body.dry_run cannot be said":        "it is for ExecuteIntent",
	"accessShareWithPassphrase X-Share-Passphrase":      "it is in the body, which is what the operation is for",
}

// TestCallsAreAsDescribed calls every method with all that can be said, and holds the
// request, and what is made of an answer that has every field, against the API's
// description.
func TestCallsAreAsDescribed(t *testing.T) {
	d, operations := description(t)
	for _, op := range operations {
		t.Run(op.ID, func(t *testing.T) {
			s := &recorder{op: op, doc: d}
			server := httptest.NewServer(s)
			defer server.Close()
			c := open(t, client.Options{BaseURL: server.URL, Token: "token", Attempts: 1})
			method := reflect.ValueOf(c).MethodByName(methodName(op.ID))
			if !method.IsValid() {
				t.Fatal("there is no such method")
			}
			args, texts := arguments(method.Type())
			out := method.Call(args)
			if err, _ := out[len(out)-1].Interface().(error); err != nil {
				t.Fatal(err)
			}
			if s.request == nil {
				t.Fatal("no request came")
			}
			checkPlace(t, op, s, texts)
			checkParameters(t, op, s.request)
			checkBody(t, d, op, s)
			checkAnswer(t, out, s.answer)
		})
	}
}

// recorder is an appliance that answers one operation with every field there is.
type recorder struct {
	op      operation
	doc     document
	request *http.Request
	body    []byte
	answer  any
}

func (s *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.request = r
	s.body, _ = io.ReadAll(r.Body)
	codes := slices.Sorted(maps.Keys(s.op.Responses))
	code := codes[slices.IndexFunc(codes, func(c string) bool { return c[0] == '2' })]
	for kind, content := range s.op.Responses[code].Content {
		w.Header().Set("Content-Type", kind)
		if s.answer == nil {
			s.answer = s.doc.sample(content.Schema)
		}
	}
	w.WriteHeader(map[string]int{"200": 200, "201": 201, "202": 202, "204": 204}[code])
	if s.answer != nil {
		_ = json.NewEncoder(w).Encode(s.answer)
	}
}

// checkPlace: the method and path are those of the operation, with the arguments in
// their order, and each argument arrived somewhere.
func checkPlace(t *testing.T, op operation, s *recorder, texts []string) {
	t.Helper()
	r := s.request
	pattern := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllStringFunc(op.Path, func(p string) string {
		if p == "{path}" {
			return "(.+)"
		}
		return "([^/]+)"
	})
	found := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(r.URL.EscapedPath())
	if r.Method != op.Method || found == nil {
		t.Fatalf("%s %s, want %s %s", r.Method, r.URL.EscapedPath(), op.Method, op.Path)
	}
	for i, part := range found[1:] {
		if got, err := url.PathUnescape(part); err != nil || got != texts[i] {
			t.Errorf("parameter %d of the path is %q, want %q", i, got, texts[i])
		}
	}
	header, _ := json.Marshal(r.Header)
	rest, _ := url.QueryUnescape(r.URL.RawQuery)
	for _, text := range texts[len(found)-1:] {
		if !strings.Contains(string(header)+rest+string(s.body), text) {
			t.Errorf("the argument %q was not sent", text)
		}
	}
}

func checkParameters(t *testing.T, op operation, r *http.Request) {
	t.Helper()
	known := map[string]bool{}
	for _, p := range op.Parameters {
		known[p.In+" "+p.Name] = true
		sent := p.In == "path" || p.In == "query" && r.URL.Query().Has(p.Name) || p.In == "header" && r.Header.Get(p.Name) != ""
		if !sent && elsewhere[op.ID+" "+p.Name] == "" {
			t.Errorf("the %s parameter %s was not sent", p.In, p.Name)
		}
	}
	for name := range r.URL.Query() {
		if !known["query "+name] {
			t.Errorf("the operation has no query parameter %s", name)
		}
	}
	ours := []string{"Accept-Encoding", "Authorization", "Content-Length", "Content-Type", "User-Agent"}
	for name := range r.Header {
		if !slices.Contains(ours, name) && !known["header "+name] && !known["header "+strings.ToLower(name)] {
			t.Errorf("the operation has no header %s", name)
		}
	}
	want := ""
	if op.Security != nil {
		want = "Bearer token"
	}
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("Authorization is %q, want %q", got, want)
	}
}

func checkBody(t *testing.T, d document, op operation, s *recorder) {
	t.Helper()
	if op.RequestBody == nil {
		if len(s.body) > 0 {
			t.Errorf("the operation has no body; sent %s", s.body)
		}
		return
	}
	var body any
	if err := json.Unmarshal(s.body, &body); err != nil || s.request.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("the body is no JSON: %s", s.body)
	}
	for _, problem := range d.conforms(op.RequestBody.Content["application/json"].Schema, body, "body") {
		if elsewhere[op.ID+" "+problem] == "" {
			t.Error(problem)
		}
	}
}

// An intent has its fields in the description, in the request and in the answer.
func TestExecuteIntent(t *testing.T) {
	d, operations := description(t)
	op := operations[slices.IndexFunc(operations, func(op operation) bool { return op.ID == "executeRequest" })]
	shape := schema{Ref: "#/ExecuteIntentResponse"}
	s := &recorder{doc: d, op: op, answer: d.sample(shape)}
	server := httptest.NewServer(s)
	defer server.Close()
	in := api.ExecuteIntentRequest{Binding: "b", IntentType: "http", ExecutionMode: "vault", DryRun: true, Params: api.ExecuteParams{
		Method: "GET", URL: "u", Path: "p", Query: map[string]any{"q": "1"}, Headers: map[string]string{"h": "1"}, Body: map[string]any{"a": 1},
	}}
	out, err := open(t, client.Options{BaseURL: server.URL, Token: "token"}).ExecuteIntent(t.Context(), "a", in)
	if err != nil {
		t.Fatal(err)
	}
	var body any
	if err := json.Unmarshal(s.body, &body); err != nil {
		t.Fatal(err)
	}
	flat := []string{"body.method", "body.url", "body.headers", "body.body"}
	for _, problem := range d.conforms(op.RequestBody.Content["application/json"].Schema, body, "body") {
		if name, ok := strings.CutSuffix(problem, " cannot be said"); !ok || !slices.Contains(flat, name) {
			t.Error(problem)
		}
	}
	checkAnswer(t, []reflect.Value{reflect.ValueOf(out), {}}, s.answer)
}

// checkAnswer: what the method returned has every field of the answer, and its value.
func checkAnswer(t *testing.T, out []reflect.Value, answer any) {
	t.Helper()
	if len(out) == 1 {
		if answer != nil {
			t.Errorf("the answer is dropped: %v", answer)
		}
		return
	}
	if r, stream := out[0].Interface().(io.ReadCloser); stream {
		defer r.Close()
		if got, err := io.ReadAll(r); err != nil || strings.TrimSpace(string(got)) != `{"any":true}` {
			t.Errorf("streamed %s, %v", got, err)
		}
		return
	}
	got, err := json.Marshal(out[0].Interface())
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(answer)
	if a, b := decoded(got), decoded(want); !reflect.DeepEqual(a, b) {
		t.Errorf("of the answer\n%s\nthe method made\n%s", want, got)
	}
}

func decoded(raw []byte) (v any) {
	_ = json.Unmarshal(raw, &v)
	return v
}

// TestMethodNames keeps the rule itself from being vacuous.
func TestMethodNames(t *testing.T) {
	for operation, want := range map[string]string{
		"listVaults": "ListVaults", "createApiKey": "CreateAPIKey", "getJWKS": "GetJWKS", "revokeShareById": "RevokeShareByID",
		"adminListLlmPrices": "AdminListLLMPrices", "rotateAgentIdentityKeys": "RotateAgentIdentityKeys", "mfaVerifySetup": "MFAVerifySetup",
		"createIpRule": "CreateIPRule", "getJwtPublicKey": "GetJWTPublicKey", "apiKeyToken": "APIKeyToken", "healthHsm": "HealthHSM",
	} {
		if got := methodName(operation); got != want {
			t.Errorf("%s: %s, want %s", operation, got, want)
		}
	}
}

// TestOperationsAreContextFirst: and end in an error.
func TestOperationsAreContextFirst(t *testing.T) {
	kind := reflect.TypeFor[*client.Client]()
	for i := range kind.NumMethod() {
		m := kind.Method(i)
		if conveniences[m.Name] != "" {
			continue
		}
		if m.Type.NumIn() < 2 || m.Type.In(1) != reflect.TypeFor[context.Context]() || m.Type.Out(m.Type.NumOut()-1) != reflect.TypeFor[error]() {
			t.Errorf("%s is %s", m.Name, m.Type)
		}
	}
}
