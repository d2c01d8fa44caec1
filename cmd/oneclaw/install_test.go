package main

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tailscale/hujson"
)

// entries reads a configuration as its program does: with comments.
func entries(t *testing.T, text []byte) map[string]any {
	t.Helper()
	plain, err := hujson.Standardize(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	var all map[string]any
	if err := json.Unmarshal(plain, &all); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return all
}

// An entry is put beside whatever is there, which stays, and once.
func FuzzWithServer(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", "[]", "{", `{"servers":null}`, `{"servers":[]}`, `{"servers":{"1claw":{"x":1},"other":{}},"a":1}`,
		"// c\n{\n  \"servers\": { // d\n  },\n}\n", "\ufeff{}", `{"servers":{"a":1,},"mcpServers":{}}`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	entry := serverEntry{Type: "stdio", Command: "/bin/oneclaw", Args: []string{"mcp"}, Env: map[string]string{"ONECLAW_BASE_URL": "https://a"}}
	f.Fuzz(func(t *testing.T, before []byte) {
		after, err := withServer(before, "servers", entry)
		if err != nil {
			return
		}
		all := entries(t, after)
		servers, _ := all["servers"].(map[string]any)
		got, err := json.Marshal(servers[serverName])
		if err != nil {
			t.Fatal(err)
		}
		var is serverEntry
		if err := json.Unmarshal(got, &is); err != nil || !reflect.DeepEqual(is, entry) {
			t.Fatalf("%q becomes %q", before, after)
		}
		again, err := withServer(after, "servers", entry)
		if err != nil || !reflect.DeepEqual(entries(t, again), all) {
			t.Fatalf("%q becomes %q, and then %q: %v", before, after, again, err)
		}
		delete(servers, serverName)
		if !json.Valid(before) { // comments, or nothing
			return
		}
		was := entries(t, before)
		if had, ok := was["servers"].(map[string]any); ok {
			delete(had, serverName)
		} else {
			was["servers"] = map[string]any{}
		}
		if !reflect.DeepEqual(all, was) {
			t.Fatalf("%q becomes %q", before, after)
		}
	})
}
