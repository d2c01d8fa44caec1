package httpapi

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// callers are all kinds of callers, by their names in docs/roles.md.
var callers = []string{
	"nobody", "revoked", "expired", "stopped", "foreign", "platform",
	"creator", "owner", "admin", "member",
	"agent", "reader", "writer", "bound", "intents",
}

// callerGroups are the names of several at once.
var callerGroups = map[string][]string{
	"no token": {"nobody", "revoked", "expired", "stopped"},
	"agents":   {"agent", "reader", "writer", "bound", "intents"},
	"everyone": callers,
}

// colleagues are of the organisation that things belong to.
var colleagues = callers[slices.Index(callers, "creator"):]

// someCallers try what costs much.
var someCallers = []string{"nobody", "revoked", "foreign", "platform", "owner", "agent"}

// somebody is a caller.
type somebody struct {
	id, email string
	org       id.ID
	role      identity.Role // of people
}

// cast is one caller of each kind, around an organisation of their own.
type cast struct {
	*live
	org  id.ID
	hash string // of ownerPassword
	is   map[string]somebody
	n    int
}

// rolesOf are the people of a cast.
var rolesOf = map[string]identity.Role{
	"revoked": identity.RoleOwner, "expired": identity.RoleOwner, "foreign": identity.RoleOwner, "platform": identity.RoleOwner,
	"creator": identity.RoleMember, "owner": identity.RoleOwner, "admin": identity.RoleAdmin, "member": identity.RoleMember,
}

// newCast makes one, with tokens by the callers' names.
func newCast(l *live) *cast {
	l.Helper()
	c := &cast{live: l, org: id.New(), is: map[string]somebody{}}
	l.clock.advance(time.Hour) // away from what an earlier cast used up
	var err error
	c.hash, err = l.people.HashPassword(l.Context(), ownerPassword)
	l.ok(err)
	c.person("expired", c.org, identity.RoleOwner)
	l.clock.advance(time.Hour)
	c.person("founder", c.org, identity.RoleOwner) // so that no other owner is the last one
	for _, as := range callers {
		if as != "expired" && as != "stopped" {
			c.replace(as)
		}
	}
	c.replace("stopped") // by creator, like all agents
	c.does("revoked", remove, "/v1/auth/token", "")
	c.does("creator", remove, "/v1/agents/"+c.is["stopped"].id, "")
	for _, as := range []string{"foreign", "platform"} { // as in any organisation
		c.does(as, post, "/v1/agents", `{"name":"theirs"}`)
	}
	return c
}

// replace makes somebody of a kind, who is that caller from now on.
func (c *cast) replace(as string) {
	c.Helper()
	org := c.org
	switch as {
	case "nobody":
		return
	case "foreign":
		org = id.New()
	case "platform":
		org = c.live.org
	}
	if role, ok := rolesOf[as]; ok {
		c.person(as, org, role)
		return
	}
	more := `,"scopes":["**"]` // so that policies count that are made later
	switch as {
	case "bound":
		more += `,"vault_ids":["` + c.does("founder", post, "/v1/vaults", `{"name":"elsewhere"}`).text("id") + `"]`
	case "intents":
		more += `,"intents_api_enabled":true`
	}
	a := c.does("creator", post, "/v1/agents", `{"name":"`+as+`"`+more+`}`)
	c.is[as] = somebody{id: a.text("agent.id"), org: c.org}
	c.renew(as, made{key: a.text("api_key")})
}

// person puts somebody into an organisation, with a password and a token.
func (c *cast) person(as string, org id.ID, role identity.Role) somebody {
	c.Helper()
	c.n++
	now := c.clock.Now().UTC()
	u := identity.User{
		ID: id.New(), Org: org, Email: fmt.Sprintf("%s-%d-%s@example.org", as, c.n, org), Role: role,
		AuthMethod: "password", PasswordHash: c.hash, EmailVerified: true, CreatedAt: now,
	}
	c.ok(store.Runner[identity.Tx](c.db).Update(c.Context(), func(tx identity.Tx) error {
		if _, ok, err := tx.Org(org); err != nil {
			return err
		} else if !ok {
			if err := tx.PutOrg(identity.Org{ID: org, CreatedAt: now}); err != nil {
				return err
			}
		}
		if err := tx.PutUserEmail(u.Email, identity.UserRef{Org: org, User: u.ID}); err != nil {
			return err
		}
		return tx.PutUser(u)
	}))
	token, err := c.people.IssueUser(c.Context(), u, identity.UserTokenTTL)
	c.ok(err)
	who := somebody{id: u.ID.String(), email: u.Email, org: org, role: role}
	c.is[as], c.tokens[as] = who, token.JWT
	return who
}

// askers are who tries something. Nobody bears no token at all.
func (c *cast) askers(tr trial) []string {
	if tr.costly {
		return someCallers
	}
	return slices.DeleteFunc(slices.Clone(callers), func(as string) bool { return c.is[as].id == "" && as != "nobody" })
}

// isAgent reports whether a caller is one.
func isAgent(as string) bool { return slices.Contains(callerGroups["agents"], as) }

// hasToken reports whether a caller's token is good.
func hasToken(as string) bool { return !slices.Contains(callerGroups["no token"], as) }

// isPerson reports whether a caller is one with a good token.
func isPerson(as string) bool { return hasToken(as) && !isAgent(as) }

// does sends a request that is to succeed, and returns its answer.
func (c *cast) does(as, method, url, body string) answered {
	c.Helper()
	return c.good(step{method: method, url: url, as: as, body: body})
}

func (c *cast) good(s step) answered {
	c.Helper()
	a := c.send(s)
	if a.Code >= 300 {
		c.Fatalf("making what is tried: %s %s %s: %d %s", s.as, s.method, s.url, a.Code, a.Body)
	}
	return a
}

func readDoc(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
