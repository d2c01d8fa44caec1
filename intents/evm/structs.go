package evm

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// structs are the types that a message declares.
type structs map[string][]field

type field struct{ name, kind string }

// Bounds of what a message declares.
const (
	maxStructs = 32
	maxFields  = 64
	maxName    = 128
)

// Names that could not be names in Solidity could forge another type's encoding.
var (
	identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)
	elementary = regexp.MustCompile(`^(address|bool|string|bytes|bytes([1-9]|[12][0-9]|3[012])|u?int(8|16|24|32|40|48|56|64|72|80|88|96|104|112|120|128|136|144|152|160|168|176|184|192|200|208|216|224|232|240|248|256))$`)
	dimension  = regexp.MustCompile(`\[(0|[1-9][0-9]{0,3})?\]$`)
)

func parseStructs(v any) (structs, error) {
	declared, ok := v.(map[string]any)
	if !ok || len(declared) > maxStructs {
		return nil, errors.New("types: not an object, or too many")
	}
	s := structs{}
	for name, list := range declared {
		if !identifier.MatchString(name) || len(name) > maxName || elementary.MatchString(name) {
			return nil, errors.New("types: one has a name that no type can have")
		}
		fields, ok := list.([]any)
		if !ok || len(fields) > maxFields {
			return nil, errors.New("types: one is not a list of fields, or too long")
		}
		s[name] = make([]field, 0, len(fields)) // one without fields is declared too
		for _, entry := range fields {
			f, ok := parseField(entry)
			if !ok || slices.ContainsFunc(s[name], func(g field) bool { return g.name == f.name }) {
				return nil, errors.New("types: one has a field that is not a name and a type, or one twice")
			}
			s[name] = append(s[name], f)
		}
	}
	return s, s.closed()
}

func parseField(v any) (field, bool) {
	entry, _ := v.(map[string]any)
	name, named := entry["name"].(string)
	kind, typed := entry["type"].(string)
	ok := named && typed && len(entry) == 2 && identifier.MatchString(name) && len(name) <= maxName && len(kind) <= 2*maxName
	return field{name, kind}, ok
}

// closed says whether every type that is referred to is there.
func (s structs) closed() error {
	if s[domainType] == nil {
		return errors.New("types: there is no " + domainType)
	}
	for _, fields := range s {
		for _, f := range fields {
			if base := element(f.kind); !elementary.MatchString(base) && s[base] == nil {
				return errors.New("types: a field has a type that is not declared")
			}
		}
	}
	return nil
}

// maxDimensions is how often a type can be an array of arrays.
const maxDimensions = 4

// element is the type of what a type is an array of, or itself.
func element(kind string) string {
	for range maxDimensions {
		kind = dimension.ReplaceAllString(kind, "")
	}
	return kind
}

// array takes the last dimension off a type: of uint8[2][] that is uint8[2] and
// any number, -1.
func array(kind string) (of string, length int, ok bool) {
	m := dimension.FindStringSubmatchIndex(kind)
	if m == nil {
		return kind, 0, false
	}
	if m[2] < 0 {
		return kind[:m[0]], -1, true
	}
	length, err := strconv.Atoi(kind[m[2]:m[3]])
	return kind[:m[0]], length, err == nil
}

// encodeType is the text whose hash stands for a type.
func (s structs) encodeType(name string) string {
	var others []string
	s.refer(name, &others)
	others = slices.DeleteFunc(others, func(o string) bool { return o == name })
	slices.Sort(others)
	var b strings.Builder
	for _, n := range append([]string{name}, others...) {
		members := make([]string, len(s[n]))
		for i, f := range s[n] {
			members[i] = f.kind + " " + f.name
		}
		fmt.Fprintf(&b, "%s(%s)", n, strings.Join(members, ","))
	}
	return b.String()
}

// refer collects a struct and all that it refers to.
func (s structs) refer(name string, found *[]string) {
	if s[name] == nil || slices.Contains(*found, name) {
		return
	}
	*found = append(*found, name)
	for _, f := range s[name] {
		s.refer(element(f.kind), found)
	}
}
