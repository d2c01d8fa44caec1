package id_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
)

const text = "0190a3c4-1b2d-7e4f-8a5b-6c7d8e9f0a1b"

// One identifier has one spelling, up to case.
func TestParse(t *testing.T) {
	for _, bad := range []string{
		"", text[:35], text + "0", "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""),
		strings.Replace(text, "-", "_", 1), strings.Replace(text, "0", "g", 1), " " + text[1:],
	} {
		if got, err := id.Parse(bad); !errors.Is(err, id.ErrInvalid) || !got.IsZero() {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
	for _, good := range []string{text, strings.ToUpper(text)} {
		if got, err := id.Parse(good); err != nil || got.String() != text {
			t.Errorf("%q: %v, %v", good, got, err)
		}
	}
}

func TestJSON(t *testing.T) {
	var v struct {
		A id.ID `json:"a"`
		B id.ID `json:"b,omitzero"`
	}
	if err := json.Unmarshal([]byte(`{"a":"`+text+`"}`), &v); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(v); err != nil || string(out) != `{"a":"`+text+`"}` {
		t.Errorf("%s, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"a":"x"}`), &v); err == nil {
		t.Error("x is an identifier")
	}
}

// New ones are in the order of their making, random ones are not and both
// never repeat.
func TestOrder(t *testing.T) {
	seen := map[id.ID]bool{}
	last, sorted := id.New(), true
	prev := id.Random()
	for range 1000 {
		n, r := id.New(), id.Random()
		if bytes.Compare(last[:], n[:]) >= 0 {
			t.Fatalf("%v after %v", n, last)
		}
		sorted = sorted && bytes.Compare(prev[:], r[:]) < 0
		if seen[n] || seen[r] {
			t.Fatal("an identifier came twice")
		}
		seen[n], seen[r], last, prev = true, true, n, r
	}
	if sorted {
		t.Error("random identifiers are in order")
	}
}
