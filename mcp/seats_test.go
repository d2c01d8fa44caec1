package mcp

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`

// asAgent sends a message of a session, or the one that begins one, as an agent.
func (h *Handler) asAgent(t testing.TB, agent, session, body string) (status int, began string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", strings.NewReader(body))
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Authorization": "Bearer ocv_" + agent, sessionHeader: session,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header().Get(sessionHeader)
}

// begin begins a session.
func (h *Handler) begin(t testing.TB, agent string) string {
	t.Helper()
	status, session := h.asAgent(t, agent, "", hello)
	if status != 200 || session == "" {
		t.Fatalf("%s begins no session: %d", agent, status)
	}
	return session
}

// alive reports whether a session takes a message.
func (h *Handler) alive(t testing.TB, agent, session string) bool {
	t.Helper()
	status, _ := h.asAgent(t, agent, session, `{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	return status == 200
}

// An agent has its share of the sessions, and not that of others: its next one takes the
// place of the one that it used the longest ago.
func TestSharesOfSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := fakeAPI(t)
		h.seats.most, h.seats.share = 8, 3
		var mine []string
		for range 3 {
			mine = append(mine, h.begin(t, "a"))
			time.Sleep(time.Second)
		}
		if !h.alive(t, "a", mine[0]) { // which makes the second the oldest
			t.Error("a session within the share has ended")
		}
		mine = append(mine, h.begin(t, "a"))
		synctest.Wait()
		for i, want := range []bool{true, false, true, true} {
			if got := h.alive(t, "a", mine[i]); got != want {
				t.Errorf("session %d goes on: %v", i, got)
			}
		}
		for i := range 5 {
			h.begin(t, fmt.Sprint("b", i))
		}
		if status, _ := h.asAgent(t, "c", "", hello); status != http.StatusServiceUnavailable {
			t.Errorf("one more than there may be: %d", status)
		}
		if h.begin(t, "a"); len(h.seats.taken) != 8 {
			t.Errorf("%d sessions", len(h.seats.taken))
		}
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A session that nobody uses ends, and with it its place. One that is used goes on, also
// where its calls take the shortcut.
func TestIdleSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := fakeAPI(t)
		idle, used := h.begin(t, "a"), h.begin(t, "a")
		for range 3 {
			time.Sleep(sessionTimeout / 2)
			status, _ := h.asAgent(t, "a", used, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_secret","arguments":{"path":"k"}}}`)
			if status != 200 {
				t.Errorf("a session in use: %d", status)
			}
		}
		synctest.Wait()
		if status, _ := h.asAgent(t, "a", idle, `{"jsonrpc":"2.0","id":2,"method":"ping"}`); status != http.StatusNotFound {
			t.Errorf("a session that nobody used: %d", status)
		}
		time.Sleep(2 * sessionTimeout)
		synctest.Wait()
		if h.alive(t, "a", used) || len(h.seats.taken) != 0 || h.seats.next != nil {
			t.Error("the last session goes on")
		}
	})
}
