package share_test

import (
	"net/netip"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/share"
	"github.com/oneclaw/oneclawd/vault/site"
)

// rules replaces an organisation's IP rules.
func (w *world) rules(org id.ID, rules ...site.Rule) {
	w.Helper()
	w.Commit(func(tx *store.Tx) error { return tx.PutIPRules(org, rules) })
}

func rule(t site.RuleType, network string, to site.Audience) site.Rule {
	return site.Rule{ID: id.New(), Type: t, Network: netip.MustParsePrefix(network), AppliesTo: to}
}

// The rules of the organisation whose secret it is hold for whoever reads it.
func TestG2_IPRulesHoldForReadersOfShares(t *testing.T) {
	const here, there = "192.0.2.0/24", "198.51.100.0/24" // everybody is at 192.0.2.7
	allow := func(n string, to site.Audience) site.Rule { return rule(site.Allow, n, to) }
	deny := func(n string, to site.Audience) site.Rule { return rule(site.Deny, n, to) }
	w := newWorld(t)
	link := w.made(nil)
	mailed := w.made(func(o *share.Offer) { o.Type, o.Email = share.ToEmail, "foreign@example.com" })
	w.OK(w.Accept(w.Ctx, w.foreign, mailed.ID))
	bot := w.agent(nil)
	agents := w.accepted(bot)
	for _, c := range []struct {
		name                   string
		rules                  []site.Rule
		nobody, foreign, agent bool // may read
	}{
		{"none", nil, true, true, true},
		{"allowed here", []site.Rule{allow(here, site.All)}, true, true, true},
		{"allowed elsewhere", []site.Rule{allow(there, site.All)}, false, false, false},
		{"denied here", []site.Rule{deny(here, site.All)}, false, false, false},
		{"users elsewhere", []site.Rule{allow(there, site.Users)}, false, false, true},
		{"no agents here", []site.Rule{deny(here, site.Agents)}, false, true, false},
		{"users here, agents elsewhere", []site.Rule{allow(here, site.Users), allow(there, site.Agents)}, true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := w.TB
			w.TB = t
			defer func() { w.TB = whole }()
			w.rules(w.org, c.rules...)
			for _, r := range []struct {
				p  identity.Principal
				s  share.Share
				ok bool
			}{{nobody, link, c.nobody}, {w.foreign, link, c.foreign}, {w.foreign, mailed, c.foreign}, {bot, agents, c.agent}} {
				if r.ok {
					w.opens(r.p, r.s)
					continue
				}
				w.Logs("share.access refused share_ip_denied", func() { w.refuses(r.p, r.s, share.ErrNetwork) })
			}
		})
	}
	w.rules(w.org)
	w.rules(w.foreign.Org, deny(here, site.All))
	w.opens(nobody, link) // the reader's own organisation's are asked at the door
}

// No passphrase is compared for an address that is refused anyway.
func TestG2_NoGuessesFromAddressesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	s := w.made(locked)
	w.rules(w.org, rule(site.Deny, "192.0.2.0/24", site.All))
	_, err := w.open(nobody, s, "guess")
	w.Is(err, share.ErrNetwork)
	if n := w.hashes.Load(); n != 0 {
		t.Errorf("%d passphrases were compared", n)
	}
	if now, _ := w.record(s); now.Guesses != 0 {
		t.Error("a guess counted")
	}
}
