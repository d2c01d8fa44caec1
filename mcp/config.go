package mcp

import (
	"log/slog"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/client"
)

// name is what the server calls itself: clients and their rules know it by that.
const name = "1claw"

// Config is what a server is made of.
type Config struct {
	Version string // of the program, for clients

	// API reaches the appliance, without a credential of its own. Nil: there is
	// none, and inspect_content is the only tool.
	API *client.Client

	Guard Guard
	OAuth OAuth
	Log   *slog.Logger // discarded when nil

	// Rights is another number after each change of who may do what: what is
	// remembered of a credential is forgotten then. Nil: it is remembered for a
	// minute.
	Rights func() uint64

	// Followed says that Changed is called after each change, whoever made it.
	Followed bool

	// Extend adds to what is served, for the suite of conformance, which asks for
	// tools that no product has.
	Extend func(*sdk.Server)

	// MaxSessions bounds the sessions that clients have open at once; 4096 if zero.
	MaxSessions int
}

func (c Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// maxBody is the size of the largest message: a value of 5 MB less what is
// around it, as at the API.
const maxBody = 5 << 20

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
