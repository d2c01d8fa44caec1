package httpapi

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Door lets agents in on other listeners than the API's: under the same limits,
// the same rules of addresses and the same audit.
type Door struct {
	server *Server
	// Rights is another number after each change of who may do what.
	rights func() uint64

	mu     sync.Mutex
	bought map[[sha256.Size]byte]bought
}

// bought is a token that an agent's key has bought. It stands for the key until
// it ends, or somebody's rights change.
type bought struct {
	token  string
	until  time.Time
	rights uint64
}

const (
	maxBought = 4096
	// A token is used no longer than this before it ends: it has to last as long as
	// what is done with it takes to begin.
	boughtMargin = 30 * time.Second
)

// Door returns the Door of a server.
func (s *Server) Door(rights func() uint64) *Door {
	return &Door{server: s, rights: rights, bought: map[[sha256.Size]byte]bought{}}
}

// Enter says who sent r, by the token. The context is for what is done on their
// behalf.
func (d *Door) Enter(r *http.Request, token string) (context.Context, identity.Principal, error) {
	peer, err := d.peer(r)
	if err != nil {
		return nil, identity.Principal{}, err
	}
	return d.authenticate(r, token, peer)
}

// EnterWithKey says who sent r, by an agent's id and key. Keys are guessed as
// slowly here as at the API.
func (d *Door) EnterWithKey(r *http.Request, agent id.ID, key string) (context.Context, identity.Principal, error) {
	token, peer, err := d.buy(r, agent, key)
	if err != nil {
		return nil, identity.Principal{}, err
	}
	return d.authenticate(r, token, peer)
}

// Token is a token for an agent's key, to go on to the API with.
func (d *Door) Token(r *http.Request, agent id.ID, key string) (string, error) {
	token, _, err := d.buy(r, agent, key)
	return token, err
}

func (d *Door) peer(r *http.Request) (identity.Peer, error) {
	ip, _ := d.server.proxies.client(r)
	if wait, ok := d.server.rate.take(ip); !ok {
		return identity.Peer{}, errTooMany.After(wait)
	}
	return identity.Peer{IP: ip, Request: requestID(r.Header)}, nil
}

func (d *Door) authenticate(r *http.Request, token string, peer identity.Peer) (context.Context, identity.Principal, error) {
	ctx, _ := audit.Recording(r.Context())
	p, err := d.server.identity.Authenticate(ctx, token, peer)
	if err == nil && d.server.admit != nil {
		err = d.server.admit.Admit(ctx, p, false)
	}
	return ctx, p, err
}

func (d *Door) buy(r *http.Request, agent id.ID, key string) (string, identity.Peer, error) {
	peer, err := d.peer(r)
	if err != nil {
		return "", peer, err
	}
	name := sha256.Sum256(append(agent[:], key...))
	rights := d.rights() // before the exchange: what changes during it counts as changed after
	if token, ok := d.find(name, rights); ok {
		return token, peer, nil
	}
	wait, ok := d.server.guesses.take(peer.IP)
	if !ok {
		peer.Throttled = errTooMany.After(wait)
	}
	t, err := d.server.people.ExchangeAgentKey(r.Context(), agent, key, peer)
	if err != nil {
		return "", peer, err
	}
	if ok {
		d.server.guesses.refund(peer.IP)
	}
	d.keep(name, bought{t.JWT, time.Now().Add(time.Duration(t.ExpiresIn)*time.Second - boughtMargin), rights})
	return t.JWT, peer, nil
}

func (d *Door) find(name [sha256.Size]byte, rights uint64) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, ok := d.bought[name]
	if !ok || b.rights != rights || !time.Now().Before(b.until) {
		delete(d.bought, name)
		return "", false
	}
	return b.token, true
}

func (d *Door) keep(name [sha256.Size]byte, b bought) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for old := range d.bought { // any: the map's order is random
		if len(d.bought) < maxBought {
			break
		}
		delete(d.bought, old)
	}
	d.bought[name] = b
}
