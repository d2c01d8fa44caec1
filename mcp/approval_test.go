package mcp

import (
	"errors"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// A model is told where people decide, and an error that is none of approval stays
// what it is.
func TestApprovalSaysWhere(t *testing.T) {
	as, err := client.New(client.Options{BaseURL: "https://vault.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	c := &call{caller: &caller{account: &account{api: as}}, req: &sdk.CallToolRequest{Params: &sdk.CallToolParamsRaw{}}}
	needed := &client.Error{Problem: api.Problem{Type: api.TypeApproval, Status: 202, Approval: "0190d6f0"}}
	var words told
	if err := c.approval(t.Context(), needed); !errors.As(err, &words) || !strings.Contains(err.Error(), "https://vault.example.com/approvals/0190d6f0\n") {
		t.Errorf("told %v", err)
	}
	other := &client.Error{Problem: api.Problem{Status: 403}}
	if err := c.approval(t.Context(), other); !errors.Is(err, other) {
		t.Errorf("%v became %v", other, err)
	}
}
