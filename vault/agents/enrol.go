package agents

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

// ErrEnrolledLately asks whoever names the same person again to wait.
var ErrEnrolledLately = fault.New(fault.RateLimited, "enrolled_lately", "An agent was enrolled for this person a moment ago; wait before the next one")

// Why nothing came of an enrolment, for the log: the answer does not tell.
var (
	errNobody  = fault.New(fault.Invalid, "no_such_human", "nobody here has this address")
	errNotTold = fault.New(fault.Invalid, "mail_not_accepted", "the mail with the key cannot be sent")
)

// enrolEvery is how long one person is left alone after an enrolment.
const enrolEvery = 10 * time.Minute

// defaultPace is well over what an enrolment takes with a slow HSM.
const defaultPace = 250 * time.Millisecond

// EnrolTx is what enrolment reads and writes.
type EnrolTx interface {
	vault.Tx
	outbox.Tx
}

// Enroller lets agents register themselves. Anybody may ask, naming the person
// the agent works for; that person gets the agent's key by mail, and the agent
// may do nothing until they give it a policy.
//
// Whoever asks does not learn whether the person has an account: the answer is
// the same, the work and the number of events are alike, and it takes a multiple
// of Pace. All methods may be called at once.
type Enroller struct {
	Agents *Service
	DB     txn.Runner[EnrolTx]
	Mails  letter.Writer
	Pace   time.Duration // a quarter of a second if 0

	mu     sync.Mutex
	lately map[string]time.Time // by address
}

// Enrolment is what an agent says of itself.
type Enrolment struct {
	Name, HumanEmail, Description string
}

// newcomer is an agent that enrols itself, with all that is made for it.
type newcomer struct {
	agent  identity.Agent
	keys   identityKeys
	key    string
	folded string
	human  identity.User // zero if nobody has the address
	event  audit.Event
}

// Enrol registers an agent for whoever has the address it names, and returns its
// id; if nobody has, the id of nothing.
func (e *Enroller) Enrol(ctx context.Context, n Enrolment, peer identity.Peer) (id.ID, error) {
	begun := time.Now()
	now := e.Agents.now()
	c, err := e.newcomer(n, peer, now)
	if err != nil {
		return id.ID{}, err
	}
	defer c.keys.wipe()
	if wait := e.take(c.folded, now); wait > 0 {
		return id.ID{}, e.refuse(ctx, c.event, ErrEnrolledLately.After(wait))
	}
	if err := e.enrol(ctx, &c, peer); err != nil {
		return id.ID{}, err
	}
	return c.agent.ID, e.keepPace(ctx, begun)
}

func (e *Enroller) newcomer(n Enrolment, peer identity.Peer, now time.Time) (c newcomer, err error) {
	c.agent = identity.Agent{ID: id.New(), Active: true, CreatedAt: now}
	if err := (Spec{Name: n.Name, Description: n.Description}).apply(&c.agent, now); err != nil {
		return c, err
	}
	email := strings.TrimSpace(n.HumanEmail)
	if c.folded, err = identity.FoldEmail(email); err != nil {
		return c, err
	}
	if err := outbox.CheckAddress(email); err != nil {
		return c, err
	}
	c.event = peer.Event(audit.AgentEnroll, "agent", c.agent.ID.String())
	c.event.Time, c.event.Details = now, audit.Details{"name": outbox.Line(n.Name)}
	c.keys = newIdentityKeys(c.agent.ID)
	c.agent.SSHPublicKey, c.agent.ECDHPublicKey = c.keys.ssh, c.keys.ecdh
	c.key = identity.NewKey(identity.AgentKeyPrefix)
	c.agent.KeyHash = e.Agents.Identity.HashKey(c.key)
	return c, nil
}

// enrol does the work. For nobody it is done for an organisation that there is
// not, and thrown away: an HSM that does not answer must not tell either.
func (e *Enroller) enrol(ctx context.Context, c *newcomer, peer identity.Peer) error {
	for range keyTries {
		if err := e.findHuman(ctx, c); err != nil {
			return err
		}
		org := c.human.Org
		if org.IsZero() {
			org = id.New()
		}
		p := identity.Principal{Kind: identity.KindUser, ID: c.human.ID, Org: org, Role: c.human.Role, IP: peer.IP, RequestID: peer.Request}
		deposit, err := e.Agents.Vaults.SealAgentKeys(ctx, p, c.agent.ID, map[vault.SecretPath]plain.Bytes{
			c.keys.sshPath: c.keys.sshPrivate, c.keys.ecdhPath: c.keys.ecdhPrivate,
		})
		if err != nil {
			return err
		}
		if c.human.ID.IsZero() {
			return quietly(e.refuse(ctx, c.event, errNobody), errNobody)
		}
		err = e.store(ctx, c, p, deposit)
		switch {
		case errors.Is(err, errStale):
			continue
		case errors.Is(err, outbox.ErrFull), errors.Is(err, outbox.ErrAddress):
			return quietly(e.refuse(ctx, c.event, errNotTold), errNotTold)
		}
		return err
	}
	return quietly(e.refuse(ctx, c.event, ErrContended), ErrContended)
}

// findHuman looks up whose agent it is to be.
func (e *Enroller) findHuman(ctx context.Context, c *newcomer) error {
	c.human = identity.User{}
	return e.DB.View(ctx, func(tx EnrolTx) error {
		ref, ok, err := tx.UserByEmail(c.folded)
		if err != nil || !ok {
			return err
		}
		c.human, _, err = tx.User(ref.Org, ref.User)
		c.agent.Org, c.agent.CreatedBy, c.event.Org = c.human.Org, c.human.ID, c.human.Org
		return err
	})
}

// store makes the agent and its mail in one transaction.
func (e *Enroller) store(ctx context.Context, c *newcomer, p identity.Principal, deposit vault.KeyDeposit) error {
	return e.DB.Update(ctx, func(tx EnrolTx) error {
		if _, ok, err := tx.User(c.human.Org, c.human.ID); err != nil || !ok {
			return orStale(err) // they left meanwhile
		}
		if err := tx.PutCredential(c.agent.KeyHash, identity.Credential{Kind: identity.KindAgent, Org: p.Org, ID: c.agent.ID}); err != nil {
			return err
		}
		if err := tx.PutAgent(c.agent); err != nil {
			return err
		}
		if stored, err := deposit.Place(ctx, tx, p); err != nil || !stored {
			return orStale(err)
		}
		mail := e.Mails.Enrol(letter.To{Address: c.human.Email, Org: p.Org, User: c.human.ID, At: c.event.Time}, c.agent.Name, c.agent.ID, c.key)
		if err := outbox.Enqueue(tx, mail); err != nil {
			return err
		}
		return audit.Write(ctx, tx, c.event)
	})
}

func orStale(err error) error {
	if err == nil {
		err = errStale
	}
	return err
}

// quietly drops the refusal that the log has now; another error stays.
func quietly(err, refusal error) error {
	if errors.Is(err, refusal) {
		return nil
	}
	return err
}

func (e *Enroller) refuse(ctx context.Context, ev audit.Event, why *fault.Error) error {
	return e.Agents.refused(ctx, ev, why)
}

// keepPace waits until a multiple of the pace has passed since begun.
func (e *Enroller) keepPace(ctx context.Context, begun time.Time) error {
	pace := e.Pace
	if pace == 0 {
		pace = defaultPace
	}
	timer := time.NewTimer(pace - time.Since(begun)%pace)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxLately bounds how many addresses are remembered; beyond, a random one is
// forgotten.
const maxLately = 1 << 14

// take says how long an address is to be left alone, or leaves it alone from now.
func (e *Enroller) take(folded string, now time.Time) (wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if last, known := e.lately[folded]; known && now.Sub(last) < enrolEvery {
		return last.Add(enrolEvery).Sub(now)
	}
	if e.lately == nil {
		e.lately = map[string]time.Time{}
	}
	if len(e.lately) >= maxLately {
		e.makeRoom(now)
	}
	e.lately[folded] = now
	return 0
}

// makeRoom looks at a few, in the map's random order.
func (e *Enroller) makeRoom(now time.Time) {
	seen, gone, last := 0, 0, ""
	for folded, at := range e.lately {
		if last = folded; now.Sub(at) >= enrolEvery {
			delete(e.lately, folded)
			gone++
		}
		if seen++; seen == 32 {
			break
		}
	}
	if gone == 0 {
		delete(e.lately, last)
	}
}
