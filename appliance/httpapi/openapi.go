package httpapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/oneclaw/oneclawd/appliance/api"
)

const (
	bearerScheme = "bearer"
	documentPath = "/openapi.json"
)

// humaConfig switches off what huma would add by itself: documentation pages,
// schema routes, $schema members and refusal of unknown fields. Clients of
// every generation send fields that others do not know.
func humaConfig() huma.Config {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	for opaque, shown := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[api.Time]():                 reflect.TypeFor[time.Time](),
		reflect.TypeFor[api.Object]():               reflect.TypeFor[map[string]any](),
		reflect.TypeFor[api.Optional[string]]():     reflect.TypeFor[*string](),
		reflect.TypeFor[api.Optional[int32]]():      reflect.TypeFor[*int32](),
		reflect.TypeFor[api.Optional[api.Time]]():   reflect.TypeFor[*time.Time](),
		reflect.TypeFor[api.Optional[api.Object]](): reflect.TypeFor[map[string]any](),
	} {
		schemas.RegisterTypeAlias(opaque, shown)
	}
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "oneclawd", Version: "v1",
				Description: "The HTTP API of the oneclawd secrets appliance.",
			},
			Components: &huma.Components{
				Schemas: schemas,
				SecuritySchemes: map[string]*huma.SecurityScheme{bearerScheme: {
					Type: "http", Scheme: "bearer",
					Description: "A token from one of the auth routes, or a person's 1ck_ key.",
				}},
			},
		},
		Formats:       map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json",
	}
	c.AllowAdditionalPropertiesByDefault = true
	return c
}

// list notes an operation for docs/surface.txt.
func (s *Server) list(method, path, id string, a access) {
	s.surface = append(s.surface, method+" "+path+" "+id+" "+a.String())
}

// Surface lists every operation as METHOD PATH operationId who, sorted.
func (s *Server) Surface() []string { return slices.Sorted(slices.Values(s.surface)) }

// described are the fields that hold an object the API carries without looking
// inside, and the type that says what is in it by the published API.
var described = map[string]reflect.Type{
	"shroud_config": reflect.TypeFor[api.ShroudConfig](),
}

// shownSchemas are the schemas as readers see them. huma validates with its
// own, where described fields are any object: clients of other generations put
// more in there than the description knows.
type shownSchemas struct {
	huma.Registry
	shown map[string]*huma.Schema
}

// MarshalJSON implements json.Marshaler.
func (r shownSchemas) MarshalJSON() ([]byte, error) { return json.Marshal(r.shown) }

func show(reg huma.Registry) shownSchemas {
	refs := make(map[string]*huma.Schema, len(described))
	for field, t := range described {
		refs[field] = reg.Schema(t, true, "")
	}
	shown := maps.Clone(reg.Map())
	for name, schema := range shown {
		for field, ref := range refs {
			if _, has := schema.Properties[field]; has {
				copied := *schema
				copied.Properties = maps.Clone(schema.Properties)
				copied.Properties[field] = ref
				schema, shown[name] = &copied, &copied
			}
		}
	}
	return shownSchemas{reg, shown}
}

// Document is the OpenAPI description of the API.
func (s *Server) Document() ([]byte, error) {
	document, components := *s.huma.OpenAPI(), *s.huma.OpenAPI().Components
	components.Schemas = show(components.Schemas)
	document.Components = &components
	return json.Marshal(&document)
}

// serveDocument serves the description, which no longer changes. It is written
// when somebody asks for it: that takes a third of the time of a start.
func (s *Server) serveDocument() {
	document := sync.OnceValues(s.Document)
	contentType := []string{"application/json"}
	s.router.GET(documentPath, func(c *gin.Context) {
		callFrom(c.Request.Context()).route = documentPath
		text, err := document()
		if err != nil {
			panic("httpapi: the OpenAPI document cannot be written: " + err.Error()) // a route was described wrongly
		}
		c.Writer.Header()["Content-Type"] = contentType
		c.Status(http.StatusOK)
		_, _ = c.Writer.Write(text)
	})
	s.list(get, documentPath, "openapi", access{public: true})
}
