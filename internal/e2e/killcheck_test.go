package e2e

import (
	"fmt"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// after checks what a restart must show of the round before the kill.
func (k *killTest) after(r *round) {
	k.t.Helper()
	if what, wrong := r.acked["unexpected"]; wrong {
		k.t.Errorf("while all was well: %s", what)
	}
	k.checkRegisters(r)
	k.checkCounted(r)
	k.checkChain(r)
	k.checkPolicies(r)
	k.revoked = append(k.revoked, r.revoked...)
	k.checkRevoked(r.revoked)
	k.checkEvents(r)
}

// checkRegisters reads each secret of the round once more and asks whether all
// that was ever answered fits together.
func (k *killTest) checkRegisters(r *round) {
	k.t.Helper()
	h := k.d.human()
	for i := range 3 {
		path := fmt.Sprintf("register/r%d/%d", r.n, i)
		if a := r.history.record(99, h, k.vault, call{path: path, kind: "get"}); a.err != nil {
			k.t.Fatal(a)
		}
		// The write after the restart tells whether numbering goes on.
		r.history.record(99, h, k.vault, call{path: path, kind: "put", value: "after"}).is(k.t, 201)
	}
	r.history.check(k.t)
}

// checkCounted uses up the counted secret. A read in flight may have been
// counted without being answered; none may be answered without being counted.
func (k *killTest) checkCounted(r *round) {
	k.t.Helper()
	path := fmt.Sprintf(countedPath, r.n)
	c := k.d.as(k.control)
	rest := int64(0)
	for {
		a := c.get(k.vault, path)
		if a.status == 410 {
			break
		}
		a.is(k.t, 200)
		if rest++; rest > countedReads {
			break
		}
	}
	before, lost := r.reads.Load(), r.readsLost.Load()
	if sum := before + rest; sum > countedReads || sum+lost < countedReads {
		k.t.Errorf("a secret with %d reads gave %d before the kill and %d after, with %d in flight", countedReads, before, rest, lost)
	}
}

// checkChain holds every version of the round against what was tried: all
// acknowledged ones are there, at most one more, and none is out of order.
func (k *killTest) checkChain(r *round) {
	k.t.Helper()
	h := k.d.human()
	list := into[api.SecretVersionListResponse](k.t, h.do("GET", "/v1/vaults/"+k.vault+"/secret-versions/"+chainPath, nil).is(k.t, 200)).Versions
	seen := map[int]bool{}
	for _, v := range list {
		seen[v.Version] = true
	}
	before := len(k.chain)
	for i := range len(list) {
		if !seen[i+1] {
			k.t.Fatalf("of %d versions, number %d is missing", len(list), i+1)
		}
	}
	if n := len(list) - before; n < r.chained || n > len(r.chain) {
		k.t.Fatalf("%d writes were acknowledged and %d tried, %d are there", r.chained, len(r.chain), n)
	}
	for i := before; i < len(list); i++ {
		k.chain = append(k.chain, r.chain[i-before].value)
	}
	check := []int{k.rng.IntN(len(k.chain))} // and one of long ago
	for i := before - 1; i < len(k.chain); i++ {
		check = append(check, i)
	}
	for _, i := range check {
		a := h.do("GET", fmt.Sprintf("/v1/vaults/%s/secret-version/%s/%d", k.vault, chainPath, i+1), nil).is(k.t, 200)
		if got := into[api.SecretResponse](k.t, a).Value; got != k.chain[i] {
			k.t.Errorf("version %d is %q, written as %q", i+1, got, k.chain[i])
		}
	}
}

// checkPolicies: acknowledged grants are in force, acknowledged withdrawals are
// too, and nothing is there that nobody asked for.
func (k *killTest) checkPolicies(r *round) {
	k.t.Helper()
	for _, id := range r.granted {
		k.policies[id] = true
	}
	for _, id := range r.dropped {
		delete(k.policies, id)
	}
	h := k.d.human()
	unknown := 0
	there := map[string]bool{}
	for _, p := range into[api.PolicyListResponse](k.t, h.do("GET", "/v1/vaults/"+k.vault+"/policies", nil).is(k.t, 200)).Policies {
		there[p.ID] = true
		if k.policies[p.ID] {
			continue
		}
		if !strings.HasPrefix(p.SecretPathPattern, fmt.Sprintf("granted/r%d/", r.n)) || p.PrincipalID != k.agent {
			k.t.Errorf("a policy that should not be there: %+v", p)
		}
		unknown++
		k.policies[p.ID] = true
	}
	if unknown > r.grantsLost {
		k.t.Errorf("%d policies more than acknowledged, %d were in flight", unknown, r.grantsLost)
	}
	for id := range k.policies {
		switch {
		case there[id]:
		case id == r.dropLost:
			delete(k.policies, id)
		default:
			k.t.Errorf("policy %s was acknowledged and is gone", id)
		}
	}
	if len(there) > 40 { // keep the list short
		for id := range there {
			if id != k.countedPolicy {
				h.do("DELETE", "/v1/vaults/"+k.vault+"/policies/"+id, nil).is(k.t, 204)
				delete(k.policies, id)
			}
		}
	}
}

// checkRevoked replays tokens that were given up, and one that was not.
func (k *killTest) checkRevoked(tokens []string) {
	k.t.Helper()
	for _, token := range tokens {
		k.d.as(token).do("GET", "/v1/agents/me", nil).is(k.t, 401)
	}
	k.d.as(k.control).do("GET", "/v1/agents/me", nil).is(k.t, 200)
}

// checkEvents: the log holds, and has an event for each acknowledged call.
func (k *killTest) checkEvents(r *round) {
	k.t.Helper()
	h := k.d.human()
	there := map[string]bool{}
	for offset := 0; ; offset += 1000 {
		page := h.events(k.t, fmt.Sprintf("%s&limit=1000&offset=%d", sinceQuery(r.began), offset))
		for _, e := range page {
			there[e.ID] = true
		}
		if len(page) < 1000 {
			break
		}
	}
	for event, asked := range r.acked {
		if !there[event] {
			k.t.Errorf("%s was acknowledged with event %s, which is not in the log", asked, event)
		}
	}
	h.verifyAudit(k.t)
}
