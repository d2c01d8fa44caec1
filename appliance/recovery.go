package appliance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/appliance/seal"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// ErrRecoveryExists: there is a recovery key already. Backups are sealed to it, so
// that it is not replaced in passing.
var ErrRecoveryExists = fault.New(fault.Conflict, "recovery_exists", "there is a recovery key already")

// recoveryKey is the public half that backup.recovery_file holds; the zero value if
// the setting is empty.
func (c Config) recoveryKey() (k backup.RecoveryKey, err error) {
	const key = "backup.recovery_file"
	path := c.Backup.RecoveryFile
	switch {
	case path == "":
		return k, nil
	case !filepath.IsAbs(path):
		return k, bad(key, "%q is not an absolute path", path)
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k, bad(key, "%s does not exist; `oneclawd recovery init` makes it", path)
	case err != nil:
		return k, bad(key, "%v", err)
	}
	if k, err = backup.ParseRecoveryKey(string(text)); err != nil {
		return k, bad(key, "%s: %s", path, fault.As(err).Msg)
	}
	return k, nil
}

// NewRecoveryKey makes a recovery key, puts the public half where
// backup.recovery_file says, and returns the private half in shares, any threshold of
// which make it. It is kept nowhere else; the caller shows and wipes them.
func NewRecoveryKey(cfg Config, threshold, shares int) (k backup.RecoveryKey, texts []plain.Bytes, err error) {
	path := cfg.Backup.RecoveryFile
	if !filepath.IsAbs(path) {
		return k, nil, bad("backup.recovery_file", "it says where the public half of the recovery key is to be: an absolute path such as /etc/oneclawd/recovery.pub, and not %q", path)
	}
	secret, texts, err := seal.Split(threshold, shares, func(secret plain.Bytes) (seal.Set, error) {
		i, err := backup.NewRecoveryIdentity(secret)
		if err != nil {
			return seal.Set{}, err
		}
		k = i.Key()
		return backup.RecoverySet(k.Digest()), nil
	})
	defer secret.Wipe()
	if err == nil {
		err = proveShares(k, threshold, texts)
	}
	if err == nil {
		err = writeRecoveryFile(path, fmt.Sprintf("# oneclawd recovery key %s, made %s: the public half. %d of %d shares make the private one.\n%s\n",
			backup.RecoveryName(k.Digest()), time.Now().UTC().Format(time.DateOnly), threshold, shares, k))
	}
	if err != nil {
		for _, t := range texts {
			t.Wipe()
		}
		return k, nil, err
	}
	return k, texts, nil
}

// proveShares makes the key out of as many shares as are needed, before people put
// them away for years.
func proveShares(k backup.RecoveryKey, threshold int, texts []plain.Bytes) error {
	g := seal.Gather(backup.RecoverySet(k.Digest()))
	defer g.Wipe()
	for _, t := range texts[len(texts)-threshold:] {
		if _, err := g.Add(t); err != nil {
			return err
		}
	}
	secret, err := g.Secret()
	if err != nil {
		return err
	}
	defer secret.Wipe()
	i, err := backup.NewRecoveryIdentity(secret)
	if err == nil && i.Key().Digest() != k.Digest() {
		err = errors.New("the shares of the recovery key do not make it again")
	}
	return err
}

// writeRecoveryFile makes the file, which holds nothing secret.
func writeRecoveryFile(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ErrRecoveryExists.Detail("%s is there already: backups are sealed to the key in it; to begin with another key move it away first", path)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path)) // the name, too, has to survive
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// KeepRecoveryKey puts the public half where backup.recovery_file says, if it is not
// there: it may have been lost with the machine.
func KeepRecoveryKey(cfg Config, k backup.RecoveryKey) error {
	path := cfg.Backup.RecoveryFile
	if path == "" {
		return nil
	}
	err := writeRecoveryFile(path, fmt.Sprintf("# oneclawd recovery key %s: the public half.\n%s\n", backup.RecoveryName(k.Digest()), k))
	if errors.Is(err, ErrRecoveryExists) {
		return nil
	}
	return err
}

// reportEscrow logs what a recovery key opens of a backup that was made.
func (c *core) reportEscrow(m backup.Manifest) {
	e := m.Escrow
	if e == nil {
		return
	}
	c.log.Info("the backup can be recovered without the HSM", "recovery_key", backup.RecoveryName(e.Recipient), "values", e.Keys, "elsewhere", e.Elsewhere)
	if e.Damaged > 0 {
		c.log.Warn("values are damaged, and no key opens them; `oneclawd kek verify` names them", "values", e.Damaged)
	}
}

// recoveryStatus says which recovery key is set and what it opens.
func (c *core) recoveryStatus(last *backup.Made) *operator.Recovery {
	out := new(operator.Recovery)
	if !c.recovery.IsZero() {
		out.Key = backup.RecoveryName(c.recovery.Digest())
	}
	if last == nil || last.Recovery == nil {
		return out
	}
	r := last.Recovery
	out.LastKey, out.LastBackup = r.Key, &r.CreatedAt
	out.Values, out.Elsewhere, out.Damaged = r.Values, r.Elsewhere, r.Damaged
	return out
}

// recovery says whether a dead HSM would be the end.
func (x *examination) recovery(s operator.Status, running bool) {
	const area = "recovery key"
	k, err := x.cfg.recoveryKey()
	if err != nil {
		return // the configuration has been found wanting
	}
	if k.IsZero() {
		x.warn(area, "none is set: backups open with this HSM, or a copy of its token, and with nothing else", "set backup.recovery_file and run oneclawd recovery init")
		return
	}
	name := backup.RecoveryName(k.Digest())
	if !running || s.Recovery == nil {
		x.fine(area, name+" is set")
		return
	}
	r, overdue := s.Recovery, backupOverdue*time.Duration(x.cfg.Backup.Every)
	switch {
	case r.Key != name:
		x.warn(area, name+" is set, and the daemon has not read it yet", "restart the daemon")
	case r.LastBackup == nil || r.LastKey != name:
		x.warn(area, name+" is set, and no backup was made with it", "set backup.dir, or run oneclawd backup create FILE")
	case time.Since(*r.LastBackup) > overdue:
		x.warn(area, name+"; the last backup with it is of "+r.LastBackup.Local().Format(time.DateTime), "look at the daemon's log for why there is none since")
	case r.Damaged > 0:
		x.warn(area, fmt.Sprintf("%s; %d values in the last backup are damaged, and no key opens them", name, r.Damaged), "oneclawd kek verify names them; write them anew")
	default:
		text := fmt.Sprintf("%s; with it the backup of %s opens %d values", name, r.LastBackup.Local().Format(time.DateTime), r.Values)
		if r.Elsewhere > 0 {
			text += fmt.Sprintf("; the keys of %d more are in other HSM modules", r.Elsewhere)
		}
		x.fine(area, text)
	}
}
