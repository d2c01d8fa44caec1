package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// fenceLibraries sets, once, the package-level switches of the libraries that
// this package alone imports. huma's own errors repeat the rejected value, here
// possibly a secret, and use 422, which the API reserves for requests that are
// well-formed; so every error of huma's making passes rejection instead.
var fenceLibraries = sync.OnceFunc(func() {
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return rejection(status, errs)
	}
	huma.DefaultArrayNullable = false
	gin.SetMode(gin.ReleaseMode)
})

// rejection is the answer to a request that huma refused. Messages of huma's
// are not passed on: some end in the text of a parse error, which quotes.
func rejection(status int, errs []error) *problemDetails {
	switch status {
	case 0: // huma asks for the type only
		return newProblem(0, "", "")
	case http.StatusRequestEntityTooLarge:
		return newProblem(status, "body_too_large", "The request body is too large")
	case http.StatusRequestTimeout:
		return newProblem(status, "body_timeout", "The request body did not arrive in time")
	case http.StatusInternalServerError:
		// The only 500 of huma's own is a body that broke off: handlers' errors
		// are problems by the time it sees them.
		return newProblem(http.StatusBadRequest, "body_unreadable", "The request body could not be read")
	}
	p := newProblem(http.StatusBadRequest, "invalid_request", "A JSON body is required")
	if len(errs) > 0 {
		p.Fields = fieldsOf(errs)
		p.Detail = "Invalid request: " + summary(p.Fields)
	}
	return p
}

// summary puts fields in a sentence: many clients show nothing but detail.
func summary(fields map[string]string) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	parts := make([]string, 0, len(names))
	for _, name := range names {
		parts = append(parts, name+" "+fields[name])
	}
	return strings.Join(parts, "; ")
}

func fieldsOf(errs []error) map[string]string {
	fields := make(map[string]string, len(errs))
	for _, err := range errs {
		d, ok := err.(huma.ErrorDetailer)
		if !ok {
			fields["body"] = reasonUnknown
			continue
		}
		detail := d.ErrorDetail()
		name, reason := fieldOf(detail.Location, detail.Message)
		if _, taken := fields[name]; !taken {
			fields[name] = reason
		}
	}
	return fields
}

const (
	reasonUnknown  = "is not valid"
	reasonMissing  = "is required"
	requiredPrefix = "expected required property "
	requiredSuffix = " to be present"
)

// fieldOf names the field and the reason. Of a location such as
// body.scopes[3].x only the first name is used: deeper ones can be keys that
// the client made up.
func fieldOf(location, message string) (name, reason string) {
	if field, why, ok := strings.Cut(message, fieldMark); ok {
		return field, why
	}
	where, rest, _ := strings.Cut(location, ".")
	if rest == "" {
		name = where
	} else {
		name, _, _ = strings.Cut(rest, ".")
		name, _, _ = strings.Cut(name, "[")
	}
	if name == "" {
		name = "body"
	}
	if missing, ok := strings.CutPrefix(message, requiredPrefix); ok {
		if name == "body" {
			name = strings.TrimSuffix(missing, requiredSuffix)
		}
		return name, reasonMissing
	}
	return name, reasonOf(message)
}

// reasonOf passes on the messages that are made from the schema alone.
func reasonOf(message string) string {
	for prefix, reason := range map[string]string{
		"expected string to be RFC 3339 date-time": "must be an RFC 3339 date-time with a zone, such as 2030-01-02T03:04:05Z",
		"expected string to be RFC 4122 uuid":      "must be a UUID",
		"expected string to be RFC 5322 email":     "must be an e-mail address",
		"expected string to be RFC 3986 uri":       "must be a URI",
		"expected string to be regex":              "must be a regular expression",
		"invalid value: invalid_id":                "must be a UUID",
		"invalid date/time":                        "must be an RFC 3339 date-time with a zone, such as 2030-01-02T03:04:05Z",
		"invalid integer":                          "must be an integer",
		"invalid float":                            "must be a number",
		"invalid boolean":                          "must be true or false",
		"required ":                                reasonMissing,
	} {
		if strings.HasPrefix(message, prefix) {
			return reason
		}
	}
	for _, prefix := range []string{
		"expected value to be ", "expected length ", "expected array length ", "expected number ",
		"expected string to match pattern ",
	} {
		if strings.HasPrefix(message, prefix) {
			return "must be " + strings.TrimPrefix(strings.TrimPrefix(message, "expected "), "value to be ")
		}
	}
	switch message {
	case "expected boolean", "expected number", "expected integer", "expected string", "expected array", "expected object":
		return "must be " + article(strings.TrimPrefix(message, "expected "))
	}
	return reasonUnknown
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// invalidField refuses one field of a request, saying why without its value.
func invalidField(name, why string) error {
	return &fault.Error{
		Kind: fault.Invalid, Code: "invalid_request", Msg: "Invalid request: " + name + " " + why,
		Fields: map[string]string{name: why},
	}
}
