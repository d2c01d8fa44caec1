package evm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// Bounds of a message that somebody wants signed. People read these; none that
// makes sense comes near.
const (
	maxJSON      = 128 << 10
	maxJSONDepth = 24
	maxJSONNodes = 8192
)

var (
	errNotJSON   = errors.New("it is not JSON")
	errTooLarge  = errors.New("it is too large")
	errTooDeep   = errors.New("it is nested too deeply")
	errDuplicate = errors.New("a key is there twice")
)

// strictJSON reads JSON of which there is one reading only: encoding/json takes
// the last of equal keys where other readers take the first, and it mends broken
// text. Numbers are json.Number.
func strictJSON(raw []byte) (any, error) {
	if len(raw) > maxJSON {
		return nil, errTooLarge
	}
	if !utf8.Valid(raw) {
		return nil, errNotJSON
	}
	r := jsonReader{dec: json.NewDecoder(bytes.NewReader(raw)), nodes: maxJSONNodes}
	r.dec.UseNumber()
	v, err := r.value(maxJSONDepth)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return v, nil
}

type jsonReader struct {
	dec   *json.Decoder
	nodes int
}

func (r *jsonReader) value(depth int) (any, error) {
	t, err := r.dec.Token()
	if err != nil {
		return nil, errNotJSON
	}
	if r.nodes--; r.nodes < 0 {
		return nil, errTooLarge
	}
	delim, nested := t.(json.Delim)
	switch {
	case !nested:
		return t, nil
	case depth == 0:
		return nil, errTooDeep
	case delim == '{':
		return r.object(depth)
	default:
		return r.array(depth)
	}
}

func (r *jsonReader) object(depth int) (any, error) {
	out := map[string]any{}
	for r.dec.More() {
		t, err := r.dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, errNotJSON
		}
		if _, twice := out[key]; twice {
			return nil, errDuplicate
		}
		if out[key], err = r.value(depth - 1); err != nil {
			return nil, err
		}
	}
	return out, r.end()
}

func (r *jsonReader) array(depth int) (any, error) {
	out := []any{}
	for r.dec.More() {
		v, err := r.value(depth - 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, r.end()
}

// end takes the closing bracket.
func (r *jsonReader) end() error {
	if _, err := r.dec.Token(); err != nil {
		return errNotJSON
	}
	return nil
}
