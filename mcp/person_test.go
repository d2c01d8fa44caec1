package mcp_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// led is a client that leads a person to pages, and what it was asked to show.
type led struct {
	mu     sync.Mutex
	action string
	shown  []*sdk.ElicitParams
	before func() // what the person does there
}

func (l *led) options() *sdk.ClientOptions {
	return &sdk.ClientOptions{
		Capabilities: &sdk.ClientCapabilities{Elicitation: &sdk.ElicitationCapabilities{URL: &sdk.URLElicitationCapabilities{}}},
		ElicitationHandler: func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.shown = append(l.shown, r.Params)
			if l.before != nil {
				l.before()
			}
			return &sdk.ElicitResult{Action: l.action}, nil
		},
	}
}

// A person is led to the page where they enter a secret that is not there; its value
// passes neither the client nor the model. In the era without sessions the call is
// made again when they agreed, and finds what they entered meanwhile.
func TestAMissingSecretIsAskedFor(t *testing.T) {
	for _, era := range []string{"2025-11-25", recent} {
		t.Run(era, func(t *testing.T) {
			a := newAgent(t)
			l := &led{action: "accept"}
			s := a.connect(era, l.options())
			s.fails("get_secret", args{"path": "api/none"}, "No secret found at path 'api/none'. A person was asked to enter it; call the tool again when they have.")
			if len(l.shown) != 1 || l.shown[0].Mode != "url" || l.shown[0].ElicitationID == "" ||
				!strings.HasSuffix(l.shown[0].URL, "/secrets/new#path=api%2Fnone&vault="+a.vault) {
				t.Fatalf("shown were %+v", l.shown)
			}

			l.action = "decline"
			s.fails("get_secret", args{"path": "api/none"}, "No secret found at path 'api/none'.")

			if era == recent {
				l.action, l.before = "accept", func() { a.keep("api/late", "api_key", canary+"-late") }
				if got := s.says("get_secret", args{"path": "api/late"}); !strings.Contains(got, canary+"-late") {
					t.Errorf("entered while the client waited: %s", got)
				}
			}
		})
	}
}

// Clients that cannot lead anybody anywhere are told in words.
func TestWhoCannotBeLedIsTold(t *testing.T) {
	for _, era := range []string{ancient, recent} {
		newAgent(t).connect(era, nil).fails("get_secret", args{"path": "none"}, "No secret found at path 'none'.")
	}
}
