package mcp

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// tool is a tool as this package describes it. Its result is text, as published
// clients expect it, and the same as an object.
type tool[In, Out any] struct {
	name, title, about string
	does               effect
	args               []refine
	subject            subject // what its errors are about
	call               func(ctx context.Context, c *call, in In) (text string, out Out, err error)
}

// call is what a tool is called with beside its arguments.
type call struct {
	*caller // nil where there is no appliance
	s       *server
	req     *sdk.CallToolRequest
	note    string // to the model, beside the result
}

// effect is what a call does to the world, for clients that ask people before
// some calls.
type effect uint8

const (
	reads    effect = iota // nothing, and reaches nothing but the appliance
	adds                   // something new
	writes                 // takes the place of what was there, the same again changes nothing
	destroys               // what was there is gone
	spends                 // reaches a chain, or another service, and cannot be undone
)

func (e effect) annotations(title string) *sdk.ToolAnnotations {
	destructive, open := e >= writes, e == spends
	return &sdk.ToolAnnotations{
		Title: title, ReadOnlyHint: e == reads, IdempotentHint: e == reads || e == writes || e == destroys,
		DestructiveHint: &destructive, OpenWorldHint: &open,
	}
}

// add registers a tool, with the SDK and for the shortcut.
func add[In, Out any](s *server, t tool[In, Out]) {
	schema := schemaOf[In](t.args)
	args := newArguments[In](schema)
	run := func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if err := blocked(ctx); err != nil {
			return failed(err), nil
		}
		in, err := args.read(req.Params.Arguments)
		if err != nil {
			return failed(err), nil
		}
		return t.run(ctx, s, req, in)
	}
	s.tools[t.name] = registered{run, t.does == spends}
	s.sdk.AddTool(&sdk.Tool{
		Name: t.name, Title: t.title, Description: t.about, Annotations: t.does.annotations(t.title),
		InputSchema: json.RawMessage(compact(schema)), OutputSchema: json.RawMessage(compact(schemaOf[Out](nil))),
	}, run)
}

// run makes a call and puts what came of it in words, for the model, and into an object.
func (t tool[In, Out]) run(ctx context.Context, s *server, req *sdk.CallToolRequest, in In) (*sdk.CallToolResult, error) {
	c := &call{s: s, req: req}
	if s.cfg.API != nil {
		var err error
		if c.caller, err = callerOf(ctx); err != nil {
			return failed(err), nil
		}
		if err = c.learn(ctx); err != nil {
			return failed(s.explain(ctx, err, t.subject)), nil
		}
	}
	text, out, err := t.call(ctx, c, in)
	var person needsPerson
	if errors.As(err, &person) {
		return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{asked: person.ask}}, nil
	}
	if err != nil {
		return failed(s.explain(ctx, err, t.subject)), nil
	}
	res := &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}, StructuredContent: json.RawMessage(compact(out))}
	if c.note != "" {
		res.Content = append(res.Content, &sdk.TextContent{Text: c.note})
	}
	return res, nil
}

// failed is the result of a call that came to nothing: the model reads why.
func failed(err error) *sdk.CallToolResult {
	var res sdk.CallToolResult
	res.SetError(err)
	return &res
}

// refine says more about an argument than its Go type does.
type refine func(properties map[string]*jsonschema.Schema)

// schemaOf is the schema of a tool's arguments, or of what it answers. Others than
// those it names are let pass: published clients send such, and later versions may
// answer such.
func schemaOf[T any](more []refine) *jsonschema.Schema {
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		panic(err) // wiring: a type that is no object
	}
	if len(schema.Properties) > 0 || schema.AdditionalProperties == nil || schema.AdditionalProperties.Not != nil {
		schema.AdditionalProperties = nil
	}
	for _, r := range more {
		r(schema.Properties)
	}
	return schema
}

// oneOf lists the values of an argument.
func oneOf(arg string, values ...any) refine {
	return func(p map[string]*jsonschema.Schema) {
		of := p[arg]
		if of.Items != nil {
			of = of.Items
		}
		of.Enum = values
	}
}

// otherwise is the value of an argument that is left out.
func otherwise(arg, value string) refine {
	return func(p map[string]*jsonschema.Schema) { p[arg].Default = json.RawMessage(value) }
}

// atLeast is the least value of a number.
func atLeast(arg string, least float64) refine {
	return func(p map[string]*jsonschema.Schema) { p[arg].Minimum = &least }
}

// lengths bounds the length of a text.
func lengths(arg string, least, most int) refine {
	return func(p map[string]*jsonschema.Schema) { p[arg].MinLength, p[arg].MaxLength = &least, &most }
}
