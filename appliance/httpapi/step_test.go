package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// step is one request to a live API and what must be true of its answer.
type step struct {
	name   string
	method string // GET if empty
	url    string
	as     string // a name in live.tokens, else the token itself; "" for none
	header map[string]string
	from   string // address of the client
	body   string

	status  int
	has     []string          // in the body
	lacks   []string          // anywhere in the answer
	want    map[string]string // headers
	keys    string            // exactly the members of the object at, sorted or not
	at      string            // where keys are looked for, such as "vaults.0"
	event   string            // action, outcome and reason of the event that the answer names; "none" if it names none
	reveals bool              // the canary may be in the body
}

// answered is an answer.
type answered struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// send serves a request.
func (l *live) send(s step) answered {
	l.Helper()
	method := s.method
	if method == "" {
		method = get
	}
	var body io.Reader
	if s.body != "" {
		body = strings.NewReader(s.body)
	}
	r := httptest.NewRequest(method, s.url, body)
	r.Header.Set("Content-Type", "application/json")
	if token, known := l.tokens[s.as]; known {
		r.Header.Set("Authorization", "Bearer "+token)
	} else if s.as != "" {
		r.Header.Set("Authorization", "Bearer "+s.as)
	}
	for k, v := range s.header {
		r.Header.Set(k, v)
	}
	if s.from != "" {
		r.RemoteAddr = s.from + ":4711"
	}
	rec := httptest.NewRecorder()
	l.ServeHTTP(rec, r)
	return answered{rec, l.TB}
}

// want serves a step and holds the answer against it.
func (l *live) want(s step) answered {
	l.Helper()
	a := l.send(s)
	body := a.Body.String()
	if a.Code != s.status {
		l.Errorf("%s %s %s: status %d, want %d: %.500s", s.name, s.method, s.url, a.Code, s.status, body)
	}
	a.wellFormed(s)
	for _, has := range s.has {
		if !strings.Contains(body, has) {
			l.Errorf("%s: %s lacks %s", s.name, body, has)
		}
	}
	var all strings.Builder
	_ = a.Header().Write(&all)
	if !s.reveals {
		all.WriteString(body)
	}
	if what, found := leaked(all.String()); found {
		l.Errorf("%s: %s is in the answer: %s", s.name, what, all.String())
	}
	if s.reveals {
		all.WriteString(body)
	}
	for _, lacks := range s.lacks {
		if strings.Contains(all.String(), lacks) {
			l.Errorf("%s: the answer has %s:\n%s", s.name, lacks, all.String())
		}
	}
	for k, want := range s.want {
		if v := a.Header().Get(k); v != want {
			l.Errorf("%s: header %s is %q, want %q", s.name, k, v, want)
		}
	}
	if s.keys != "" {
		if got, want := a.keys(s.at), slices.Sorted(slices.Values(strings.Fields(s.keys))); !slices.Equal(got, want) {
			l.Errorf("%s: members are\n%v, want\n%v", s.name, got, want)
		}
	}
	l.receipt(s, a)
	return a
}

// run wants each step in a subtest.
func (l *live) run(t *testing.T, steps []step) {
	t.Helper()
	whole := l.TB
	defer func() { l.TB = whole }()
	for _, s := range steps {
		name := s.name
		if name == "" {
			name = s.method + " " + s.as
		}
		t.Run(name, func(t *testing.T) {
			l.TB = t
			l.want(s)
		})
	}
}

// wellFormed holds what is true of every answer of the API.
func (a answered) wellFormed(s step) {
	a.t.Helper()
	body, kind := a.Body.Bytes(), a.Header().Get("Content-Type")
	switch {
	case a.Code == http.StatusNoContent:
		if len(body) > 0 {
			a.t.Errorf("%s: 204 with %s", s.name, body)
		}
		return
	case kind == "application/jsonl":
		return
	case !json.Valid(body):
		a.t.Errorf("%s: not JSON: %.200s", s.name, body)
		return
	case a.Code < 400:
		if kind != "application/json" {
			a.t.Errorf("%s: content type %q", s.name, kind)
		}
		a.strict(s)
		return
	}
	var p api.Problem
	if err := json.Unmarshal(body, &p); err != nil || kind != api.ProblemContentType {
		a.t.Errorf("%s: a refusal of type %q: %v", s.name, kind, err)
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Status != a.Code {
		a.t.Errorf("%s: not a whole problem: %s", s.name, body)
	}
	if len(p.Fields) > 0 && a.Code != 400 {
		a.t.Errorf("%s: %d with fields", s.name, a.Code)
	}
}

// event is what the tests read of a logged event.
type event struct {
	ID       string                     `json:"id"`
	Org      string                     `json:"org"`
	Actor    struct{ Type, ID string }  `json:"actor"`
	Action   string                     `json:"action"`
	Resource struct{ Type, ID string }  `json:"resource"`
	Outcome  string                     `json:"outcome"`
	Reason   string                     `json:"reason"`
	Details  map[string]json.RawMessage `json:"details"`
	Policies []string                   `json:"policies"`
	IP       string                     `json:"ip"`
	Request  string                     `json:"request"`
}

func (e event) String() string {
	return strings.TrimSpace(e.Action + " " + e.Outcome + " " + e.Reason)
}

// receipt checks that what the headers say of the event is what the log has.
func (l *live) receipt(s step, a answered) {
	l.Helper()
	at := a.Header().Get("X-Audit-Index")
	if at == "" {
		if s.event != "" && s.event != "none" {
			l.Errorf("%s: no receipt; want one for %s", s.name, s.event)
		}
		return
	}
	index, err := strconv.ParseUint(at, 10, 64)
	l.ok(err)
	leaf, ok := l.leaf(context.Background(), index)
	if !ok {
		l.Fatalf("%s: the log has no event %d", s.name, index)
	}
	hash := tlog.RecordHash(leaf)
	e := eventOf(l.TB, leaf)
	if e.ID != a.Header().Get("X-Audit-Event") || base64.StdEncoding.EncodeToString(hash[:]) != a.Header().Get("X-Audit-Leaf") {
		l.Errorf("%s: the receipt %v is not of %s", s.name, a.Header(), leaf)
	}
	if e.Request != a.Header().Get("X-Request-Id") {
		l.Errorf("%s: the event is of request %s, the answer of %s", s.name, e.Request, a.Header().Get("X-Request-Id"))
	}
	if s.event != "" && s.event != e.String() {
		l.Errorf("%s: logged as %q, want %q", s.name, e.String(), s.event)
	}
}

func eventOf(t testing.TB, leaf []byte) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(leaf, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// logged returns the event that the answer names.
func (l *live) logged(a answered) event {
	l.Helper()
	index, err := strconv.ParseUint(a.Header().Get("X-Audit-Index"), 10, 64)
	l.ok(err)
	leaf, _ := l.leaf(context.Background(), index)
	return eventOf(l.TB, leaf)
}

// value finds what is at a path such as "keys.0.id"; nil if there is nothing.
func (a answered) value(path string) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(a.Body.Bytes(), &v); err != nil {
		a.t.Fatalf("not JSON: %s", a.Body)
	}
	for name := range strings.SplitSeq(path, ".") {
		if name == "" {
			continue
		}
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func (a answered) text(path string) string {
	a.t.Helper()
	s, ok := a.value(path).(string)
	if !ok {
		a.t.Fatalf("%s is no text in %s", path, a.Body)
	}
	return s
}

// list collects one member of each object in a list: list("vaults", "name").
func (a answered) list(path, member string) []string {
	a.t.Helper()
	in, ok := a.value(path).([]any)
	if !ok {
		a.t.Fatalf("%s is no list in %s", path, a.Body)
	}
	out := []string{}
	for i := range in {
		out = append(out, a.text(path+"."+strconv.Itoa(i)+"."+member))
	}
	return out
}

func (a answered) keys(path string) []string {
	a.t.Helper()
	o, ok := a.value(path).(map[string]any)
	if !ok {
		a.t.Errorf("no object at %q in %s", path, a.Body)
	}
	names := []string{}
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
