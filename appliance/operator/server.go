package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/fault/faulthttp"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// maxBody bounds a request: a credential and its JSON.
const maxBody = 64 << 10

// Errors of requests.
var (
	errBody    = fault.New(fault.Invalid, "invalid_request", "the request is not what the operator's socket takes")
	errNoRoute = fault.New(fault.NotFound, "no_such_route", "no such request on the operator's socket; is this command as new as the daemon?")
)

// Server answers on the socket.
type Server struct {
	d    Daemon
	k    KeyKeeper
	http http.Server
}

// NewServer returns a Server for d and k, which may be one.
func NewServer(d Daemon, k KeyKeeper) *Server {
	s := &Server{d: d, k: k}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { s.status(w) })
	mux.HandleFunc("POST /unseal", s.unseal)
	mux.HandleFunc("POST /seal", s.seal)
	mux.HandleFunc("POST /backup", s.backup)
	mux.HandleFunc("POST /drill", s.drill)
	mux.HandleFunc("POST /forward/rotate-ca", func(w http.ResponseWriter, r *http.Request) {
		bundle, err := s.d.RotateForwardCA(r.Context(), peer(r))
		say(w, wireCA{string(bundle)}, err)
	})
	s.keyRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, errNoRoute) })
	s.http = http.Server{
		Handler: mux, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(*conn).peer)
		},
	}
	return s
}

type peerKey struct{}

func peer(r *http.Request) Peer { p, _ := r.Context().Value(peerKey{}).(Peer); return p }

// Serve answers on a listener of Listen until Close. It then returns
// http.ErrServerClosed.
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(l) }

// Shutdown waits for requests under way, or for ctx.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

func (s *Server) status(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.d.Status())
}

func (s *Server) unseal(w http.ResponseWriter, r *http.Request) {
	cred, err := readCredential(r.Body)
	if err != nil {
		refuse(w, err)
		return
	}
	defer cred.Secret.Wipe()
	if err := s.d.Unseal(r.Context(), peer(r), cred); err != nil {
		refuse(w, err)
		return
	}
	s.status(w)
}

func (s *Server) seal(w http.ResponseWriter, r *http.Request) {
	if err := s.d.Seal(r.Context(), peer(r)); err != nil {
		refuse(w, err)
		return
	}
	s.status(w)
}

// backup streams. Once the stream has begun an error can only cut it off; what
// was sent then lacks its end, which every reader of backups refuses.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	out := &stream{to: w}
	err := s.d.Backup(r.Context(), peer(r), out)
	switch {
	case err == nil:
	case !out.began:
		refuse(w, err)
	default:
		panic(http.ErrAbortHandler)
	}
}

// stream notes whether anything was written.
type stream struct {
	to    http.ResponseWriter
	began bool
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	if !s.began {
		s.began = true
		s.to.Header().Set("Content-Type", "application/octet-stream")
	}
	return s.to.Write(p)
}

func (s *Server) drill(w http.ResponseWriter, r *http.Request) {
	var in wireDrill
	if !hear(w, r, &in) {
		return
	}
	if in.Path == "" {
		refuse(w, errBody)
		return
	}
	receipt, err := s.d.Drill(r.Context(), peer(r), in.Path)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(receipt) //nolint:gosec // JSON to a command, not a page
}

// readCredential reads a body into bytes of its own and wipes the rest.
func readCredential(body io.Reader) (Credential, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	defer clear(text)
	if err != nil || len(text) > maxBody {
		return Credential{}, errBody
	}
	var in wireCredential
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Credential{}, errBody
	}
	defer clear(in.Secret)
	if _, err := d.Token(); err != io.EOF {
		return Credential{}, errBody
	}
	out := Credential{Kind: in.Kind}
	switch in.Kind {
	case PIN, Passphrase, Share, UpgradeCode:
	default:
		return Credential{}, errBody
	}
	if len(in.Secret) > 0 {
		var secret []byte // base64 in JSON
		if err := json.Unmarshal(in.Secret, &secret); err != nil {
			return Credential{}, errBody
		}
		out.Secret = plain.New(secret)
	}
	return out, nil
}

// refuse answers with an error. Operators see causes: they need them, and
// nobody else is on the socket.
func refuse(w http.ResponseWriter, err error) {
	p := problem{Kind: fault.KindOf(err), Code: "internal", Detail: err.Error()}
	if f := fault.As(err); f != nil {
		p.Code, p.Detail = f.Code, f.Msg
		if f.Err != nil {
			p.Detail += " (" + f.Err.Error() + ")"
		}
	}
	p.Status = faulthttp.Status(p.Kind)
	p.Title = http.StatusText(p.Status)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
