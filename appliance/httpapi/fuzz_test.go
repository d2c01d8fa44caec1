package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// hostile is an appliance under attack, and what its attacker knows.
type hostile struct {
	*live
	*surface
	home    *standing
	vaultID string
	made    map[string][]string // what is there, by the names of fields
	ids     []string            // seen in answers

	carried string              // what the request of the moment holds, like a secret
	known   map[string][]string // what is right in fields of these names

	tally *tally
}

// standing is a test that outlives the cases of a fuzz target, each of which
// is a test of its own: it ends when it is told to.
type standing struct {
	testing.TB // of the moment
	cleanups   []func()
}

// What belongs to the whole life, and what a fuzz target's own test forbids.
func (s *standing) Helper()                  {}
func (s *standing) Context() context.Context { return context.Background() }
func (s *standing) Cleanup(f func())         { s.cleanups = append(s.cleanups, f) }

func (s *standing) TempDir() string {
	dir, err := os.MkdirTemp("", "oneclawd-hostile")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s *standing) end(t testing.TB) {
	s.TB = t
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

// tally counts what came of a run.
type tally struct {
	surface      *surface // of the first
	sent, served int
	lives        int
	statuses     map[int]int
	succeeded    map[string]bool // operations
}

func newTally() *tally { return &tally{statuses: map[int]int{}, succeeded: map[string]bool{}} }

// newHostile makes an appliance whose one secret is the canary; the owner and
// the agent bot may read it.
func newHostile(t testing.TB, tally *tally) *hostile {
	t.Helper()
	home := &standing{TB: t}
	tally.lives++
	h := &hostile{home: home, live: newLive(home, func(c *Config) { c.Limits.Auth = Rate{PerSecond: 0.001, Burst: 8} }), tally: tally}
	if tally.surface == nil {
		var err error
		tally.surface, err = attackSurface(h.Server)
		h.ok(err)
	}
	h.surface = tally.surface
	h.settle()
	return h
}

// settle makes what the attacks need.
func (h *hostile) settle() {
	h.Helper()
	v := h.vault("owner", "v")
	secret := h.put(v, "a/b", canary).text("id")
	bot := h.agent("bot", `,"scopes":["**"],"intents_api_enabled":true`)
	h.putKey(v, "keys/ethereum-signer")
	policy := h.grant("owner", v, bot, "**", `["read","write"]`, "")
	h.renew("bot", bot)
	self := h.ownerID.String()
	made := func(url, body, path string) string {
		return h.want(step{method: post, url: url, as: "owner", body: body, status: 201}).text(path)
	}
	share := made("/v1/shares", `{"secret_id":"`+secret+`","recipient_type":"user","recipient_id":"`+self+`"}`, "id")
	link := made("/v1/shares", `{"secret_id":"`+secret+`","recipient_type":"anyone_with_link","expires_at":"2100-01-01T00:00:00Z","passphrase":"p"}`, "id")
	rule := made("/v1/security/ip-rules", `{"rule_type":"deny","cidr":"198.51.100.0/24"}`, "id")
	key := made("/v1/auth/api-keys", `{"name":"k"}`, "key.id")
	device := h.want(step{method: post, url: "/v1/auth/device/code", body: `{"client_id":"cli"}`, status: 200})
	h.want(step{method: put, url: "/v1/agents/" + bot.id + "/guardrails", as: "owner", body: `{"approval":{"above_eth":"1","approvers":1}}`, status: 200})
	submit := func(value string, status int) answered {
		return h.want(step{method: post, url: "/v1/agents/" + bot.id + "/transactions", as: "bot", body: pay(somebody1, value, ""), status: status})
	}
	h.vaultID = strings.TrimPrefix(v, "/v1/vaults/")
	h.made = map[string][]string{
		"vault_id": {h.vaultID, h.vaultID, strings.TrimPrefix(h.vault("owner", "cmek"), "/v1/vaults/")},
		"agent_id": {bot.id, made("/v1/agents", `{"name":"other"}`, "agent.id")}, "principal_id": {bot.id}, "recipient_id": {self, bot.id},
		"secret_id": {secret}, "policy_id": {policy}, "share_id": {share, link}, "rule_id": {rule}, "key_id": {key}, "user_id": {self},
		"user_code": {device.text("user_code")}, "device_code": {device.text("device_code")},
		"api_key": {bot.key, h.tokens["key"]},
		"tx_id":   {submit("0.1", 201).text("id")}, "approval_id": {submit("2", 202).text("approval_id")},
		"chain_id": {h.send(step{url: "/v1/chains/polygon"}).text("id")},
	}
	h.Cleanup(h.vaults.StopRotations)
}

// intact reports whether the attacks still meet what they are made for.
func (h *hostile) intact() bool {
	for _, as := range []string{"owner", "bot"} {
		if a := h.send(step{url: "/v1/vaults/" + h.vaultID + "/secrets/a/b", as: as}); a.Code != 200 || !strings.Contains(a.Body.String(), canary) {
			return false
		}
	}
	return h.send(step{method: post, url: "/v1/vaults", as: "owner", body: `{"name":"w"}`}).Code == 201
}

// attackAndMend attacks, and puts another appliance in the place of one that a
// request, quite rightly obeyed, has made useless to others.
func (h *hostile) attackAndMend(t testing.TB, data []byte) *hostile {
	t.Helper()
	if changed := h.attack(t, data); !changed || h.intact() {
		return h
	}
	h.home.end(t)
	return newHostile(t, h.tally)
}

// attack makes a request of what the fuzzer gave and holds the answer against
// what is true of every answer.
func (h *hostile) attack(t testing.TB, data []byte) (changed bool) {
	t.Helper()
	h.TB, h.home.TB = t, t
	sum := fnv.New64a()
	_, _ = sum.Write(data)
	h.carried = "qz" + hex.EncodeToString(sum.Sum(nil))
	h.known = words(h.carried)
	maps.Copy(h.known, h.made)
	d := &dice{data}
	op := h.operations[d.n(len(h.operations))]
	raw := h.request(d, op)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	h.tally.sent++
	if err != nil {
		return false // net/http refuses it before it comes here
	}
	h.tally.served++
	r.RemoteAddr = "192.0.2.1:1"
	rec := h.answerTo(t, r, raw)
	h.tally.statuses[rec.Code]++
	if rec.Code >= 400 {
		h.refusal(t, rec, raw)
	} else {
		h.tally.succeeded[op.OperationID] = true
		h.harvest(rec.Body.Bytes())
	}
	news := h.log.take()
	if _, secret := leaked(news); secret || strings.Contains(news, h.carried) {
		t.Fatalf("the log has what it must not:\n%s\nafter\n%s", news, shown(raw))
	}
	return rec.Code < 300 && r.Method != get
}

// patient bounds a request; machines that test are busy.
const patient = 2 * time.Minute

func (h *hostile) answerTo(t testing.TB, r *http.Request, raw string) *httptest.ResponseRecorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	rec, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(rec, r.WithContext(ctx))
	}()
	select {
	case <-done:
	case <-time.After(patient + time.Minute):
		t.Fatalf("no answer to\n%s", shown(raw))
	}
	return rec
}

// refusal is true of every answer of 400 and above.
func (h *hostile) refusal(t testing.TB, rec *httptest.ResponseRecorder, raw string) {
	t.Helper()
	var head bytes.Buffer
	_ = rec.Header().Write(&head)
	all := head.String() + rec.Body.String()
	var p api.Problem
	err := json.Unmarshal(rec.Body.Bytes(), &p)
	_, secret := leaked(all)
	wait, noWait := strconv.Atoi(rec.Header().Get("Retry-After"))
	switch {
	case rec.Code >= 500 && p.Code != "maintenance":
		t.Errorf("the appliance's own fault: %d", rec.Code)
	case secret || strings.Contains(all, h.carried):
		t.Errorf("what was sent, or is secret, comes back: %d", rec.Code)
	case err != nil || rec.Header().Get("Content-Type") != api.ProblemContentType:
		t.Errorf("not a problem of RFC 9457: %d %s", rec.Code, rec.Header().Get("Content-Type"))
	case p.Code == "" || p.Type == "" || p.Title == "" || p.Detail == "" || p.Status != rec.Code:
		t.Errorf("not a whole problem: %d", rec.Code)
	case rec.Code == 429 && (noWait != nil || wait < 1):
		t.Errorf("Retry-After is %q", rec.Header().Get("Retry-After"))
	default:
		return
	}
	t.Fatalf("%s\nanswered\n%s\n%s", shown(raw), head.String(), rec.Body)
}

func shown(raw string) string {
	if len(raw) > 3000 {
		raw = raw[:2000] + "\n...\n" + raw[len(raw)-1000:]
	}
	return strconv.Quote(raw)
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// harvest notes ids for later requests.
func (h *hostile) harvest(body []byte) {
	for _, id := range anyID.FindAllString(string(body[:min(len(body), 4000)]), 3) {
		if len(h.ids) < 200 {
			h.ids = append(h.ids, id)
		}
	}
}

// seeded is the bytes of case n.
func seeded(n uint64) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], n)
	b := make([]byte, 160)
	_, _ = rand.NewChaCha8(seed).Read(b)
	return b
}

// TestHostileRequests sends some thousand requests that are nearly right to
// every operation. A case that fails is one for the corpus of FuzzRequests.
func TestHostileRequests(t *testing.T) {
	const cases = 1200
	tally := newTally()
	h := newHostile(t, tally)
	for n := range uint64(cases) {
		h = h.attackAndMend(t, seeded(n))
	}
	h.home.end(t)
	t.Logf("%d requests, %d of them HTTP; answers by status: %v; %d of %d operations succeeded; %d appliances",
		tally.sent, tally.served, tally.statuses, len(tally.succeeded), len(h.operations), tally.lives)
	for _, status := range []int{200, 201, 204, 400, 401, 403, 404, 429} {
		if tally.statuses[status] == 0 {
			t.Errorf("none was answered with %d: the cases miss their aim", status)
		}
	}
}

// FuzzRequests: whatever a client sends to whatever operation, it gets a proper
// answer that tells no secrets.
func FuzzRequests(f *testing.F) {
	for n := range uint64(50) {
		f.Add(seeded(n))
	}
	h := newHostile(f, newTally())
	f.Cleanup(func() { h.home.end(f) })
	f.Fuzz(func(t *testing.T, data []byte) { h = h.attackAndMend(t, data) })
}
