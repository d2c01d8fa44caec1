package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// jsonFormat is the one format the API speaks, whatever a client says in
// Content-Type: some send it with every request, others a wrong one.
var jsonFormat = huma.Format{
	Marshal:   huma.DefaultJSONFormat.Marshal,
	Unmarshal: decode,
}

// decode is json.Unmarshal with errors that quote nothing, after the checks of
// checkJSON. huma decodes a body twice, into an any to validate it and then
// into the handler's type; one check is enough.
func decode(data []byte, v any) error {
	if _, first := v.(*any); first {
		if err := checkJSON(data); err != nil {
			return err
		}
	}
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return &jsonError{"body", fmt.Sprintf("is not valid JSON at byte %d", syntax.Offset)}
	case errors.As(err, &typ) && typ.Field != "":
		name, _, _ := strings.Cut(typ.Field, ".")
		return &jsonError{name, "is out of range or of the wrong type"}
	}
	return &jsonError{"body", "has a value of the wrong form"}
}
