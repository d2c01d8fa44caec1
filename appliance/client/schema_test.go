package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

// schema is as much of JSON Schema as the API's description uses.
type schema struct {
	Ref        string `json:"$ref"`
	Type       types
	Format     string
	Properties map[string]schema
	Required   []string
	Items      *schema
	OneOf      []schema
}

// types are one type, or several.
type types []string

func (t *types) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

func (d document) resolve(s schema) schema {
	if len(s.OneOf) > 0 {
		s = s.OneOf[0]
	}
	if s.Ref != "" {
		return d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	return s
}

// sample is a value with every field that a schema knows.
func (d document) sample(s schema) any {
	s = d.resolve(s)
	if len(s.Type) == 0 {
		return map[string]any{"any": true}
	}
	switch s.Type[0] {
	case "object":
		out := map[string]any{}
		for name, p := range s.Properties {
			out[name] = d.sample(p)
		}
		return out
	case "array":
		return []any{d.sample(*s.Items)}
	case "integer":
		return 7
	case "number":
		return 0.5
	case "boolean":
		return true
	}
	if s.Format == "date-time" {
		return "2026-03-04T12:00:00Z"
	}
	return "text"
}

// conforms says where a value is not as its schema says, and what has no place there.
func (d document) conforms(s schema, v any, at string) (problems []string) {
	s = d.resolve(s)
	if kind := jsonType(v); len(s.Type) > 0 && !slices.Contains(s.Type, kind) && (kind != "integer" || !slices.Contains(s.Type, "number")) {
		return []string{fmt.Sprintf("%s is of type %s, want %v", at, kind, s.Type)}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				problems = append(problems, at+"."+name+" is missing")
			}
		}
		for name, inner := range v {
			p, ok := s.Properties[name]
			if !ok && len(s.Properties) > 0 {
				problems = append(problems, at+"."+name+" is unknown to the API")
				continue
			}
			problems = append(problems, d.conforms(p, inner, at+"."+name)...)
		}
		for name := range s.Properties {
			if _, ok := v[name]; !ok && len(v) > 0 { // an api.Object says what its caller likes
				problems = append(problems, at+"."+name+" cannot be said")
			}
		}
	case []any:
		for _, inner := range v {
			problems = append(problems, d.conforms(*s.Items, inner, at+"[]")...)
		}
	}
	return problems
}

func jsonType(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}

// arguments fills the parameters of a method, all different, and returns the text of
// those that are a text or a number.
func arguments(method reflect.Type) (args []reflect.Value, texts []string) {
	for i := range method.NumIn() {
		kind := method.In(i)
		switch {
		case kind == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(context.Background()))
			continue
		case kind.Kind() == reflect.String:
			args = append(args, reflect.ValueOf(fmt.Sprintf("arg %d", i)))
		case kind.Kind() == reflect.Int || kind.Kind() == reflect.Uint64:
			args = append(args, reflect.ValueOf(100+i).Convert(kind))
		default:
			args = append(args, filled(kind))
			continue
		}
		texts = append(texts, fmt.Sprint(args[len(args)-1].Interface()))
	}
	return args, texts
}

// filled is a value that has something in every field.
func filled(kind reflect.Type) reflect.Value {
	v := reflect.New(kind).Elem()
	switch kind {
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.Unix(1_750_000_000, 0))
	case reflect.TypeFor[api.Time]():
		return reflect.ValueOf(api.At(time.Unix(1_750_000_000, 0)))
	case reflect.TypeFor[api.Object](), reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`{}`))
		return v
	case reflect.TypeFor[cmek.Key]():
		return reflect.ValueOf(cmek.NewKey())
	}
	switch kind.Kind() {
	case reflect.Struct:
		for i := range kind.NumField() {
			if kind.Field(i).IsExported() {
				v.Field(i).Set(filled(kind.Field(i).Type))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(kind.Elem()))
		v.Elem().Set(filled(kind.Elem()))
	case reflect.Slice:
		v.Set(reflect.Append(v, filled(kind.Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(kind))
		v.SetMapIndex(filled(kind.Key()), filled(kind.Elem()))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf("text"))
	case reflect.Float64:
		v.SetFloat(0.5)
	default:
		v.Set(reflect.ValueOf(7).Convert(kind))
	}
	return v
}
