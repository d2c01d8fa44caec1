package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// stamp is a time as text, nil for none.
func stamp(t api.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &text
}

// until is a time for people.
func until(t api.Time) string {
	if s := stamp(t); s != nil {
		return *s
	}
	return "never"
}

type pathArgs struct {
	Path string `json:"path" jsonschema:"Path of the secret, such as api-keys/stripe"`
}

type listArgs struct {
	Prefix string `json:"prefix,omitempty" jsonschema:"Only paths that begin with this, such as api-keys/"`
}

type secretItem struct {
	ID        string  `json:"id"`
	Path      string  `json:"path"`
	Type      string  `json:"type"`
	Version   int     `json:"version"`
	ExpiresAt *string `json:"expires_at,omitempty"`
}

type secretList struct {
	Secrets []secretItem `json:"secrets"`
}

func listSecrets(ctx context.Context, c *call, in listArgs) (string, secretList, error) {
	out := secretList{Secrets: []secretItem{}}
	vault, err := c.vault(ctx)
	if err != nil {
		return "", out, err
	}
	all, err := c.api.ListSecrets(ctx, vault, "")
	if err != nil {
		return "", out, err
	}
	var text strings.Builder
	for _, m := range all.Secrets {
		if strings.HasPrefix(m.Path, in.Prefix) {
			out.Secrets = append(out.Secrets, secretItem{m.ID, m.Path, m.Type, m.Version, stamp(m.ExpiresAt)})
			fmt.Fprintf(&text, "\n- %s  (type: %s, version: %d, expires: %s, id: %s)", m.Path, m.Type, m.Version, until(m.ExpiresAt), m.ID)
		}
	}
	if len(out.Secrets) == 0 {
		return "No secrets found in this vault.", out, nil
	}
	return fmt.Sprintf("Found %d secret(s):%s", len(out.Secrets), text.String()), out, nil
}

// secretValue is a secret with its value, or, for an agent that is to use values and
// not to have them, with a handle to put in the value's place.
type secretValue struct {
	Path    string  `json:"path"`
	Type    string  `json:"type,omitempty"`
	Version int     `json:"version,omitempty"`
	Value   *string `json:"value,omitempty"`
	Handle  string  `json:"handle,omitempty"`
}

func getSecret(ctx context.Context, c *call, in pathArgs) (string, secretValue, error) {
	s, err := c.fetch(ctx, in.Path)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Problem.Code == handleOnly {
		return c.handle(ctx, in.Path)
	}
	if err != nil {
		return "", secretValue{}, c.missing(ctx, in.Path, err)
	}
	out := secretValue{Path: s.Path, Type: s.Type, Version: s.Version, Value: &s.Value}
	return compact(out), out, nil
}

// handleOnly is the code of a refusal to show a value that may be used.
const handleOnly = "handle_only"

// handle is what stands for a value, with what may be known of it.
func (c *call) handle(ctx context.Context, path string) (string, secretValue, error) {
	vault, err := c.vault(ctx)
	if err != nil {
		return "", secretValue{}, err
	}
	out := secretValue{Path: path, Handle: "secret://" + vault + "/" + path}
	all, err := c.s.listOf(ctx)
	if err != nil {
		return "", out, err
	}
	for _, m := range all {
		if m.Path == path {
			out.Type, out.Version = m.Type, m.Version
		}
	}
	c.note = "The value is not shown to this agent. http_request_with_secret puts it where {{" + out.Handle + "}} stands in a header or body."
	return compact(out), out, nil
}

// fetch reads a secret and has its value watched from now on.
func (c *call) fetch(ctx context.Context, path string) (api.SecretResponse, error) {
	vault, err := c.vault(ctx)
	if err != nil {
		return api.SecretResponse{}, err
	}
	s, err := c.api.GetSecret(ctx, vault, path)
	if err != nil {
		return s, at{path, err}
	}
	if c.s.guard.fetched(c.caller, s.Path, s.Value) {
		c.note = warning
	}
	return s, nil
}

type putArgs struct {
	Path           string         `json:"path" jsonschema:"Where to keep it, such as api-keys/stripe"`
	Value          string         `json:"value" jsonschema:"The secret"`
	Type           string         `json:"type,omitempty" jsonschema:"What kind of secret it is"`
	Metadata       map[string]any `json:"metadata,omitempty" jsonschema:"Anything to be kept with it, readable without reading the value"`
	ExpiresAt      string         `json:"expires_at,omitempty" jsonschema:"When it ends, RFC 3339"`
	MaxAccessCount *int32         `json:"max_access_count,omitempty" jsonschema:"How many times it can be read"`
}

type stored struct {
	Path    string `json:"path"`
	Type    string `json:"type"`
	Version int    `json:"version"`
}

func putSecret(ctx context.Context, c *call, in putArgs) (string, stored, error) {
	req := api.PutSecretRequest{Value: in.Value, Type: in.Type, MaxAccessCount: in.MaxAccessCount}
	var err error
	if req.ExpiresAt, err = instant("expires_at", in.ExpiresAt); err != nil {
		return "", stored{}, err
	}
	if in.Metadata != nil {
		if req.Metadata, err = json.Marshal(in.Metadata); err != nil {
			return "", stored{}, err
		}
	}
	out, err := c.store(ctx, in.Path, req)
	return fmt.Sprintf("Secret stored at '%s' (version %d, type: %s).", out.Path, out.Version, out.Type), out, err
}

// instant reads a time that may be left out.
func instant(arg, text string) (api.Time, error) {
	if text == "" {
		return api.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return api.Time{}, tell("%s is not a time such as 2030-01-31T12:00:00Z.", arg)
	}
	return api.At(t), nil
}

func (c *call) store(ctx context.Context, path string, req api.PutSecretRequest) (stored, error) {
	vault, err := c.vault(ctx)
	if err != nil {
		return stored{}, err
	}
	m, err := c.api.PutSecret(ctx, vault, path, req)
	if err != nil {
		return stored{}, at{path, err}
	}
	c.s.edited(ctx, vault)
	return stored{m.Path, m.Type, m.Version}, nil
}

type deleted struct {
	Path    string `json:"path"`
	Deleted bool   `json:"deleted"`
}

func deleteSecret(ctx context.Context, c *call, in pathArgs) (string, deleted, error) {
	vault, err := c.vault(ctx)
	if err != nil {
		return "", deleted{}, err
	}
	if err := c.api.DeleteSecret(ctx, vault, in.Path); err != nil {
		return "", deleted{}, at{in.Path, err}
	}
	c.s.edited(ctx, vault)
	return fmt.Sprintf("Secret at '%s' has been soft-deleted.", in.Path), deleted{in.Path, true}, nil
}

type description struct {
	Path      string         `json:"path"`
	Type      string         `json:"type"`
	Version   int            `json:"version"`
	Metadata  map[string]any `json:"metadata"`
	CreatedAt string         `json:"created_at"`
	ExpiresAt *string        `json:"expires_at"`
}

func describe(m api.SecretMetadataResponse) description {
	out := description{m.Path, m.Type, m.Version, map[string]any{}, until(m.CreatedAt), stamp(m.ExpiresAt)}
	in := json.NewDecoder(bytes.NewReader(m.Metadata))
	in.UseNumber()
	_ = in.Decode(&out.Metadata) // it is an object, or nothing
	return out
}

// describeSecret looks in the list: to read the secret would count as a read, and
// open its value for nothing.
func describeSecret(ctx context.Context, c *call, in pathArgs) (string, description, error) {
	all, err := c.s.listOf(ctx)
	if err != nil {
		return "", description{}, err
	}
	for _, m := range all {
		if m.Path == in.Path {
			out := describe(m)
			return indented(out), out, nil
		}
	}
	return "", description{}, tell("No secret found at path '%s'.", in.Path)
}

type rotateArgs struct {
	Path  string `json:"path" jsonschema:"Path of the secret, such as api-keys/stripe"`
	Value string `json:"value" jsonschema:"The new secret"`
}

func rotateAndStore(ctx context.Context, c *call, in rotateArgs) (string, stored, error) {
	out, err := c.store(ctx, in.Path, api.PutSecretRequest{Value: in.Value, Type: "api_key"})
	return fmt.Sprintf("Rotated secret at '%s'. New version: %d.", out.Path, out.Version), out, err
}

func getEnvBundle(ctx context.Context, c *call, in pathArgs) (string, map[string]string, error) {
	s, err := c.fetch(ctx, in.Path)
	if err != nil {
		return "", nil, err
	}
	if s.Type != "env_bundle" && s.Type != "env" {
		return "", nil, tell("Secret at '%s' is type '%s', not 'env_bundle'.", in.Path, s.Type)
	}
	out := parseEnv(s.Value)
	for _, value := range out {
		c.s.guard.fetchedPart(c.caller, s.Path, value)
	}
	return indented(out), out, nil
}

// parseEnv reads lines of NAME=value. What is around the value belongs to it, quotes
// included.
func parseEnv(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") {
			out[strings.TrimSpace(name)] = value
		}
	}
	return out
}
