package mcp

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/google/jsonschema-go/jsonschema"
)

// arguments reads the arguments of a tool into its type. It does what the SDK does for
// typed tools, but compiles the schema once and reads what came once more than it must:
// the type alone does not say which values there may be.
type arguments[In any] struct {
	schema   *jsonschema.Resolved
	declared map[string]*jsonschema.Schema
	defaults []byte // an object; nil where there are none
}

func newArguments[In any](schema *jsonschema.Schema) arguments[In] {
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		panic(err) // wiring: a schema that contradicts itself
	}
	a := arguments[In]{schema: resolved, declared: schema.Properties}
	values := map[string]json.RawMessage{}
	for name, p := range schema.Properties {
		if p.Default != nil {
			values[name] = p.Default
		}
	}
	if len(values) > 0 {
		a.defaults = []byte(compact(values))
	}
	return a
}

// read reads what a client sent. Arguments that the tool does not declare are let pass.
func (a arguments[In]) read(raw json.RawMessage) (in In, err error) {
	given := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &given); err != nil {
			return in, fmt.Errorf("validating \"arguments\": unmarshaling arguments: %w", err)
		}
	}
	if given == nil { // null
		given = map[string]any{}
	}
	if err := a.schema.Validate(given); err != nil {
		return in, fmt.Errorf("validating \"arguments\": %w", err)
	}
	if a.knows(given) {
		if in, err = a.decode(raw); err == nil {
			return in, nil
		}
	}
	// A name that differs in its case only is another one here, and 3.0 is a whole number:
	// decoding into a struct takes the first and refuses the second.
	maps.DeleteFunc(given, func(name string, _ any) bool { return a.declared[name] == nil })
	return a.decode([]byte(compact(given)))
}

func (a arguments[In]) knows(given map[string]any) bool {
	for name := range given {
		if a.declared[name] == nil {
			return false
		}
	}
	return true
}

func (a arguments[In]) decode(raw []byte) (in In, err error) {
	if a.defaults != nil {
		if err := json.Unmarshal(a.defaults, &in); err != nil {
			return in, err
		}
	}
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &in)
	}
	return in, err
}
