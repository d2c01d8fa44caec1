package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/appliance/auditstream"
	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/local"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/shroud/manifest"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/shroud/pricelist"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/outbox/viewer"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/share"
	"github.com/oneclaw/oneclawd/vault/site"
	"github.com/oneclaw/oneclawd/vault/use"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// core is the appliance without its listeners and background work: the parts
// that hold state and the services on top of them.
type core struct {
	cfg Config
	log *slog.Logger
	// acceptRollback starts with a store that is older than the HSM remembers.
	acceptRollback bool

	db       *store.DB
	version  string       // of oneclawd
	attested *attestation // nil with attest.mode none
	module   hsm.Module   // what gate lets through to; closed with the gate
	gate     hsm.Gate
	ring     *hsm.Ring // the gate, and the modules of hsm.modules
	escrowed []string  // of these, those whose keys go into backups with a recovery key
	recovery backup.RecoveryKey
	meta     store.Meta

	archive     *events.Archive
	audit       *audit.Log
	checkpoints *audit.Checkpointer
	drainer     *audit.Drainer
	identity    *identity.Service
	people      *people.Service
	vaults      *vault.Service
	agents      *agents.Service
	enrol       *agents.Enroller
	shares      *share.Service
	site        *site.Service
	messages    *viewer.Service
	poster      *poster
	webhooks    *webhook.Service
	intents     *intents.Service
	llm         *meter.Meter
	prices      *pricelist.Service
	manifests   *manifest.Keeper
	uses        *use.Service
	calls       *activity.Log
	streams     []*auditstream.Streamer
}

// openCore opens everything in the one order that is safe: lock the data,
// find out whether and how the keys may be opened, reach them, open the gate, unseal the store, and compare it with what
// the HSM remembers before any of it is believed. prepare runs while the
// store is still sealed.
func openCore(ctx context.Context, cfg Config, log *slog.Logger, o opening) (_ *core, err error) {
	c := &core{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			err = explainDamage(andThen(err, c.close()))
		}
	}()
	if err := makeDataDir(cfg.Data); err != nil {
		return nil, err
	}
	c.db, err = store.Open(store.Config{
		Path: filepath.Join(cfg.Data, "state.db"), CacheBytes: cfg.Store.CacheMB << 20,
		Ballast: filepath.Join(cfg.Data, "ballast"), BallastBytes: int64(cfg.Store.BallastMB) << 20, Observe: o.commits,
	})
	if err != nil {
		return nil, cfg.explainNewer(err)
	}
	if err := lost(c.db, cfg.Data); err != nil {
		return nil, err
	}
	secret, err := o.unlock(ctx, c)
	if err != nil {
		return nil, err
	}
	defer secret.Wipe()
	if c.module, err = openModule(ctx, cfg, secret, c.db.Lock(), log); err != nil {
		return nil, err
	}
	if o.observe != nil {
		c.module = o.observe(c.module)
	}
	c.gate.Open(c.module)
	if o.prepare != nil {
		if err := o.prepare(ctx, c); err != nil {
			return nil, err
		}
	}
	if c.meta, err = unseal(ctx, c.db, &c.gate); err != nil {
		return nil, err
	}
	return c, c.openUnsealed(ctx, o)
}

// openUnsealed opens what there is once the store key is here. Data of an older
// schema is upgraded before anything else reads it.
func (c *core) openUnsealed(ctx context.Context, o opening) error {
	if err := c.openAudit(); err != nil {
		return err
	}
	if err := c.openGuests(ctx, o.observe); err != nil {
		return err
	}
	record, err := c.upgrade(ctx, o.upgrading)
	if err != nil {
		return err
	}
	if err := c.checkAnchor(ctx); err != nil {
		return err
	}
	if err := record(ctx); err != nil {
		return err
	}
	return c.openServices()
}

// opening is how a core is opened.
type opening struct {
	// unlock says with what PIN or passphrase, once it may be used here. The core
	// has its data, locked, and nothing else; the PIN is wiped after use.
	unlock func(context.Context, *core) (plain.Bytes, error)
	// observe puts something between the module and who uses it; may be nil.
	observe func(hsm.Module) hsm.Module
	// commits is store.Config.Observe; may be nil.
	commits func(callers []context.Context, bytes int, began time.Time, err error)
	// prepare runs with the gate open and the store sealed; may be nil.
	prepare func(context.Context, *core) error
	// upgrading is told what is done to data of an older schema; nil refuses it.
	upgrading func(what string)
}

// checkAnchor compares the store with what the HSM remembers of it, unless an
// operator says that a backup was put back on purpose.
func (c *core) checkAnchor(ctx context.Context) error {
	err := c.checkpoints.CheckAnchor(ctx)
	if !errors.Is(err, audit.ErrRolledBack) {
		return err
	}
	if !c.acceptRollback {
		return audit.ErrRolledBack.Detail("%s; if that was done on purpose, run `oneclawd serve --accept-rollback` once", fault.As(err).Msg)
	}
	c.log.Warn("accepting an older store than the HSM remembers, as told", "found", fault.As(err).Msg)
	e := c.event(audit.ApplianceAcceptRollback)
	e.Details = audit.Details{"found": fault.As(err).Msg}
	_, err = c.checkpoints.Accept(ctx, e)
	return err
}

func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder %s: %w; choose another with --data or make it writable", dir, err)
	}
	return nil
}

// openModule reaches for what keeps the keys, with a PIN or passphrase that
// the caller wipes.
func openModule(ctx context.Context, cfg Config, secret plain.Bytes, hold *os.File, log *slog.Logger) (hsm.Module, error) {
	if cfg.HSM.Module == "local" {
		return local.Open(local.Config{Dir: filepath.Join(cfg.Data, "keys"), Passphrase: secret})
	}
	return startBroker(ctx, cfg, secret, hold, log)
}

func (c *core) openAudit() error {
	key, err := signingKey(c.meta, store.BlobAuditKey)
	if err != nil {
		return err
	}
	archiveKey, err := c.db.DeriveKey(events.KeyPurpose)
	if err != nil {
		return err
	}
	c.archive, err = events.Open(events.Config{
		Dir: filepath.Join(c.cfg.Data, "events"), Key: archiveKey.Reveal(),
		Retention: time.Duration(c.cfg.Audit.Retention), Log: c.log,
	})
	if err != nil {
		return err
	}
	db := store.Runner[audit.Tx](c.db)
	c.checkpoints = &audit.Checkpointer{
		DB: db, Anchor: &c.gate, Instance: c.meta.Instance, Log: c.log,
		Events: uint64(c.cfg.Audit.CheckpointEvents), Interval: time.Duration(c.cfg.Audit.CheckpointInterval),
		Key: audit.Key{Public: key.Public, Sign: func(ctx context.Context, msg []byte) ([]byte, error) {
			return c.gate.Sign(ctx, key, msg)
		}},
	}
	c.audit = &audit.Log{DB: db, Archive: c.archive, Checkpoints: c.checkpoints, Expires: c.cfg.Audit.Retention > 0}
	c.drainer = &audit.Drainer{DB: db, Archive: c.archive, Log: c.log}
	return nil
}

func (c *core) openServices() (err error) {
	// Not before: the backup that precedes an upgrade is made of an older schema, of
	// which an escrow would have to read more than any migration promises.
	if c.recovery, err = c.cfg.recoveryKey(); err != nil {
		return err
	}
	key, err := signingKey(c.meta, store.BlobTokenKey)
	if err != nil {
		return err
	}
	pepper, err := c.db.DeriveKey("credential pepper")
	if err != nil {
		return err
	}
	letters := letter.Writer{Base: c.cfg.origin()}
	who := identity.Config{
		DB: store.Runner[identity.Tx](c.db), Signer: &c.gate, Key: key, Pepper: pepper.Reveal(),
		UserKeyTTL: time.Duration(c.cfg.Tokens.UserKeyTTL), Passwords: c.cfg.Passwords.cost(),
		KeyMade: people.Mails{Letters: letters}.KeyMade,
	}
	signup := site.SignupMode(c.cfg.Accounts.Signup)
	c.site = &site.Service{
		DB: store.Runner[site.Tx](c.db), Defaults: site.Settings{Signup: signup, AllowPrivateEgress: c.cfg.Egress.AllowPrivate},
	}
	if err := c.cfg.federation(&who, c.allowsPrivate); err != nil {
		return err
	}
	c.identity = identity.New(who)
	c.vaults = vault.New(store.Runner[vault.Tx](c.db), c.ring, nil)
	c.shares = share.New(share.Config{
		DB: store.Runner[share.Tx](c.db), Vaults: c.vaults, Hasher: c.identity, Notifier: share.Mails{Letters: letters},
	})
	c.people = people.New(people.Config{
		DB: store.Runner[people.Tx](c.db), Identity: c.identity, Signup: signup, PublicURL: c.cfg.origin(), Claim: share.ClaimHook,
		Removed: func(ctx context.Context, _, user id.ID) error { return c.shares.EndOf(ctx, user) },
	})
	c.agents = agents.New(store.Runner[vault.Tx](c.db), c.identity, c.vaults, nil)
	c.enrol = &agents.Enroller{Agents: c.agents, DB: store.Runner[agents.EnrolTx](c.db), Mails: letters}
	if err := c.openMessages(); err != nil {
		return err
	}
	c.openIntents()
	c.llm = meter.New(store.Runner[meter.Tx](c.db), nil)
	c.calls = activity.NewLog(c.archive, c.log)
	c.prices = &pricelist.Service{DB: store.Runner[pricelist.Tx](c.db)}
	if err := c.openUses(); err != nil {
		return err
	}
	return c.openStreams()
}

// event starts an event about the appliance itself.
func (c *core) event(action audit.Action) audit.Event {
	return audit.Event{
		Actor: audit.Actor{Type: "system"}, Action: action,
		Resource: audit.Resource{Type: "appliance", ID: c.meta.Instance.String()}, Time: time.Now().UTC(),
	}
}

// record appends an event about the appliance itself.
func (c *core) record(ctx context.Context, action audit.Action) error {
	return c.append(ctx, c.event(action))
}

// recordBy appends an event about what an operator did with the appliance.
func (c *core) recordBy(ctx context.Context, action audit.Action, who operator.Peer) error {
	e := c.event(action)
	e.Details = audit.Details{"uid": who.UID, "pid": who.PID}
	return c.append(ctx, e)
}

func (c *core) append(ctx context.Context, e audit.Event) error {
	return store.Runner[audit.Tx](c.db).Update(ctx, func(tx audit.Tx) error { return audit.Write(ctx, tx, e) })
}

// andThen returns both errors; one alone stays what it is, so that its text for
// people is still found.
func andThen(err, later error) error {
	switch {
	case later == nil:
		return err
	case err == nil:
		return later
	}
	return errors.Join(err, later)
}

// close lets go in the reverse order. It may be called on a part-opened core.
func (c *core) close() error {
	var errs []error
	if c.vaults != nil {
		c.vaults.StopRotations()
	}
	if c.manifests != nil {
		c.manifests.Forget()
	}
	if c.db != nil {
		c.db.Seal()
	}
	if c.ring != nil {
		errs = append(errs, c.ring.Close())
	}
	errs = append(errs, c.gate.Close()) // the ring's default module, if there is a ring
	if c.calls != nil {
		c.calls.Flush()
	}
	if c.archive != nil {
		errs = append(errs, c.archive.Close())
	}
	if c.db != nil {
		errs = append(errs, c.db.Close())
	}
	return errors.Join(errs...)
}
