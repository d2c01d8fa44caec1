package audit

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Every read of a secret writes an event while all other writers wait. So leaves
// are written field by field; the bytes are those of json.Marshal, which a fuzz
// test holds them against.

// encode returns the bytes that are logged.
func (l *leaf) encode() ([]byte, error) {
	b := make([]byte, 0, 768+len(l.Details)+len(l.Resource.ID))
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, int64(l.V), 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, l.Seq, 10)
	b = appendID(append(b, `,"id":`...), l.ID)
	at, err := l.Time.AppendText(append(b, `,"time":"`...))
	if err != nil {
		return nil, fmt.Errorf("audit: encode %s: %w", l.Action, err)
	}
	b = appendID(append(at, `","org":`...), l.Org)
	b = appendText(append(b, `,"actor":{"type":`...), l.Actor.Type)
	if !l.Actor.ID.IsZero() {
		b = appendID(append(b, `,"id":`...), l.Actor.ID)
	}
	b = appendText(append(b, `},"action":`...), string(l.Action))
	b = appendText(append(b, `,"resource":{"type":`...), l.Resource.Type)
	b = appendText(append(b, `,"id":`...), l.Resource.ID)
	b = appendText(append(b, `},"outcome":`...), string(l.Outcome))
	b = l.appendOptional(b)
	b = append(b, `,"prev_event_id":`...)
	if l.PrevEvent == nil {
		b = append(b, "null"...)
	} else {
		b = appendID(b, *l.PrevEvent)
	}
	b = appendText(append(b, `,"prev_hash":`...), l.PrevHash)
	b = appendText(append(b, `,"integrity_hash":`...), l.IntegrityHash)
	return append(b, '}'), nil
}

// appendOptional appends the fields that are left out when they are empty.
func (l *leaf) appendOptional(b []byte) []byte {
	if l.Reason != "" {
		b = appendText(append(b, `,"reason":`...), l.Reason)
	}
	if len(l.Details) > 0 {
		b = append(append(b, `,"details":`...), l.Details...)
	}
	if len(l.Inputs) > 0 {
		b = append(b, `,"inputs":"`...)
		b = append(hex.AppendEncode(b, l.Inputs), '"')
	}
	if len(l.Policies) > 0 {
		b = append(b, `,"policies":`...)
		for i, p := range l.Policies {
			b = appendID(append(b, "[,"[min(i, 1)]), p)
		}
		b = append(b, ']')
	}
	if l.IP != "" {
		b = appendText(append(b, `,"ip":`...), l.IP)
	}
	if l.Request != "" {
		b = appendText(append(b, `,"request":`...), l.Request)
	}
	return b
}

func appendID(b []byte, i id.ID) []byte {
	b, _ = i.AppendText(append(b, '"')) // never fails
	return append(b, '"')
}

// appendText appends s as JSON. What has to be escaped is rare, and left to the
// package that knows how.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // never fails on a string
			return append(b, quoted...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}

// encodeDetails returns d as JSON, its keys sorted; nil if it is empty. Details
// too large to keep are replaced by their size: the event matters more.
func encodeDetails(d Details) (json.RawMessage, error) {
	if len(d) == 0 {
		return nil, nil
	}
	b := make([]byte, 0, 512)
	for i, key := range slices.Sorted(maps.Keys(d)) {
		b = append(appendText(append(b, "{,"[min(i, 1)]), key), ':')
		var err error
		if b, err = appendDetail(b, d[key]); err != nil {
			return nil, fmt.Errorf("audit: details: %w", err)
		}
	}
	if b = append(b, '}'); len(b) > maxDetails {
		return fmt.Appendf(nil, `{"dropped_bytes":%d}`, len(b)), nil
	}
	return b, nil
}

func appendDetail(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return appendText(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case uint32:
		return strconv.AppendUint(b, uint64(v), 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	}
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}
