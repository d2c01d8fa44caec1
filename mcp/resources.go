package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// secretsURI is the list of a vault's secrets, below which each has its own.
const secretsURI = "vault://secrets"

func (s *server) addResources() {
	s.sdk.AddResource(&sdk.Resource{
		URI: secretsURI, Name: "secrets", Title: "Secrets", MIMEType: "application/json",
		Description: "The secrets of the vault: path, type, version and expiry, without values.",
	}, s.readSecrets)
	s.sdk.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: secretsURI + "/{+path}", Name: "secret", Title: "One secret", MIMEType: "application/json",
		Description: "What is known of the secret at a path, without its value.",
	}, s.readSecret)
}

// listedSecret is a secret in the resource. Published clients know these fields.
type listedSecret struct {
	Path      string  `json:"path"`
	Type      string  `json:"type"`
	Version   int     `json:"version"`
	ExpiresAt *string `json:"expires_at"`
}

func (s *server) readSecrets(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	all, err := s.listOf(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]listedSecret, len(all))
	for i, m := range all {
		out[i] = listedSecret{m.Path, m.Type, m.Version, stamp(m.ExpiresAt)}
	}
	return contents(req.Params.URI, out)
}

func (s *server) readSecret(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	all, err := s.listOf(ctx)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(req.Params.URI, secretsURI+"/")
	for _, m := range all {
		if m.Path == path {
			return contents(req.Params.URI, describe(m))
		}
	}
	return nil, sdk.ResourceNotFoundError(req.Params.URI)
}

func contents(uri string, v any) (*sdk.ReadResourceResult, error) {
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: "application/json", Text: indented(v)}}}, nil
}

// listOf lists the caller's vault.
func (s *server) listOf(ctx context.Context) ([]api.SecretMetadataResponse, error) {
	c, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	vault, err := c.vault(ctx)
	if err != nil {
		return nil, s.explain(ctx, err, ofVault)
	}
	all, err := c.api.ListSecrets(ctx, vault, "")
	if err != nil {
		return nil, s.explain(ctx, err, ofVault)
	}
	return all.Secrets, nil
}

// listeners are the sessions that want to hear when the list changes. Each hears
// of what it may see, and of nothing else: before it is told, the list is read
// with its own credential, and has to be another than it was.
type listeners struct {
	mu   sync.Mutex
	by   map[*sdk.ServerSession]*listener
	only map[*sdk.ServerSession]bool // who is told now
}

type listener struct {
	caller *caller
	vault  string
	seen   [sha256.Size]byte
}

func (s *server) subscribe(ctx context.Context, req *sdk.SubscribeRequest) error {
	if req.Params.URI != secretsURI {
		if s.cfg.Extend != nil {
			return nil
		}
		return sdk.ResourceNotFoundError(req.Params.URI)
	}
	c, err := callerOf(ctx)
	if err != nil {
		return err
	}
	l := &listener{caller: c}
	if l.vault, err = c.vault(ctx); err != nil {
		return s.explain(ctx, err, ofVault)
	}
	if _, err := l.look(ctx); err != nil {
		return s.explain(ctx, err, ofVault)
	}
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	if s.told.by == nil {
		s.told.by = map[*sdk.ServerSession]*listener{}
	}
	s.told.by[req.Session] = l
	return nil
}

func (s *server) unsubscribe(_ context.Context, req *sdk.UnsubscribeRequest) error {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	delete(s.told.by, req.Session)
	return nil
}

// look reports whether the list is another than when it was last looked at.
func (l *listener) look(ctx context.Context) (changed bool, err error) {
	all, err := l.caller.api.ListSecrets(l.caller.peer.in(ctx), l.vault, "")
	if err != nil {
		return false, err
	}
	text, err := json.Marshal(all)
	now := sha256.Sum256(text)
	changed, l.seen = now != l.seen, now
	return changed, err
}

// changed tells who listens that the secrets of a vault are others than before.
func (s *server) changed(ctx context.Context, vault string) {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	if len(s.told.by) == 0 {
		return
	}
	open := map[*sdk.ServerSession]bool{}
	for session := range s.sdk.Sessions() {
		open[session] = true
	}
	s.told.only = map[*sdk.ServerSession]bool{}
	for session, l := range s.told.by {
		if !open[session] {
			delete(s.told.by, session)
		} else if l.vault == vault {
			changed, err := l.look(ctx)
			s.told.only[session] = changed && err == nil
		}
	}
	_ = s.sdk.ResourceUpdated(ctx, &sdk.ResourceUpdatedNotificationParams{URI: secretsURI}) // never fails
}

// quiet keeps news of the list from sessions that they are not for. It implements
// sdk.Middleware.
func (ls *listeners) quiet(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		session, ok := req.GetSession().(*sdk.ServerSession)
		if p, of := req.GetParams().(*sdk.ResourceUpdatedNotificationParams); of && p.URI == secretsURI && (!ok || !ls.only[session]) {
			return nil, nil
		}
		return next(ctx, method, req)
	}
}
