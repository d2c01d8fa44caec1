package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/openapi.json and docs/surface.txt")

// TestGoldens makes every change of the API's surface a change that a reviewer
// sees.
func TestGoldens(t *testing.T) {
	s := New(Config{HSM: &fakeModule{}})
	raw, err := s.Document()
	if err != nil {
		t.Fatal(err)
	}
	var document bytes.Buffer
	if err := json.Indent(&document, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	document.WriteByte('\n')
	golden(t, "../../docs/openapi.json", document.String())
	golden(t, "../../docs/surface.txt", strings.Join(s.Surface(), "\n")+"\n")
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is out of date: run go test ./appliance/httpapi -run TestGoldens -update", file)
	}
}

func TestT2DocumentIsServed(t *testing.T) {
	w := newWorld(t)
	w.check(t, scenario{url: "/openapi.json", status: 200, has: []string{`"openapi":"3.1.0"`, `"/v1/health"`, `"scheme":"bearer"`}, lacks: []string{"$schema"}})
	w.check(t, scenario{url: "/v1/health", status: 200, lacks: []string{"$schema", "Link"}})
	for _, url := range []string{"/docs", "/schemas/Problem.json", "/openapi.yaml"} {
		w.check(t, scenario{url: url, status: 404})
	}
}

// TestDocumentOfTheTypes looks at how the types that huma cannot know are
// described.
func TestDocumentOfTheTypes(t *testing.T) {
	w := newWorld(t)
	raw, err := w.Document()
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]map[string]any
			}
		}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	agent := d.Components.Schemas["UpdateAgentRequest"].Properties
	for name, want := range map[string]string{
		"expires_at":        `{"format":"date-time","type":["string","null"]}`,
		"tx_max_value_eth":  `{"type":["string","null"]}`,
		"token_ttl_seconds": `{"format":"int32","type":["integer","null"]}`,
		"shroud_config":     `{"$ref":"#/components/schemas/ShroudConfig"}`,
		"scopes":            `{"items":{"type":"string"},"type":"array"}`,
		"vault_ids":         `{"items":{"format":"uuid","type":"string"},"type":"array"}`,
	} {
		if got, _ := json.Marshal(agent[name]); string(got) != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := d.Components.Schemas["PutSecretRequest"].Required; len(got) != 1 || got[0] != "value" {
		t.Errorf("PutSecretRequest requires %v", got)
	}
	if _, ok := d.Components.Schemas["ProblemDetails"].Properties["fields"]; !ok {
		t.Error("problems are not described")
	}
}
