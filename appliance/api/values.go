package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"time"
)

// Time is an instant that is always written in UTC with a final Z and, so that
// parsers of every language read it, with at most microseconds.
type Time struct{ time.Time }

// At wraps t.
func At(t time.Time) Time { return Time{t} }

// AtOrNone wraps what t points to; nil becomes the zero Time, which omitzero
// leaves out.
func AtOrNone(t *time.Time) Time {
	if t == nil {
		return Time{}
	}
	return Time{*t}
}

const timeFormat = "2006-01-02T15:04:05.999999Z07:00"

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timeFormat)+2)
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeFormat)
	return append(b, '"'), nil
}

// UnmarshalJSON implements json.Unmarshaler. It refuses the two times that
// would mean something else here: the zero time, which is no time at all, so
// that an expiry long past would be none; and one that has five digits of year
// in UTC, which no reader takes back.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var in time.Time
	if err := in.UnmarshalJSON(b); err != nil {
		return err
	}
	if in.IsZero() || in.UTC().Year() > 9999 {
		return &json.UnmarshalTypeError{Value: "time out of range", Type: reflect.TypeFor[Time]()}
	}
	t.Time = in
	return nil
}

// Ptr returns nil for the zero Time, as for a field that was not sent.
func (t Time) Ptr() *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}

// Optional is a field that knows whether it was sent. The zero Optional was
// not; tag the field omitzero so that it is not sent on either.
type Optional[T any] struct {
	Set   bool
	Value *T // nil: the field was null
}

// Some returns an Optional that holds v.
func Some[T any](v T) Optional[T] { return Optional[T]{Set: true, Value: &v} }

// Null returns an Optional that was sent as null, which clears a field.
func Null[T any]() Optional[T] { return Optional[T]{Set: true} }

// IsZero reports whether the field was absent.
func (o Optional[T]) IsZero() bool { return !o.Set }

// MarshalJSON implements json.Marshaler.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }

// UnmarshalJSON implements json.Unmarshaler; encoding/json calls it for null
// too, and not at all for an absent field.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	o.Set, o.Value = true, nil
	return json.Unmarshal(b, &o.Value)
}

// Object is a JSON object that the API carries without looking inside, byte
// for byte: numbers keep their digits and keys their order. The nil Object is
// written as {}, or left out by omitzero.
type Object json.RawMessage

var errNotObject = errors.New("not a JSON object")

// MarshalJSON implements json.Marshaler.
func (o Object) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("{}"), nil
	}
	return o, nil
}

// UnmarshalJSON implements json.Unmarshaler. It takes null for no object.
func (o *Object) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case string(b) == "null":
		*o = nil
	case len(b) == 0 || b[0] != '{':
		return errNotObject
	default:
		*o = append((*o)[:0:0], b...)
	}
	return nil
}
