package httpapi

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// schema is what the document says of a value; keywords that it does not use
// are left out.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"` // a name, or a list of them
	Format     string            `json:"format"`
	Enum       []any             `json:"enum"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	Minimum    float64           `json:"minimum"`
}

// parameter is one of a path, a query or a header.
type parameter struct {
	In, Name string
	Required bool
	Schema   schema
}

// attackable is an operation of the document.
type attackable struct {
	method, path string
	OperationID  string `json:"operationId"`
	Parameters   []parameter
	RequestBody  *struct {
		Content map[string]struct{ Schema schema }
	}
}

// surface is the document as the fuzzer reads it.
type surface struct {
	operations []attackable // in the order of method and path
	schemas    map[string]schema
}

// attackSurface reads the document that s serves. Operations that take nothing
// are left out: there is nothing to get wrong.
func attackSurface(s *Server) (*surface, error) {
	raw, err := s.Document()
	if err != nil {
		return nil, err
	}
	var d struct {
		Paths      map[string]map[string]attackable
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, err
	}
	out := &surface{schemas: d.Components.Schemas}
	for path, methods := range d.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			if op.RequestBody != nil || len(op.Parameters) > 0 {
				out.operations = append(out.operations, op)
			}
		}
	}
	slices.SortFunc(out.operations, func(a, b attackable) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return out, nil
}

// dice decides what a case is made of: the bytes that a fuzzer gave, and zeroes
// after them. Zero is always the plain choice.
type dice struct{ b []byte }

// n is a number below max.
func (d *dice) n(max int) int {
	if len(d.b) == 0 {
		return 0
	}
	v := int(d.b[0])
	d.b = d.b[1:]
	if max > 256 && len(d.b) > 0 {
		v, d.b = v<<8|int(d.b[0]), d.b[1:]
	}
	return v % max
}

// one in max times, roughly; never once the bytes are used up.
func (d *dice) rarely(max int) bool { return d.n(max) == max-1 }

func pick[T any](d *dice, from []T) T { return from[d.n(len(from))] }

// literal is JSON as it goes out, broken or not.
type literal string

// member is one of an object, whose order and repetitions are kept.
type member struct {
	name  string
	value any
}

// object and list are JSON in the making, with strings, literals and each
// other inside.
type (
	object []member
	list   []any
)

// jsonText writes v; a literal is written as it is.
func jsonText(b *strings.Builder, v any) {
	switch v := v.(type) {
	case literal:
		b.WriteString(string(v))
	case object:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			jsonText(b, m.name)
			b.WriteByte(':')
			jsonText(b, m.value)
		}
		b.WriteByte('}')
	case list:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			jsonText(b, e)
		}
		b.WriteByte(']')
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // the test is wrong
		}
		b.Write(text)
	}
}

// value makes one that s allows, called name, with what the world has.
func (h *hostile) value(d *dice, name string, s schema, depth int) any {
	if s.Ref != "" {
		s = h.schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	kind, _ := s.Type.(string)
	if kinds, several := s.Type.([]any); several {
		kind, _ = pick(d, kinds).(string)
	}
	switch {
	case len(s.Enum) > 0:
		return pick(d, s.Enum)
	case depth > 6:
		return literal("null")
	}
	switch kind {
	case "object":
		return h.object(d, s, depth)
	case "array":
		out := list{}
		for range d.n(4) {
			out = append(out, h.value(d, name, *s.Items, depth+1))
		}
		return out
	case "string":
		return h.text(d, name, s.Format)
	case "integer", "number":
		return literal(strconv.Itoa(int(s.Minimum) + pick(d, []int{1, 0, 2, 60, 3600, 86400})))
	case "boolean":
		return d.n(2) == 1
	case "null":
		return literal("null")
	}
	return pick(d, []any{object{}, h.carried, list{h.carried}, literal("1")})
}

// object has what is required and, as the dice say, none, few or most of the
// rest: each member more is one more that can be refused.
func (h *hostile) object(d *dice, s schema, depth int) any {
	out, rest := object{}, d.n(3)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		optional := rest == 1 && d.rarely(6) || rest == 2 && d.n(3) > 0
		if optional || slices.Contains(s.Required, name) {
			out = append(out, member{name, h.value(d, name, s.Properties[name], depth+1)})
		}
	}
	return out
}

// text is a string that has a chance to be right for a field of that name.
func (h *hostile) text(d *dice, name, format string) string {
	if known := h.known[name]; len(known) > 0 && d.n(4) > 0 {
		return pick(d, known)
	}
	switch format {
	case "uuid":
		return pick(d, append([]string{"00000000-0000-4000-8000-000000000000"}, h.ids...))
	case "date-time":
		return pick(d, []string{"2100-01-02T03:04:05Z", "2001-01-02T03:04:05Z", "2100-01-02T03:04:05.123456789+14:00"})
	case "uri":
		return pick(d, []string{"https://example.com/hook", "http://127.0.0.1:1/" + h.carried})
	}
	return pick(d, []string{h.carried, "a", "", h.carried + " " + h.carried})
}

// words are right for fields of these names.
func words(carried string) map[string][]string {
	mails := []string{carried + "@example.com", ownerEmail, "a@" + carried + ".example"}
	secrets := []string{"Aq1!" + carried, ownerPassword, "p"}
	patterns := []string{"**", "a/b", "a/" + carried + "/*"}
	times := []string{"2001-01-02T03:04:05Z", "2100-01-02T03:04:05Z"}
	return map[string][]string{
		"email": mails, "human_email": mails, "recipient_email": mails, "id_token": mails, "confirm": {ownerEmail},
		"password": secrets, "new_password": secrets, "current_password": secrets, "passphrase": secrets, "X-Share-Passphrase": secrets,
		"from": times, "to": append(times, somebody1, somebody1), "path": {"a/b", "a/" + carried}, "secret_path": {"a/b"}, "prefix": {"a", carried},
		"secret_path_pattern": patterns, "path_pattern": patterns, "permissions": {"read", "write"}, "scopes": patterns,
		"key": {"signup_mode", "maintenance_mode"}, "value": {"invite", "true", "false", "0.5", "0", carried},
		"cidr": {"203.0.113.0/24", "2001:db8::/32"}, "rule_type": {"deny", "allow"}, "ip_allowlist": {"192.0.2.1", "203.0.113.0/24"}, "role": {"member", "admin"},
		"chain": {"ethereum", "1", "polygon"}, "identifier": {"ethereum", "1"}, "signing_key_path": {"keys/ethereum-signer"}, "above_eth": {"1", "0"},
		"gas_price": {"1000000000"}, "max_fee_per_gas": {"2000000000"}, "max_priority_fee_per_gas": {"1000000000"}, "Idempotency-Key": {carried, "k"},
		"data": {"0x", transferOf(somebody1, 5), "0xa9059cbb"}, "token": {tokenUSD}, "allowed_methods": {"0xa9059cbb"}, "allowed_domains": {tokenUSD},
		"rpc_url": {"https://" + carried + "@node.example/" + carried}, "private_key": {carried}, "name": {carried},
		"fingerprint": {keyPrint(testKey(1))}, "new_fingerprint": {keyPrint(testKey(2))},
		"x-cmek-old-key": {keyText(testKey(1))}, "x-cmek-new-key": {keyText(testKey(2))}, "grant_type": {deviceGrant},
	}
}
