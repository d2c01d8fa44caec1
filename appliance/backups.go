package appliance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// BackupConfig is the schedule of backups.
type BackupConfig struct {
	Dir   string   `toml:"dir" doc:"Folder that backups are written to; another disk than the data's. Empty: none are made but by oneclawd backup create."`
	Every Duration `toml:"every" doc:"How often. Each backup is restored into a scratch folder in the data folder to prove that it can be."`
	Keep  int      `toml:"keep" doc:"How many are kept; older ones are removed once a newer one was proven."`
	// RecoveryFile is made by NewRecoveryKey.
	RecoveryFile string `toml:"recovery_file" doc:"File with the public half of the recovery key, which oneclawd recovery init makes: backups can then be recovered with its shares when the HSM is gone. Empty: they open with the HSM alone."`
}

func defaultBackup() BackupConfig { return BackupConfig{Every: Duration(24 * time.Hour), Keep: 7} }

func (c Config) checkBackup() error {
	switch b := c.Backup; {
	case b.Dir != "" && !filepath.IsAbs(b.Dir):
		return bad("backup.dir", "%q is not an absolute path", b.Dir)
	case b.Every < Duration(time.Second):
		return bad("backup.every", "must be at least a second")
	case b.Keep < 1:
		return bad("backup.keep", "must be at least 1")
	}
	_, err := c.recoveryKey()
	return err
}

// Names of scheduled backups: they sort by time.
const (
	backupPrefix = "oneclawd-"
	backupSuffix = ".backup"
	backupTime   = "20060102T150405.000Z"
)

// drillPrefix is that of the scratch folders in which backups are restored on
// trial.
const drillPrefix = "drill-"

// backupRetry is when a scheduled backup that failed is tried again, if that is
// sooner than the next.
const backupRetry = 10 * time.Minute

func (c *core) backupSource() backup.Source {
	return backup.Source{
		DB: c.db, Archive: c.archive, Key: c.checkpoints.Key, Version: c.version,
		Recovery: c.recovery, Modules: c.escrowed, Keys: c.ring.Module,
	}
}

// scheduleBackups makes backups until ctx ends. What fails is logged and tried
// again; `status` shows when the last was proven.
func (c *core) scheduleBackups(ctx context.Context) error {
	if err := c.clearScratch(); err != nil {
		c.log.Warn("old scratch folders of drills could not be removed", "err", err)
	}
	if c.cfg.Backup.Dir == "" {
		return nil
	}
	every := time.Duration(c.cfg.Backup.Every)
	for {
		standing, err := backup.Look(ctx, store.Runner[backup.Tx](c.db))
		wait := time.Duration(0)
		if err == nil && standing.Last != nil {
			wait = time.Until(standing.Last.CreatedAt.Add(every))
		}
		if !sleep(ctx, wait) {
			return nil
		}
		if err := c.scheduledBackup(ctx); err != nil && ctx.Err() == nil {
			c.log.Error("the scheduled backup failed; it will be tried again", "err", err)
			if !sleep(ctx, min(every, backupRetry)) {
				return nil
			}
		}
	}
}

// sleep waits, and reports whether it was to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(max(0, d))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// scheduledBackup makes a backup, proves it and removes those that are too many.
func (c *core) scheduledBackup(ctx context.Context) error {
	dir := c.cfg.Backup.Dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, backupPrefix+time.Now().UTC().Format(backupTime)+backupSuffix)
	m, err := backup.CreateFile(ctx, c.backupSource(), path, backup.Pace())
	if err != nil {
		return err
	}
	if err := backup.RecordBackup(ctx, store.Runner[backup.Tx](c.db), m); err != nil {
		return err
	}
	if _, err := c.drill(ctx, path, backup.Pace()); err != nil {
		return fmt.Errorf("%s was made and cannot be restored: %w", path, err)
	}
	c.log.Info("backup made and proven", "file", path, "bytes", m.Bytes, "records", m.State.Records)
	c.reportEscrow(m)
	return pruneBackups(dir, c.cfg.Backup.Keep)
}

// pruneBackups removes all but the newest scheduled backups.
func pruneBackups(dir string, keep int) error {
	all, err := filepath.Glob(filepath.Join(dir, backupPrefix+"*"+backupSuffix))
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(b, a) })
	for _, old := range all[min(keep, len(all)):] {
		if err := os.Remove(old); err != nil {
			return err
		}
	}
	return nil
}

// drill restores a backup on trial and records how that went.
func (c *core) drill(ctx context.Context, path string, progress func(backup.Progress)) (backup.Receipt, error) {
	f, err := os.Open(path)
	if err != nil {
		return backup.Receipt{}, err
	}
	defer f.Close()
	r, drilled := c.trial(ctx, f, progress)
	if err := backup.RecordDrill(ctx, store.Runner[backup.Tx](c.db), c.meta.Instance, r, drilled); err != nil {
		return r, andThen(drilled, err)
	}
	return r, drilled
}

// trial restores a backup into a scratch folder and looks at all of it.
func (c *core) trial(ctx context.Context, f io.ReadSeeker, progress func(backup.Progress)) (backup.Receipt, error) {
	scratch, err := os.MkdirTemp(c.cfg.Data, drillPrefix)
	if err != nil {
		return backup.Receipt{}, err
	}
	defer func() { _ = os.RemoveAll(scratch) }() // or at the next start
	key, err := c.checkpoints.VerifierKey()
	if err != nil {
		return backup.Receipt{}, err
	}
	return backup.Drill(ctx, f, &c.gate, scratch, backup.DrillOptions{
		VerifierKey: key, Retention: time.Duration(c.cfg.Audit.Retention), Oneclawd: c.version, Log: c.log, Progress: progress, Modules: c.ring.Module,
	})
}

// clearScratch removes what drills left behind that a crash cut short.
func (c *core) clearScratch() error {
	old, err := filepath.Glob(filepath.Join(c.cfg.Data, drillPrefix+"*"))
	for _, dir := range old {
		err = andThen(err, os.RemoveAll(dir))
	}
	return err
}

// unsealedCore is what serves now.
func (d *daemon) unsealedCore() (*core, error) {
	if now := d.state.Load(); now.state == operator.Unsealed {
		return now.core, nil
	}
	return nil, errNotServing
}

// Backup implements operator.Daemon.
func (d *daemon) Backup(ctx context.Context, who operator.Peer, w io.Writer) error {
	c, err := d.unsealedCore()
	if err != nil {
		return err
	}
	d.log.Info("making a backup, as an operator said", "uid", who.UID)
	m, err := backup.Create(ctx, c.backupSource(), w, backup.Pace())
	if err != nil {
		return err
	}
	c.reportEscrow(m)
	return backup.RecordBackup(ctx, store.Runner[backup.Tx](c.db), m)
}

// Drill implements operator.Daemon.
func (d *daemon) Drill(ctx context.Context, who operator.Peer, path string) ([]byte, error) {
	c, err := d.unsealedCore()
	if err != nil {
		return nil, err
	}
	d.log.Info("drilling a restore, as an operator said", "uid", who.UID)
	r, err := c.drill(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// OpenKeys opens the module for a command that works beside no daemon. Without a
// PIN it is the configuration's. Where that is required, this machine has to be
// attested first.
func OpenKeys(ctx context.Context, cfg Config, pin plain.Bytes) (hsm.Module, error) {
	if err := cfg.admits(ctx); err != nil {
		return nil, err
	}
	if pin.Len() == 0 {
		own, _, err := cfg.credential()
		if err != nil {
			return nil, err
		}
		defer own.Wipe()
		pin = own
	}
	return openModule(ctx, cfg, pin, nil, slog.New(slog.DiscardHandler))
}
