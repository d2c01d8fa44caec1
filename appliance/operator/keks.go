package operator

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// KEKs says what is under the keys of a vault.
type KEKs struct {
	Vault      string     `json:"vault"`
	Org        string     `json:"org"`
	Name       string     `json:"name"`
	Module     string     `json:"module"` // that keeps its KEK; empty for the default one
	Generation uint32     `json:"generation"`
	MadeAt     time.Time  `json:"made_at"`
	DEKs       int        `json:"deks"`            // under it
	Older      []OlderKEK `json:"older,omitempty"` // oldest first
}

// OlderKEK is one that a vault had before, and that is still needed.
type OlderKEK struct {
	Module     string    `json:"module"`
	Generation uint32    `json:"generation"`
	MadeAt     time.Time `json:"made_at"`
	DEKs       int       `json:"deks"`
}

// KEKRotation says which vaults are to get another KEK, and in which module.
type KEKRotation struct {
	Vault  string  `json:"vault,omitempty"`  // its ID; empty with All
	All    bool    `json:"all,omitempty"`    // every vault there is
	Module *string `json:"module,omitempty"` // nil: each stays in its module
}

// KEKRotated is what became of that; the DEKs follow in the background.
type KEKRotated struct {
	Vaults int          `json:"vaults"` // how many got another KEK
	Failed []KEKFailure `json:"failed,omitempty"`
}

// KEKFailure is a vault that keeps the KEK that it has.
type KEKFailure struct {
	Vault string `json:"vault"`
	Error string `json:"error"`
}

// Rewrap is how far the DEKs of a vault are on their way to its KEK, since the
// daemon started.
type Rewrap struct {
	Vault      string `json:"vault"`
	Generation uint32 `json:"generation"`
	Total      int    `json:"total"`
	Done       int    `json:"done"`
	Damaged    int    `json:"damaged"`
	Pending    bool   `json:"pending"` // it goes on, or will
	Error      string `json:"error,omitempty"`
}

// KEKsVerified is what was found when every DEK was unwrapped.
type KEKsVerified struct {
	Vaults      int         `json:"vaults"`
	DEKs        int         `json:"deks"` // that unwrap
	Damaged     int         `json:"damaged"`
	Unavailable int         `json:"unavailable"` // whose module is away
	Broken      []BrokenDEK `json:"broken,omitempty"`
}

// BrokenDEK is one that did not unwrap. Only so many are named.
type BrokenDEK struct {
	Vault   string `json:"vault"`
	Secret  string `json:"secret"`
	Version uint32 `json:"version"`
	Error   string `json:"error"`
}

// KeyKeeper does what is asked about vaults' keys.
type KeyKeeper interface {
	KEKs(ctx context.Context) ([]KEKs, error)
	// RotateKEKs returns when the vaults have other KEKs.
	RotateKEKs(ctx context.Context, who Peer, r KEKRotation) (KEKRotated, error)
	// RewrapKEKs goes on with what is unfinished, in the background, and returns in
	// how many vaults that is.
	RewrapKEKs(ctx context.Context, who Peer) (vaults int, err error)
	Rewraps() ([]Rewrap, error)
	VerifyKEKs(ctx context.Context, who Peer) (KEKsVerified, error)
	// AssignModule says which module keeps the KEKs of an organisation's new vaults.
	AssignModule(ctx context.Context, who Peer, org, module string) error
}

// wireAssign is the request for that.
type wireAssign struct {
	Org    string `json:"org"`
	Module string `json:"module"`
}

// wireCount is an answer.
type wireCount struct {
	Vaults int `json:"vaults"`
}

func (s *Server) keyRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /keks", func(w http.ResponseWriter, r *http.Request) {
		out, err := s.k.KEKs(r.Context())
		say(w, out, err)
	})
	mux.HandleFunc("GET /keks/rewraps", func(w http.ResponseWriter, _ *http.Request) {
		out, err := s.k.Rewraps()
		say(w, out, err)
	})
	mux.HandleFunc("POST /keks/rotate", func(w http.ResponseWriter, r *http.Request) {
		var in KEKRotation
		if !hear(w, r, &in) {
			return
		}
		if in.All == (in.Vault != "") {
			refuse(w, errBody)
			return
		}
		out, err := s.k.RotateKEKs(r.Context(), peer(r), in)
		say(w, out, err)
	})
	mux.HandleFunc("POST /keks/rewrap", func(w http.ResponseWriter, r *http.Request) {
		n, err := s.k.RewrapKEKs(r.Context(), peer(r))
		say(w, wireCount{n}, err)
	})
	mux.HandleFunc("POST /keks/verify", func(w http.ResponseWriter, r *http.Request) {
		out, err := s.k.VerifyKEKs(r.Context(), peer(r))
		say(w, out, err)
	})
	mux.HandleFunc("POST /keks/assign", func(w http.ResponseWriter, r *http.Request) {
		var in wireAssign
		if hear(w, r, &in) {
			say(w, struct{}{}, s.k.AssignModule(r.Context(), peer(r), in.Org, in.Module))
		}
	})
}

// hear reads a request, or refuses it.
func hear(w http.ResponseWriter, r *http.Request, in any) bool {
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		refuse(w, errBody)
		return false
	}
	return true
}

// say answers.
func say(w http.ResponseWriter, out any, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// ask sends a request and reads its answer.
func ask[T any](ctx context.Context, c *Client, method, path string, in any) (out T, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	res, err := c.send(ctx, method, path, body)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	return out, json.NewDecoder(res.Body).Decode(&out)
}

// KEKs lists the KEKs of all vaults, and counts what is under them.
func (c *Client) KEKs(ctx context.Context) ([]KEKs, error) {
	return ask[[]KEKs](ctx, c, "GET", "/keks", nil)
}

// Rewraps says how far the DEKs are.
func (c *Client) Rewraps(ctx context.Context) ([]Rewrap, error) {
	return ask[[]Rewrap](ctx, c, "GET", "/keks/rewraps", nil)
}

// RotateKEKs gives vaults other KEKs; the DEKs follow.
func (c *Client) RotateKEKs(ctx context.Context, r KEKRotation) (KEKRotated, error) {
	return ask[KEKRotated](ctx, c, "POST", "/keks/rotate", r)
}

// RewrapKEKs has the daemon go on with what is unfinished, and returns in how
// many vaults that is.
func (c *Client) RewrapKEKs(ctx context.Context) (int, error) {
	out, err := ask[wireCount](ctx, c, "POST", "/keks/rewrap", struct{}{})
	return out.Vaults, err
}

// VerifyKEKs has every DEK unwrapped.
func (c *Client) VerifyKEKs(ctx context.Context) (KEKsVerified, error) {
	return ask[KEKsVerified](ctx, c, "POST", "/keks/verify", struct{}{})
}

// AssignModule says which module keeps the KEKs of an organisation's new vaults.
func (c *Client) AssignModule(ctx context.Context, org, module string) error {
	_, err := ask[struct{}](ctx, c, "POST", "/keks/assign", wireAssign{org, module})
	return err
}
