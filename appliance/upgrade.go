package appliance

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/appliance/update"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault/audit"
)

func (c Config) checkUpdate() error {
	for _, k := range c.Update.Keys {
		if err := update.CheckKey(k); err != nil {
			return bad("update.keys", "%q is not a public key such as `oneclawd update keygen` prints", k)
		}
	}
	return nil
}

// upgradeDir, in the data folder, is where backups from before an upgrade go if
// backup.dir is not set.
const upgradeDir = "pre-upgrade"

// upgradePrefix begins their names, which no schedule removes.
const upgradePrefix = "pre-upgrade-"

// blobUpgrade is what an upgrade leaves in store.Meta until the audit log has it.
const blobUpgrade = "upgrade"

// upgradeNote is what the audit log is told of an upgrade.
type upgradeNote struct {
	From   int           `json:"from"`
	To     int           `json:"to"`
	Backup backup.Digest `json:"backup"`
}

// errNotUpgraded is why an upgrade did not take place.
var errNotUpgraded = fault.New(fault.Unavailable, "not_upgraded", "the data was not upgraded; it is as it was")

func notUpgraded(err error, format string, args ...any) error {
	return errNotUpgraded.Detail("the data was not upgraded and is as it was: %s", fmt.Sprintf(format, args...)).Because(err)
}

// upgrade brings data of an older schema to the present one, after a backup of it
// was restored on trial, and the copy upgraded. Whatever goes wrong up to the one
// transaction that changes the data leaves it as it was.
//
// record is for when the audit log may be written to: not before it was compared
// with what the HSM remembers.
func (c *core) upgrade(ctx context.Context, say func(string)) (record func(context.Context) error, err error) {
	from, outdated := c.db.Outdated()
	if !outdated {
		return c.recordUpgrade, nil
	}
	if say == nil {
		return nil, store.ErrOutdated
	}
	say(fmt.Sprintf("upgrading the data from schema %d to %d", from, store.Schema))
	path, m, err := c.backupBefore(ctx, from)
	if err != nil {
		return nil, err
	}
	c.log.Info("upgrading: the backup from before is restored on trial, and the copy upgraded", "file", path)
	receipt, err := c.rehearse(ctx, path)
	if err != nil {
		return nil, notUpgraded(err, "%s was made, and failed when it was restored and upgraded on trial", path)
	}
	c.log.Info("upgrading the data", "from", from, "to", store.Schema, "backup", path)
	note, err := json.Marshal(upgradeNote{From: from, To: store.Schema, Backup: m.Sum()})
	if err != nil {
		return nil, err
	}
	if err := c.db.Migrate(ctx, func(meta *store.Meta) error { meta.Blobs[blobUpgrade] = note; return nil }); err != nil {
		return nil, notUpgraded(err, "the backup from before is %s", path)
	}
	c.log.Info("the data is upgraded", "schema", store.Schema, "backup", path)
	return func(ctx context.Context) error {
		db := store.Runner[backup.Tx](c.db)
		return errors.Join(
			backup.RecordBackup(ctx, db, m), backup.RecordDrill(ctx, db, c.meta.Instance, receipt, nil), c.recordUpgrade(ctx))
	}, nil
}

// recordUpgrade puts into the audit log what the data file says of an upgrade. A
// crash in between has it there twice, never not at all.
func (c *core) recordUpgrade(ctx context.Context) error {
	meta, err := c.db.Meta()
	if err != nil || meta.Blobs[blobUpgrade] == nil {
		return err
	}
	var note upgradeNote
	if err := json.Unmarshal(meta.Blobs[blobUpgrade], &note); err != nil {
		return fmt.Errorf("what the upgrade left: %w", err)
	}
	e := c.event(audit.ApplianceUpgrade)
	e.Details = audit.Details{"from": note.From, "to": note.To, "oneclawd": c.version, "backup": note.Backup.String()}
	if err := c.append(ctx, e); err != nil {
		return err
	}
	return c.db.UpdateMeta(func(m *store.Meta) error {
		delete(m.Blobs, blobUpgrade)
		return nil
	})
}

// backupBefore makes a backup of the data as it is, or finds the one that an
// attempt before made of the very same.
func (c *core) backupBefore(ctx context.Context, schema int) (path string, m backup.Manifest, err error) {
	dir := c.cfg.upgradeDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", m, notUpgraded(err, "the folder for the backup from before cannot be made")
	}
	name := fmt.Sprintf("%sschema-%d-", upgradePrefix, schema)
	if path, m, err = c.sameState(ctx, filepath.Join(dir, name+"*"+backupSuffix)); err != nil || path != "" {
		return path, m, err
	}
	if err := c.roomToUpgrade(dir); err != nil {
		return "", m, err
	}
	path = filepath.Join(dir, name+time.Now().UTC().Format(backupTime)+backupSuffix)
	c.log.Info("upgrading: making a backup first", "file", path)
	if m, err = backup.CreateFile(ctx, c.backupSource(), path, nil); err != nil {
		return "", m, notUpgraded(err, "no backup could be made in %s", dir)
	}
	return path, m, nil
}

func (c Config) upgradeDir() string {
	if c.Backup.Dir != "" {
		return c.Backup.Dir
	}
	return filepath.Join(c.Data, upgradeDir)
}

// sameState looks through backups, the newest first, for a whole one of the data
// file as it is: an upgrade that fails at every start must not fill the disk.
func (c *core) sameState(ctx context.Context, pattern string) (path string, m backup.Manifest, err error) {
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) == 0 {
		return "", m, err
	}
	snap, err := c.db.Snapshot()
	if err != nil {
		return "", m, err
	}
	defer snap.Close()
	sum := sha256.New()
	if err := snap.Write(ctx, sum); err != nil {
		return "", m, err
	}
	key, err := c.checkpoints.VerifierKey()
	if err != nil {
		return "", m, err
	}
	slices.Sort(all)
	for _, path := range slices.Backward(all) {
		r, err := verifyFile(ctx, path, key)
		if err == nil && r.Manifest.State.SHA256 == backup.Digest(sum.Sum(nil)) {
			return path, r.Manifest, nil
		}
	}
	return "", m, ctx.Err()
}

func verifyFile(ctx context.Context, path, key string) (backup.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return backup.Report{}, err
	}
	defer f.Close()
	return backup.Verify(ctx, f, key, nil)
}

// roomToUpgrade reports whether there is room for the backup, for the copy that
// is restored on trial, and for what the upgrade changes in it. The archive of
// events comes on top; whoever writes it looks for itself.
func (c *core) roomToUpgrade(dir string) error {
	snap, err := c.db.Snapshot()
	if err != nil {
		return err
	}
	size := snap.Size()
	snap.Close()
	needs := map[string]int64{c.cfg.Data: 3 * size}
	if c.cfg.Backup.Dir != "" {
		needs = map[string]int64{dir: size, c.cfg.Data: 2 * size}
	}
	for folder, need := range needs {
		if err := events.Room(folder, need); err != nil {
			return notUpgraded(err, "a backup is made before, and restored on trial; there is too little space in %s", folder)
		}
	}
	return nil
}

// rehearse restores the backup on trial, which upgrades the copy.
func (c *core) rehearse(ctx context.Context, path string) (backup.Receipt, error) {
	f, err := os.Open(path)
	if err != nil {
		return backup.Receipt{}, err
	}
	defer f.Close()
	return c.trial(ctx, f, nil)
}

// explainNewer adds to a refusal of newer data where the backup from before its
// upgrade is, if one is found.
func (c Config) explainNewer(err error) error {
	if !errors.Is(err, store.ErrNewer) {
		return err
	}
	found, _ := filepath.Glob(filepath.Join(c.upgradeDir(), upgradePrefix+"*"+backupSuffix))
	slices.Sort(found)
	if len(found) == 0 {
		return err
	}
	return store.ErrNewer.Detail("%s. The last such backup is %s", fault.As(err).Msg, found[len(found)-1])
}
