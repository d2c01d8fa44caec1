package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Limits on conditions, so that checking them on every read stays cheap.
const (
	maxConditions = 16 * 1024 // bytes of JSON
	maxNetworks   = 256       // entries of ip_allowlist
)

// Conditions narrow a policy: it grants only while all of them hold. The zero
// value is none. The JSON form is published:
//
//	{"ip_allowlist": ["10.0.0.0/8", "203.0.113.7"],
//	 "time_window": {"after": "08:00", "before": "20:00",
//	                 "timezone": "Europe/Zurich", "days": ["mon", "fri"]}}
//
// Every key may be left out or null. A key that is not known is refused, since
// a condition that is stored but not understood would not be kept; so are keys
// in other letter case and keys given twice, which another JSON reader might
// take differently.
type Conditions struct {
	IPAllowlist []Network
	TimeWindow  *TimeWindow
}

// ParseConditions reads the published form; nothing, null and {} mean none.
// What it refuses is ErrConditions, whose Fields name the key.
func ParseConditions(raw json.RawMessage) (Conditions, error) {
	var c Conditions
	trimmed := bytes.TrimSpace(raw)
	switch {
	case len(trimmed) == 0, isNull(trimmed), bytes.Equal(trimmed, []byte("{}")):
		return c, nil
	case len(trimmed) > maxConditions:
		return c, reject("conditions", "longer than %d bytes", maxConditions)
	case !json.Valid(trimmed):
		return c, reject("conditions", "not valid JSON")
	}
	m, err := members("conditions", trimmed, "ip_allowlist", "time_window")
	if err != nil {
		return c, err
	}
	if raw, ok := m["ip_allowlist"]; ok {
		if c.IPAllowlist, err = parseAllowlist(raw); err != nil {
			return Conditions{}, err
		}
	}
	if raw, ok := m["time_window"]; ok {
		if c.TimeWindow, err = parseTimeWindow(raw); err != nil {
			return Conditions{}, err
		}
	}
	return c, nil
}

// IsZero reports whether there are no conditions.
func (c Conditions) IsZero() bool { return len(c.IPAllowlist) == 0 && c.TimeWindow == nil }

// Hold reports whether all conditions hold for a request from ip at now. With
// an allowlist, a request whose address is not known does not pass.
func (c Conditions) Hold(ip netip.Addr, now time.Time) bool { return c.hold(ip, now) }

func (c *Conditions) hold(ip netip.Addr, now time.Time) bool {
	if len(c.IPAllowlist) > 0 {
		within := func(n Network) bool { return n.Contains(ip) }
		if !slices.ContainsFunc(c.IPAllowlist, within) {
			return false
		}
	}
	return c.TimeWindow == nil || c.TimeWindow.Contains(now)
}

// MarshalJSON implements json.Marshaler in the published form, with addresses,
// times and names spelled as they came; {} if there are none.
func (c Conditions) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		IPAllowlist []Network   `json:"ip_allowlist,omitempty"`
		TimeWindow  *TimeWindow `json:"time_window,omitempty"`
	}{c.IPAllowlist, c.TimeWindow})
}

// UnmarshalJSON implements json.Unmarshaler with ParseConditions.
func (c *Conditions) UnmarshalJSON(b []byte) (err error) {
	*c, err = ParseConditions(b)
	return err
}

// members splits raw, which is valid JSON, into its members. Each must be one
// of known, spelled exactly so and given once; those that are null are left
// out. encoding/json alone folds case and lets the last duplicate win.
func members(in string, raw []byte, known ...string) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, reject(in, "must be a JSON object")
	}
	out := make(map[string]json.RawMessage, len(known))
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		var v json.RawMessage
		if err != nil || !ok || dec.Decode(&v) != nil {
			return nil, reject(in, "not valid JSON")
		}
		if !slices.Contains(known, key) {
			return nil, reject(in, "unknown key; there are %s", strings.Join(known, ", "))
		}
		if _, dup := out[key]; dup {
			return nil, reject(in+"."+key, "given twice")
		}
		out[key] = v
	}
	maps.DeleteFunc(out, func(_ string, v json.RawMessage) bool { return isNull(v) })
	return out, nil
}

func isNull(raw []byte) bool { return bytes.Equal(raw, []byte("null")) }

// reject is ErrConditions for one field. The message quotes the field, which
// may be a caller's text, and never a value.
func reject(field, format string, args ...any) error {
	why := fmt.Sprintf(format, args...)
	e := ErrConditions.Detail("%q: %s", field, why)
	e.Fields = map[string]string{field: why}
	return e
}
