package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckJSON(t *testing.T) {
	many := func(n int, sep string, item func(int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = item(i)
		}
		return strings.Join(parts, sep)
	}
	key := func(i int) string { return fmt.Sprintf(`"k%d":%d`, i, i) }
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"empty", ``, nil},
		{"plain", `{"a":1,"b":[true,null,"x",{"a":2}],"c":{"a":{"a":3}}}`, nil},
		{"spaces", " {\t\"a\" \n: 1 }", nil},
		{"escapes", `{"a":"\"\\\/\b\n\u00e9\ud83d\ude00"}`, nil},
		{"a colon in a value", `{"a":"x:y","b":":"}`, nil},
		{"same key in siblings", `{"a":[{"k":1},{"k":2}]}`, nil},
		{"case matters below", `{"metadata":{"Host":1,"host":2}}`, nil},
		{"deep enough", strings.Repeat("[", 32) + strings.Repeat("]", 32), nil},
		{"too deep", strings.Repeat("[", 33) + strings.Repeat("]", 33), errJSONDepth},
		{"too deep, open", strings.Repeat(`{"a":`, 1_000_000), errJSONDepth},
		{"invalid UTF-8", "{\"a\":\"\xc3\x28\"}", errJSONUTF8},
		{"high surrogate", `{"a":"\ud83d"}`, errJSONSurrogate},
		{"low surrogate", `{"a":"\ude00\ud83d"}`, errJSONSurrogate},
		{"high surrogate, other escape", `{"a":"\ud83d\n"}`, errJSONSurrogate},
		{"duplicate", `{"value":"a","value":"b"}`, errJSONDuplicate},
		{"duplicate by case", `{"value":"a","VALUE":"b"}`, errJSONDuplicate},
		{"duplicate by escape", `{"value":"a","v\u0061lue":"b"}`, errJSONDuplicate},
		{"duplicate by folding", "{\"scopes\":1,\"\u017fcopes\":2}", errJSONDuplicate},
		{"duplicate below", `{"m":{"a":1,"b":2,"a":3}}`, errJSONDuplicate},
		{"duplicate after a nested object", `{"m":{"a":{"x":1},"a":3}}`, errJSONDuplicate},
		{"many keys below", `{"m":{` + many(5000, ",", key) + `}}`, nil},
		{"a duplicate among many", `{"m":{` + many(5000, ",", key) + `,"k77":1}}`, errJSONDuplicate},
		{"too many fields", `{` + many(200, ",", key) + `}`, errJSONFields},
		{"too many values", `[` + strings.Repeat("[],", 70_000) + `1]`, errJSONValues},
		{"long number", `{"a":` + strings.Repeat("9", 65) + `}`, errJSONNumber},
		{"number", `{"a":-1.25e+10}`, nil},
		{"unbalanced", `]}]}{"a":1`, nil},
		{"cut short", `{"a":"\`, nil},
		{"cut in an escape", `{"a":"\u12`, nil},
		{"bare quote", `"`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := checkJSON([]byte(tt.body)); !errors.Is(got, tt.want) && !(got == nil && tt.want == nil) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// FuzzCheckJSON: the guard never panics, and what passes both it and
// encoding/json comes back from a round trip unharmed.
func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"a":"\ud83d\ude00"}`, `{"a":1,"A":2}`, `[[[[`, `{"a":"\u`, `"\"`, `{"a":{"b":[1,2,{"c":"d"}]}}`, "\xff", `{"\u0061":1,"a":2}`, `1e9999`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		refused := checkJSON(b)
		var v any
		if json.Unmarshal(b, &v) != nil || refused != nil {
			return
		}
		if !utf8.Valid(b) {
			t.Fatalf("%q passed", b)
		}
		if depth(v) > maxJSONDepth {
			t.Fatalf("%d levels passed", depth(v))
		}
		if m, ok := v.(map[string]any); ok {
			for a := range m {
				for b := range m {
					if a != b && strings.EqualFold(a, b) {
						t.Fatalf("%q and %q passed", a, b)
					}
				}
			}
		}
		if strings.ContainsRune(fmt.Sprint(v), utf8.RuneError) && !strings.ContainsRune(string(b), utf8.RuneError) && !strings.Contains(strings.ToLower(string(b)), `\ufffd`) {
			t.Fatalf("%q was changed to %v", b, v)
		}
	})
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	case []any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	default:
		return 0
	}
	return deepest + 1
}
