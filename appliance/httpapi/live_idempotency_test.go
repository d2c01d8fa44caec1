package httpapi

import (
	"strings"
	"testing"
	"time"
)

func TestI8TheSameKeyTheSameAnswer(t *testing.T) {
	l := newLive(t)
	p, q := l.payer("payer", `,"token_ttl_seconds":604800`), l.payer("second", "")
	keyed := func(name, url, as, key, body string, status int) step {
		return step{name: name, method: post, url: url, as: as, header: map[string]string{"Idempotency-Key": key}, body: body, status: status}
	}
	const key = "7b1f3c9e5d2a48f6b0c4d8e2f6a1b3c5"
	body := pay(somebody1, "0.1", "")
	first := l.want(keyed("first", p.url, "payer", key, body, 201))
	again := l.want(keyed("again", p.url, "payer", key, body, 200))
	if first.Body.String() != again.Body.String() {
		t.Errorf("the answers differ:\n%s\n%s", first.Body, again.Body)
	}
	l.want(step{name: "there is one", url: p.url, as: "payer", status: 200, has: []string{first.text("id")}, lacks: []string{"},{"}})
	if owners := l.want(keyed("by a person", p.url, "owner", key, body, 200)); owners.text("id") != first.text("id") {
		t.Error("a key is not the agent's")
	}
	if other := l.want(keyed("of another agent", q.url, "second", key, body, 201)); other.text("id") == first.text("id") {
		t.Error("two agents share a key")
	}
	if other := l.want(keyed("another key", p.url, "payer", key+"x", body, 201)); other.text("id") == first.text("id") {
		t.Error("two keys are one")
	}
	conflict := func(name, url, body string) {
		t.Helper()
		s := keyed(name, url, "payer", key, body, 409)
		s.has, s.event = []string{`"code":"idempotency_key_reused"`}, "transaction.submit refused idempotency_key_reused"
		l.want(s)
	}
	conflict("another transaction", p.url, pay(somebody1, "0.2", ""))
	conflict("another recipient", p.url, pay(somebody2, "0.1", ""))
	conflict("signed only", p.url+"/sign", body)
	for name, key := range map[string]string{"spaces": "a b", "too long": strings.Repeat("k", 256), "not ASCII": "é", "a control character": "a\tb"} {
		s := keyed(name, p.url, "payer", key, body, 400)
		s.has = []string{`"code":"invalid_idempotency_key"`}
		l.want(s)
	}
	l.want(keyed("the longest", p.url, "payer", strings.Repeat("k", 255), body, 201))
	one, two := l.want(step{name: "no key", method: post, url: p.url, as: "payer", body: body, status: 201}), l.want(step{name: "no key", method: post, url: p.url, as: "payer", body: body, status: 201})
	if one.text("id") == two.text("id") {
		t.Error("without a key it is done once")
	}
	l.clock.advance(24*time.Hour + time.Minute)
	if later := l.want(keyed("a day later", p.url, "payer", key, body, 201)); later.text("id") == first.text("id") {
		t.Error("a key stands for its transaction after a day")
	}
}

// TestI8ARestartKeepsKeys: the answer outlives the process.
func TestI8ARestartKeepsKeys(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	s := step{method: post, url: p.url, as: "payer", header: map[string]string{"Idempotency-Key": "k"}, body: pay(somebody1, "0.1", ""), status: 201}
	first := l.want(s)
	l.restart()
	s.status = 200
	if again := l.want(s); again.Body.String() != first.Body.String() {
		t.Errorf("the answers differ:\n%s\n%s", first.Body, again.Body)
	}
}

func TestI8InFlight(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	n := l.node(1)
	n.asked, n.answers = make(chan struct{}), make(chan struct{})
	s := step{method: post, url: p.url, as: "payer", header: map[string]string{"Idempotency-Key": "k"}, body: pay(somebody1, "0.1", "")}
	done := make(chan answered)
	go func() { done <- l.send(s) }()
	<-n.asked
	s.name, s.status, s.has = "meanwhile", 409, []string{`"code":"idempotency_in_flight"`}
	l.want(s)
	close(n.answers)
	first := <-done
	if first.Code != 201 {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	n.asked = nil
	s.name, s.status, s.has = "later", 200, []string{first.text("id")}
	if again := l.want(s); again.Body.String() != first.Body.String() {
		t.Errorf("the answers differ:\n%s\n%s", first.Body, again.Body)
	}
}

// TestI8RefusalsAreNotKept: what was refused may be asked for again with its key.
func TestI8RefusalsAreNotKept(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", `,"tx_max_value_eth":"0.05"`)
	s := step{name: "refused", method: post, url: p.url, as: "payer", header: map[string]string{"Idempotency-Key": "k"}, body: pay(somebody1, "0.1", ""), status: 403}
	l.want(s)
	l.want(step{method: patch, url: "/v1/agents/" + p.id, as: "owner", body: `{"tx_max_value_eth":"1"}`, status: 200})
	s.name, s.status = "allowed", 201
	first := l.want(s)
	l.want(step{method: patch, url: "/v1/agents/" + p.id, as: "owner", body: `{"tx_max_value_eth":"0.01"}`, status: 200})
	s.name, s.status, s.has = "asked again, whatever the limit is by now", 200, []string{first.text("id")}
	l.want(s)
	bad := s
	bad.name, bad.header, bad.has = "not valid", map[string]string{"Idempotency-Key": "k2"}, nil
	bad.body, bad.status = pay(somebody1, "x", ""), 400
	l.want(bad)
	bad.body, bad.status = pay(somebody1, "0.01", ""), 201
	l.want(bad)
}

// TestI8AFailureIsKept: it was signed, so it is what the key stands for.
func TestI8AFailureIsKept(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	n := l.node(1)
	n.refuses = true
	s := step{method: post, url: p.url, as: "payer", header: map[string]string{"Idempotency-Key": "k"}, body: pay(somebody1, "0.1", ""), status: 201, has: []string{`"status":"failed"`}}
	first := l.want(s)
	n.refuses = false
	s.status, s.has = 200, []string{`"status":"failed"`, first.text("id")}
	l.want(s)
}
