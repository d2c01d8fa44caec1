package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// The SDK reads a request a dozen times over, and begins and ends a session for each that
// is in none: two thirds of what a call of a tool costs. What follows answers such a call in
// one pass, by the same handlers behind the same guard. It takes calls that are as plain as
// can be. Whatever else comes, odd or wrong or of another method, it leaves to the SDK,
// which decides what is to be said.

// plainCall is a call of a tool that needs nothing of the protocol but its answer.
type plainCall struct {
	id     json.RawMessage
	params *sdk.CallToolParamsRaw
}

// registered is a tool's handler.
type registered struct {
	run  sdk.ToolHandler
	long bool // it may take long, and a client may want to cancel it
}

// shortcut answers a request without a session if it can, and says whether it has.
func (h *Handler) shortcut(w http.ResponseWriter, r *http.Request, body []byte, c *caller) bool {
	if r.Header.Get("Mcp-Protocol-Version") != stateless || r.Header.Get("Mcp-Method") != "tools/call" || !plainRequest(r) {
		return false
	}
	p, meta, ok := readPlainCall(body)
	if !ok || h.recent.tools[p.params.Name].run == nil || r.Header.Get("Mcp-Name") != p.params.Name {
		return false
	}
	if p.params.Meta, ok = readPlainMeta(meta); !ok {
		return false
	}
	return h.recent.answer(w, r, p, &sdk.CallToolRequest{Params: p.params, Extra: extraOf(r, c)})
}

// shortcutInSession is shortcut for a request of a session. Its client may not be one that
// leads people to pages, or is to hear of a call that takes long.
func (h *Handler) shortcutInSession(w http.ResponseWriter, r *http.Request, body []byte, c *caller, session *sdk.ServerSession) bool {
	begun := session.InitializeParams()
	if begun == nil || begun.ProtocolVersion >= stateless || !plainRequest(r) || leads(begun.Capabilities) {
		return false
	}
	if version := r.Header.Get("Mcp-Protocol-Version"); version != "" && version != begun.ProtocolVersion {
		return false
	}
	p, meta, ok := readPlainCall(body)
	if !ok || meta != nil || h.ancient.tools[p.params.Name].run == nil || h.ancient.tools[p.params.Name].long {
		return false
	}
	r = r.WithContext(context.WithoutCancel(r.Context())) // who goes has not cancelled anything in this era
	return h.ancient.answer(w, r, p, &sdk.CallToolRequest{Session: session, Params: p.params, Extra: extraOf(r, c)})
}

// leads reports whether a client leads people to pages.
func leads(can *sdk.ClientCapabilities) bool {
	return can != nil && can.Elicitation != nil && can.Elicitation.URL != nil
}

func extraOf(r *http.Request, c *caller) *sdk.RequestExtra {
	return &sdk.RequestExtra{TokenInfo: tokenOf(c), Header: r.Header}
}

// answer makes a call and answers it.
func (e era) answer(w http.ResponseWriter, r *http.Request, p plainCall, req *sdk.CallToolRequest) bool {
	res, err := e.direct(r.Context(), "tools/call", req)
	var answer []byte
	if out, ok := res.(*sdk.CallToolResult); ok && err == nil {
		if req.Session == nil {
			out.Meta = sdk.Meta{sdk.MetaKeyServerInfo: e.about()}
		}
		answer, err = p.answer(out, req.Session == nil)
	}
	if err != nil { // the call was made: it must not be made again
		Refuse(w, err)
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
	return true
}

// callTool is the innermost handler of calls that take the shortcut.
func (s *server) callTool(ctx context.Context, _ string, req sdk.Request) (sdk.Result, error) {
	r, _ := req.(*sdk.CallToolRequest)
	return s.tools[r.Params.Name].run(ctx, r)
}

// plainRequest reports whether the headers of a request are those of a plain call.
func plainRequest(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	takes := r.Header.Get("Accept")
	return strings.TrimSpace(kind) == "application/json" && r.Header["Last-Event-Id"] == nil &&
		strings.Contains(takes, "application/json") && strings.Contains(takes, "text/event-stream")
}

// readPlainCall reads a message, if it is a plain call, up to what its client says of
// itself. Every name in it has to be known: what a client asks for besides is not to be
// passed over.
func readPlainCall(body []byte) (c plainCall, meta json.RawMessage, ok bool) {
	message, ok := fields(body, "jsonrpc", "id", "method", "params")
	if !ok || string(message["jsonrpc"]) != `"2.0"` || string(message["method"]) != `"tools/call"` || !plainID(message["id"]) {
		return c, nil, false
	}
	params, ok := fields(message["params"], "name", "arguments", "_meta")
	if !ok {
		return c, nil, false
	}
	c = plainCall{id: message["id"], params: &sdk.CallToolParamsRaw{Arguments: params["arguments"]}}
	return c, params["_meta"], json.Unmarshal(params["name"], &c.params.Name) == nil
}

// readPlainMeta reads what a client says of itself in each request.
func readPlainMeta(raw json.RawMessage) (sdk.Meta, bool) {
	said, ok := fields(raw, sdk.MetaKeyProtocolVersion, sdk.MetaKeyClientCapabilities, sdk.MetaKeyClientInfo)
	if !ok || string(said[sdk.MetaKeyProtocolVersion]) != `"`+stateless+`"` {
		return nil, false
	}
	if who := said[sdk.MetaKeyClientInfo]; who != nil && !isObject(who, &sdk.Implementation{}) {
		return nil, false
	}
	if !isObject(said[sdk.MetaKeyClientCapabilities], &sdk.ClientCapabilities{}) {
		return nil, false
	}
	return sdk.Meta{sdk.MetaKeyProtocolVersion: stateless, sdk.MetaKeyClientCapabilities: said[sdk.MetaKeyClientCapabilities]}, true
}

// isObject reads raw into a value, if it is an object.
func isObject(raw json.RawMessage, into any) bool {
	return len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, into) == nil
}

// fields are those of an object, if it has no others than the names.
func fields(raw []byte, names ...string) (map[string]json.RawMessage, bool) {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil || all == nil {
		return nil, false
	}
	known := 0
	for _, name := range names {
		if _, has := all[name]; has {
			known++
		}
	}
	return all, known == len(all)
}

// plainID reports whether raw is a text, or a whole number that is written as one.
func plainID(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '"' || len(raw) < 16 && bytes.Trim(raw, "0123456789") == nil)
}

// answer is the message that answers a call. Since the era without sessions it says what
// kind of result it is: the SDK does where it sends it.
func (c plainCall) answer(res *sdk.CallToolResult, kinds bool) ([]byte, error) {
	result, err := res.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(len(result) + 128)
	out.WriteString(`{"jsonrpc":"2.0","id":`)
	out.Write(c.id)
	out.WriteString(`,"result":{`)
	switch {
	case kinds && res.InputRequests != nil:
		out.WriteString(`"resultType":"input_required",`)
	case kinds:
		out.WriteString(`"resultType":"complete",`)
	}
	out.Write(result[1:]) // after its {
	out.WriteString(`}`)
	return out.Bytes(), nil
}
