package shroud

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// The headers of a call. None of them reaches a provider.
const (
	headerAgentKey = "X-Shroud-Agent-Key"
	headerProvider = "X-Shroud-Provider"
	headerAPIKey   = "X-Shroud-Api-Key"
	headerModel    = "X-Shroud-Model"
)

// What a call is refused with before anything is known of its agent. The texts are
// published.
var (
	errNoAgentKey  = fault.New(fault.Unauthenticated, "missing_agent_key", "missing X-Shroud-Agent-Key header")
	errAgentKey    = fault.New(fault.Unauthenticated, "invalid_agent_key", "invalid agent key format: expected 'agent_id:api_key'")
	errNotAgent    = fault.New(fault.Denied, "agents_only", "only agents talk to models through Shroud")
	errNotEnabled  = fault.New(fault.Denied, "shroud_disabled", "Shroud is not enabled for this agent: set shroud_enabled")
	errNoProvider  = fault.New(fault.Invalid, "missing_provider", "missing X-Shroud-Provider header")
	errManyHeaders = fault.New(fault.Invalid, "repeated_header", "an X-Shroud header is there more than once")
)

// Credentials are how a caller proves who it is: either an agent's id and key, or a
// token.
type Credentials struct {
	Agent id.ID
	Key   string
	Token string // "" where there is a key
}

// Agent is who calls, as it is set up now.
type Agent struct {
	identity.Principal
	Enabled bool
	Config  json.RawMessage // its shroud_config, nil if it has none
}

// Agents finds out who calls. The error is a *fault.Error for what the caller may
// know.
type Agents interface {
	Enter(ctx context.Context, r *http.Request, c Credentials) (Agent, error)
}

// ReadCredentials reads how a caller proves itself. The key wins over a token: a
// side-car passes on the application's own Authorization, which is not for us.
func ReadCredentials(h http.Header) (Credentials, error) {
	switch key := h.Values(headerAgentKey); len(key) {
	case 0:
		return token(h)
	case 1:
		return agentKey(key[0])
	}
	return Credentials{}, errManyHeaders
}

func agentKey(header string) (Credentials, error) { return ParseAgentKey(strings.TrimSpace(header)) }

// ParseAgentKey reads an agent's id and key, as id:key.
func ParseAgentKey(s string) (Credentials, error) {
	name, key, ok := strings.Cut(s, ":")
	agent, err := id.Parse(name)
	if !ok || err != nil || key == "" || strings.Contains(key, ":") {
		return Credentials{}, errAgentKey
	}
	return Credentials{Agent: agent, Key: key}, nil
}

func token(h http.Header) (Credentials, error) {
	v := h.Values("Authorization")
	if len(v) != 1 {
		return Credentials{}, errNoAgentKey
	}
	scheme, token, ok := strings.Cut(strings.TrimSpace(v[0]), " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(scheme, "bearer") || token == "" || strings.ContainsAny(token, " ,\t") {
		return Credentials{}, errNoAgentKey
	}
	return Credentials{Token: token}, nil
}

// enter finds out who calls, by the headers of the call.
func (s *Server) enter(r *http.Request) (Agent, error) {
	c, err := ReadCredentials(r.Header)
	if err != nil {
		return Agent{}, err
	}
	return s.Enter(r, c)
}

// Enter finds out who calls, and whether it may talk to models at all.
func (s *Server) Enter(r *http.Request, c Credentials) (Agent, error) {
	a, err := s.Agents.Enter(r.Context(), r, c)
	switch {
	case err != nil:
		return Agent{}, err
	case !a.IsAgent():
		return Agent{}, errNotAgent
	case !a.Enabled:
		return Agent{}, errNotEnabled
	}
	return a, nil
}

// single is a header that may be there once.
func single(h http.Header, name string) (string, error) {
	v := h.Values(name)
	if len(v) > 1 {
		return "", errManyHeaders
	}
	if len(v) == 0 {
		return "", nil
	}
	return strings.TrimSpace(v[0]), nil
}
