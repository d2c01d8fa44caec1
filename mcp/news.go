package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// listeners are the sessions that want to hear when the list of secrets changes. Each
// hears of what it may see, and of nothing else: before it is told, the list is read
// with its own credential, and has to be another than it was. What it is told is that
// there is something to read.
type listeners struct {
	mu sync.Mutex
	by map[*sdk.ServerSession]*listener

	round sync.Mutex // news goes out to one vault's listeners at a time
	only  map[*sdk.ServerSession]bool
}

type listener struct {
	caller *caller
	vault  string
	seen   [sha256.Size]byte
}

// Listening reports whether anybody wants to hear of changes.
func (h *Handler) Listening() bool { return h.ancient.told.any() || h.recent.told.any() }

// Changed tells who listens that the secrets of a vault, or who may see them, are others
// than before.
func (h *Handler) Changed(ctx context.Context, vault string) {
	h.ancient.changed(ctx, vault)
	h.recent.changed(ctx, vault)
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
	// From here on it is told: what changes while the list is read is not passed over.
	s.told.add(req.Session, l)
	if _, err := s.told.look(ctx, l); err != nil {
		s.told.remove(req.Session)
		return s.explain(ctx, err, ofVault)
	}
	return nil
}

func (s *server) unsubscribe(_ context.Context, req *sdk.UnsubscribeRequest) error {
	s.told.remove(req.Session)
	return nil
}

// edited is changed for what a tool changed. In the daemon everybody's changes are told
// of, those of tools too.
func (s *server) edited(ctx context.Context, vault string) {
	if !s.cfg.Followed {
		s.changed(ctx, vault)
	}
}

// changed tells those who listen to a vault and see another list than before.
func (s *server) changed(ctx context.Context, vault string) {
	s.told.round.Lock()
	defer s.told.round.Unlock()
	s.told.only = map[*sdk.ServerSession]bool{}
	for session, l := range s.told.of(vault, s.sdk) {
		if changed, err := l.look(ctx); changed && err == nil {
			s.told.only[session] = true
		}
	}
	if len(s.told.only) > 0 {
		_ = s.sdk.ResourceUpdated(ctx, &sdk.ResourceUpdatedNotificationParams{URI: secretsURI}) // never fails
	}
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

func (ls *listeners) any() bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return len(ls.by) > 0
}

func (ls *listeners) add(session *sdk.ServerSession, l *listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.by == nil {
		ls.by = map[*sdk.ServerSession]*listener{}
	}
	ls.by[session] = l
}

func (ls *listeners) remove(session *sdk.ServerSession) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	delete(ls.by, session)
}

// of are those who listen to a vault. Sessions that have ended listen no more.
func (ls *listeners) of(vault string, server *sdk.Server) map[*sdk.ServerSession]*listener {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	open, out := map[*sdk.ServerSession]bool{}, map[*sdk.ServerSession]*listener{}
	if len(ls.by) == 0 {
		return out
	}
	for session := range server.Sessions() {
		open[session] = true
	}
	for session, l := range ls.by {
		if !open[session] {
			delete(ls.by, session)
		} else if l.vault == vault {
			out[session] = l
		}
	}
	return out
}

// look reads the list for the first time.
func (ls *listeners) look(ctx context.Context, l *listener) (changed bool, err error) {
	ls.round.Lock()
	defer ls.round.Unlock()
	return l.look(ctx)
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
