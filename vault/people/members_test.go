package people_test

import (
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/site"
)

const (
	owner  = identity.RoleOwner
	admin  = identity.RoleAdmin
	member = identity.RoleMember
)

// TestG1Roles is who may do what to whom.
func TestG1Roles(t *testing.T) {
	for _, c := range []struct {
		who, target, role identity.Role // role is to be given
		invite, change    error
		remove            error
	}{
		{owner, owner, member, nil, nil, nil},
		{owner, admin, owner, nil, nil, nil},
		{owner, member, admin, nil, nil, nil},
		{admin, owner, member, nil, identity.ErrDenied, identity.ErrDenied},
		{admin, admin, member, nil, nil, nil},
		{admin, member, admin, nil, nil, nil},
		{admin, member, owner, identity.ErrDenied, identity.ErrDenied, nil},
		{member, owner, member, identity.ErrDenied, identity.ErrDenied, identity.ErrDenied},
		{member, admin, member, identity.ErrDenied, identity.ErrDenied, identity.ErrDenied},
		{member, member, member, identity.ErrDenied, identity.ErrDenied, identity.ErrDenied},
	} {
		t.Run(string(c.who+" "+c.target+" "+c.role), func(t *testing.T) {
			w := newWorld(t, site.SignupOpen)
			boss := w.account("boss@example.com")
			who := boss
			if c.who != owner {
				who = w.member(boss, "who@example.com", c.who)
			}
			target := w.member(boss, "target@example.com", c.target)
			_, err := w.Invite(w.Context(), who, "new@example.com", c.role)
			w.Is(err, c.invite)
			_, err = w.ChangeRole(w.Context(), who, target.ID, c.role)
			w.Is(err, c.change)
			if c.change == nil {
				_, err = w.ChangeRole(w.Context(), boss, target.ID, c.target)
				w.OK(err)
			}
			w.Is(w.Remove(w.Context(), who, target.ID), c.remove)
			_, err = w.Invitations(w.Context(), who)
			w.Is(err, map[bool]error{true: identity.ErrDenied}[c.who == member])
			list, err := w.Members(w.Context(), who)
			w.OK(err)
			if len(list) < 2-1 {
				t.Error(list)
			}
		})
	}
}

func TestG1TheLastOwnerStays(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss := w.account("boss@example.com")
	_, err := w.ChangeRole(w.Context(), boss, boss.ID, member)
	w.Is(err, people.ErrLastOwner)
	w.Is(w.Remove(w.Context(), boss, boss.ID), people.ErrLastOwner)
	two := w.member(boss, "two@example.com", owner)
	// Each takes the other's role at once: one of them stays an owner.
	n := 0
	for range 4 {
		done := make(chan error, 2)
		go func() { _, err := w.ChangeRole(w.Context(), boss, two.ID, member); done <- err }()
		go func() { _, err := w.ChangeRole(w.Context(), two, boss.ID, member); done <- err }()
		<-done
		<-done
		n = 0
		list, err := w.Members(w.Context(), boss)
		w.OK(err)
		var left identity.User
		for _, u := range list {
			if u.Role == owner {
				n, left = n+1, u
			}
		}
		if n != 1 {
			t.Fatalf("%d owners", n)
		}
		by := identity.Principal{Kind: identity.KindUser, ID: left.ID, Org: boss.Org, Role: owner}
		for _, u := range list {
			_, err := w.ChangeRole(w.Context(), by, u.ID, owner)
			w.OK(err)
		}
	}
}

func TestG1RemovedMembersAreGoneAtOnce(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss := w.account("boss@example.com")
	w.member(boss, "ann@example.com", member)
	l, err := w.login("ann@example.com", first)
	w.OK(err)
	ann := w.auth(l.JWT)
	_, key, err := w.ident.CreateAPIKey(w.Context(), ann, identity.NewAPIKeySpec{Name: "k"})
	w.OK(err)
	w.Logs("member.remove success", func() { w.OK(w.Remove(w.Context(), boss, ann.ID)) })
	w.dead(l.JWT)
	w.dead(key)
	_, err = w.login("ann@example.com", first)
	w.Is(err, identity.ErrCredentials)
	w.Is(w.Remove(w.Context(), boss, ann.ID), people.ErrNoMember)
	stranger := w.account("stranger@example.com")
	w.Is(w.Remove(w.Context(), stranger, boss.ID), people.ErrNoMember)
}

func TestG1Invitations(t *testing.T) {
	w := newWorld(t, site.SignupInvite)
	boss, _, err := w.ident.CreateOwner(w.Context(), "boss@example.com", first, "Acme")
	w.OK(err)
	p := identity.Principal{Kind: identity.KindUser, ID: boss.ID, Org: boss.Org, Role: owner}
	invite := func(email string) string {
		_, err := w.Invite(w.Context(), p, email, "")
		w.OK(err)
		return w.mailed(email)
	}
	accept := func(token string) error {
		_, err := w.Accept(w.Context(), identity.Principal{}, token, first, "", peer)
		return err
	}
	token := invite("ann@example.com")
	if n := atOnce(8, func() error { return accept(token) }); n != 1 {
		t.Errorf("one invitation made %d accounts", n)
	}
	w.Is(accept(token), people.ErrTicket)
	_, err = w.Invite(w.Context(), p, "ANN@example.com", "")
	w.Is(err, people.ErrAlreadyMember)
	_, err = w.Invite(w.Context(), p, "x@example.com", "king")
	w.Is(err, people.ErrRole)

	old := invite("bob@example.com")
	token = invite("bob@example.com")
	w.Is(accept(old), people.ErrTicket) // the newer one counts
	list, err := w.Invitations(w.Context(), p)
	w.OK(err)
	if len(list) != 1 || list[0].Role != member {
		t.Errorf("%+v", list)
	}
	w.OK(w.Uninvite(w.Context(), p, list[0].ID))
	w.Is(w.Uninvite(w.Context(), p, list[0].ID), people.ErrNoInvitation)
	w.Is(accept(token), people.ErrTicket)

	token = invite("late@example.com")
	w.Clock.Add(7 * 24 * time.Hour)
	w.Is(accept(token), people.ErrTicket)
	w.OK(w.Tidy(w.Context()))

	ann := w.auth(func() string { l, err := w.login("ann@example.com", first); w.OK(err); return l.JWT }())
	_, err = w.ChangeRole(w.Context(), p, ann.ID, admin)
	w.OK(err)
	_, err = w.Invite(w.Context(), ann, "eve@example.com", admin)
	w.OK(err)
	token = w.mailed("eve@example.com")
	w.OK(w.Remove(w.Context(), p, ann.ID))
	w.Is(accept(token), people.ErrTicket) // who invited is gone
}

func TestG1OneAccountOneOrganisation(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss, ann := w.account("boss@example.com"), w.account("ann@example.com")
	_, err := w.Invite(w.Context(), boss, "ann@example.com", "")
	w.OK(err) // whether ann has an account is not told
	token := w.mailed("ann@example.com")
	for _, p := range []identity.Principal{{}, ann} {
		_, err = w.Accept(w.Context(), p, token, first, "", peer)
		w.Is(err, people.ErrOtherOrg)
	}
	_, err = w.Accept(w.Context(), boss, token, first, "", peer)
	w.Is(err, people.ErrOtherOrg)
	w.OK(w.DeleteMe(w.Context(), ann, "DELETE"))
	_, err = w.Accept(w.Context(), identity.Principal{}, token, first, "", peer)
	w.OK(err) // the refusals did not use it up
}

func TestClosed(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss := w.account("boss@example.com")
	_, err := w.Invite(w.Context(), boss, "ann@example.com", "")
	w.OK(err)
	w.serve(site.SignupClosed)
	_, err = w.Invite(w.Context(), boss, "bob@example.com", "")
	w.Is(err, people.ErrClosed)
	_, err = w.Accept(w.Context(), identity.Principal{}, w.mailed("ann@example.com"), first, "", peer)
	w.Is(err, people.ErrClosed)
}

func TestG5Admin(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss := w.account("boss@example.com") // of the platform
	helper := w.member(boss, "helper@example.com", admin)
	plain := w.member(boss, "plain@example.com", member)
	ann := w.account("ann@example.com")
	for _, p := range []identity.Principal{plain, ann} {
		w.Logs("user.read refused access_denied", func() {
			_, err := w.Accounts(w.Context(), p)
			w.Is(err, identity.ErrDenied)
		})
		w.Is(w.DeleteAccount(w.Context(), p, boss.ID), identity.ErrDenied)
	}
	all, err := w.Accounts(w.Context(), helper)
	w.OK(err)
	if len(all) != 4 || all[3].OrgName != "ann" {
		t.Errorf("%+v", all)
	}
	w.Is(w.DeleteAccount(w.Context(), boss, boss.ID), people.ErrSelf)
	w.Is(w.DeleteAccount(w.Context(), helper, boss.ID), identity.ErrDenied)
	w.Is(w.DeleteAccount(w.Context(), boss, id.New()), people.ErrNoMember)
	w.Logs("user.delete success", func() { w.OK(w.DeleteAccount(w.Context(), helper, ann.ID)) })
	_, err = w.Me(w.Context(), ann)
	w.Is(err, identity.ErrToken)
}

func TestAgentsAreRefused(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss := w.account("boss@example.com")
	bot := identity.Principal{Kind: identity.KindAgent, ID: id.New(), Org: boss.Org}
	_, me := w.Me(w.Context(), bot)
	_, list := w.Members(w.Context(), bot)
	_, setup := w.SetUpMFA(w.Context(), bot)
	_, all := w.Accounts(w.Context(), bot)
	_, keys := w.AgentKeysVault(w.Context(), bot)
	for _, err := range []error{
		me, list, setup, all, keys, w.DeleteMe(w.Context(), bot, "DELETE"), w.ChangePassword(w.Context(), bot, first, second),
		w.ApproveDevice(w.Context(), bot, "BCDF-GHJK"), w.Remove(w.Context(), bot, boss.ID), w.DeleteAccount(w.Context(), bot, boss.ID),
		w.DisableMFA(w.Context(), bot, "", first), w.Uninvite(w.Context(), bot, id.New()),
	} {
		w.Is(err, identity.ErrUsersOnly)
	}
	_, err := w.AgentKeysVault(w.Context(), boss)
	w.Is(err, people.ErrNoAgentKeys)
}

// What somebody offered who is gone is nobody's to accept.
func TestG5_InvitationsOfWhoIsGone(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss := w.account("boss@example.com")
	admin := w.member(boss, "admin@example.com", identity.RoleAdmin)
	_, err := w.Invite(w.Context(), admin, "new@example.com", "")
	w.OK(err)
	token := w.mailed("new@example.com")
	_, err = w.Invite(w.Context(), boss, "kept@example.com", "")
	w.OK(err)
	w.OK(w.DeleteMe(w.Context(), admin, "DELETE"))
	_, err = w.Accept(w.Context(), identity.Principal{}, token, first, "", peer)
	w.Is(err, people.ErrTicket)
	left, err := w.Invitations(w.Context(), boss)
	w.OK(err)
	if len(left) != 1 || left[0].Email != "kept@example.com" {
		t.Errorf("%+v", left)
	}
}
