package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// TestKill is kill -9 at a random instant, again and again, in one data folder,
// while clients write, read, delete, count reads, grant and revoke. What was
// acknowledged is there after each restart, and what was not is there whole or
// not at all.
func TestKill(t *testing.T) {
	needSoftHSM(t)
	kills := 50
	if testing.Short() {
		kills = 10
	}
	kills = number(t, "ONECLAW_KILLS", kills)
	d := newDev(t, "--set", "audit.checkpoint_interval=300ms").start()
	acked, lost := newKillTest(t, d, d.kill).run(kills)
	if acked < 20*kills || kills > 50 && lost < kills {
		t.Errorf("so few calls prove nothing")
	}
}

// killTest is what outlives the rounds.
type killTest struct {
	t     *testing.T
	d     *daemon
	kill  func() // ends the daemon at once
	rng   *rand.Rand
	vault string

	agent, key string
	control    string // a token that is never revoked
	revoked    []string

	policies      map[string]bool // by id: those that are there
	countedPolicy string          // the one that stays
	chain         []string        // the values of a path that all rounds write, by version
}

const chainPath = "chain/all"

func newKillTest(t *testing.T, d *daemon, kill func()) *killTest {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &killTest{
		t: t, d: d, kill: kill, rng: rand.New(rand.NewPCG(seed, 1)), policies: map[string]bool{},
	}
	h := k.d.human()
	k.vault = h.vault(t, "kill")
	k.agent, k.key = h.agent(t, "worker")
	k.countedPolicy = into[api.PolicyResponse](t, h.policy(k.vault, k.agent, "counted/**", "read").is(t, 201)).ID
	k.policies[k.countedPolicy] = true
	k.control = h.token(t, k.key)
	// The first kill may come before any client's first write.
	k.chain = []string{"chain/before"}
	h.put(k.vault, chainPath, k.chain[0]).is(t, 201)
	return k
}

// run does a number of rounds and returns how many calls were acknowledged in
// them and how many were in flight.
func (k *killTest) run(rounds int) (acked, lost int) {
	t := k.t
	t.Helper()
	var starting time.Duration
	for round := range rounds {
		r := k.round(round)
		begin := time.Now()
		k.d.start()
		starting += time.Since(begin)
		k.after(r)
		acked, lost = acked+len(r.acked), lost+int(r.lost.Load())
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	begin := time.Now()
	v := k.d.human().verifyAudit(t)
	t.Logf("verifying %d events took %v", v.EventsChecked, time.Since(begin))
	k.checkRevoked(k.revoked)
	k.d.stop()
	t.Logf("%d rounds, %d acknowledged calls, %d in flight; a restart took %v on average", rounds, acked, lost, starting/time.Duration(rounds))
	return acked, lost
}

// round is what one round's clients saw.
type round struct {
	n       int
	began   time.Time
	history *history
	lost    atomic.Int64
	stop    atomic.Bool

	mu      sync.Mutex
	acked   map[string]string // event id → what was acknowledged with it
	chain   []call            // what was tried on the chain, in order
	chained int               // of these, how many are acknowledged

	reads, readsLost atomic.Int64 // of the counted secret
	granted          []string     // policies acknowledged in this round
	dropped          []string
	grantsLost       int
	dropLost         string
	revoked          []string
}

const (
	countedReads = 7
	countedPath  = "counted/r%d"
)

// round runs clients against the daemon and kills it under them.
func (k *killTest) round(n int) *round {
	r := &round{n: n, began: time.Now(), history: newHistory(), acked: map[string]string{}}
	h := k.d.human()
	limit := int32(countedReads)
	h.do("PUT", secretPath(k.vault, fmt.Sprintf(countedPath, n)), api.PutSecretRequest{Value: "counted", MaxAccessCount: &limit}).is(k.t, 201)

	var all sync.WaitGroup
	for w := range 6 {
		rng := rand.New(rand.NewPCG(k.rng.Uint64(), 2))
		all.Go(func() { k.registers(r, h, w, rng) })
	}
	for range 3 {
		all.Go(func() { k.counts(r, k.d.as(k.control)) })
	}
	all.Go(func() { k.chains(r, h) })
	all.Go(func() { k.grants(r, h) })
	all.Go(func() { k.revokes(r, h) })
	time.Sleep(time.Duration(k.rng.Int64N(int64(120 * time.Millisecond))))
	k.kill()
	r.stop.Store(true)
	all.Wait()
	return r
}

// took notes an answer, and reports whether there is more to do.
func (r *round) took(a answer, ok ...int) bool {
	if a.err != nil {
		r.lost.Add(1)
		return false
	}
	if !slices.Contains(ok, a.status) {
		r.mu.Lock()
		r.acked["unexpected"] = a.String()
		r.mu.Unlock()
		return false
	}
	if event := a.header.Get("X-Audit-Event"); event != "" {
		r.mu.Lock()
		r.acked[event] = a.asked
		r.mu.Unlock()
	}
	return !r.stop.Load()
}

// registers writes, reads and deletes three secrets that are new in the round.
func (k *killTest) registers(r *round, c *client, worker int, rng *rand.Rand) {
	for n := 0; ; n++ {
		in := call{path: fmt.Sprintf("register/r%d/%d", r.n, rng.IntN(3)), kind: "get"}
		switch p := rng.IntN(10); {
		case p < 4:
			in.kind, in.value = "put", fmt.Sprintf("%d/%d/%d", r.n, worker, n)
		case p < 5:
			in.kind = "delete"
		}
		if !r.took(r.history.record(worker, c, k.vault, in), 200, 201, 204, 404, 410) {
			return
		}
	}
}

// counts reads a secret that may be read seven times.
func (k *killTest) counts(r *round, c *client) {
	for {
		time.Sleep(5 * time.Millisecond) // or all reads are over before the kill
		a := c.get(k.vault, fmt.Sprintf(countedPath, r.n))
		if a.err != nil {
			r.readsLost.Add(1)
		} else if a.status == 200 {
			r.reads.Add(1)
		}
		if !r.took(a, 200, 410) || a.status == 410 {
			return
		}
	}
}

// chains writes the next version of a secret that lives as long as the test.
func (k *killTest) chains(r *round, c *client) {
	for n := 0; ; n++ {
		in := call{path: chainPath, value: fmt.Sprintf("chain/%d/%d", r.n, n)}
		r.chain = append(r.chain, in)
		a := c.put(k.vault, in.path, in.value)
		if a.status == 201 {
			r.chained++
		}
		if !r.took(a, 201) {
			return
		}
	}
}

// grants makes a policy and takes it away.
func (k *killTest) grants(r *round, c *client) {
	for n := 0; ; n++ {
		a := c.policy(k.vault, k.agent, fmt.Sprintf("granted/r%d/%d", r.n, n), "read")
		var p api.PolicyResponse
		switch {
		case a.err != nil:
			r.grantsLost++
		case a.status == 201 && json.Unmarshal(a.body, &p) == nil:
			r.granted = append(r.granted, p.ID)
		}
		if !r.took(a, 201) {
			return
		}
		if n%3 == 0 {
			continue
		}
		a = c.do("DELETE", "/v1/vaults/"+k.vault+"/policies/"+p.ID, nil)
		if a.err != nil {
			r.dropLost = p.ID
		} else {
			r.dropped = append(r.dropped, p.ID)
		}
		if !r.took(a, 204) {
			return
		}
	}
}

// revokes buys tokens and gives them up.
func (k *killTest) revokes(r *round, c *client) {
	for {
		a := c.exchange(k.key)
		if !r.took(a, 200) {
			return
		}
		var tok api.TokenResponse
		_ = json.Unmarshal(a.body, &tok)
		a = k.d.as(tok.AccessToken).do("DELETE", "/v1/auth/token", nil)
		if a.err == nil && a.status == 200 {
			r.revoked = append(r.revoked, tok.AccessToken)
		}
		if !r.took(a, 200) {
			return
		}
	}
}
