package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func newBackup(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Make backups, verify them, put them back",
		Long: `A backup is one file with all state as of one instant: secrets, policies, people,
and the audit log. It is encrypted; it takes the HSM to restore it, and nothing
to verify it. It does not hold the HSM's keys: back those up as its vendor says,
or make a recovery key (oneclawd recovery init).

  oneclawd backup create /mnt/backups/today.backup     while the daemon serves
  oneclawd backup verify /mnt/backups/today.backup     anywhere
  oneclawd drill /mnt/backups/today.backup             restore on trial
  oneclawd backup restore today.backup --config oneclawd.toml
  oneclawd backup recover today.backup --key verifier.key     the HSM is gone

backup.dir in the configuration has the daemon make and prove them by itself.`,
	}
	cmd.AddCommand(newBackupCreate(g), newBackupVerify(), newBackupRestore(g), newBackupRecover(g))
	return cmd
}

func newBackupCreate(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "create FILE|-",
		Example: `  oneclawd backup create /mnt/backups/today.backup
  oneclawd backup create - | ssh vault-backup "cat > today.backup"`,
		Short: "Back up the running daemon into a file, or to standard output",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			from, err := c.Backup(cmd.Context())
			if err != nil {
				return err
			}
			defer from.Close()
			show := newMeter(cmd.ErrOrStderr(), "written")
			if args[0] == "-" {
				_, err := io.Copy(cmd.OutOrStdout(), io.TeeReader(from, show))
				show.end()
				return err
			}
			if err := writeWhole(args[0], io.TeeReader(from, show)); err != nil {
				return err
			}
			show.end()
			cmd.Printf("%s: %s. `oneclawd drill %s` proves that it can be restored.\n", args[0], size(show.n), args[0])
			return nil
		},
	}
}

// writeWhole writes a file that is there under its name once it is whole.
func writeWhole(path string, from io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = io.Copy(f, from)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("the backup was not finished, and nothing is kept of it: %w", err)
	}
	return os.Rename(f.Name(), path)
}

func newBackupVerify() *cobra.Command {
	var key string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "verify FILE",
		Example: "  oneclawd backup verify /mnt/backups/today.backup",
		Short:   "Check that a backup is whole and by whom, without any key",
		Long: `Check every byte of a backup and its signature. It takes no HSM, no daemon and no
network. With --key, the line that ` + "`oneclawd audit key`" + ` printed, it also shows
that your appliance made it; without, only that nothing changed since.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			show := newMeter(cmd.ErrOrStderr(), "read")
			r, err := backup.Verify(cmd.Context(), f, key, show.progress)
			show.end()
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"pinned": r.Pinned, "bytes": r.Bytes, "manifest": r.Manifest, "unseen": r.Unseen})
			}
			printManifest(cmd.OutOrStdout(), args[0], r.Manifest, r.Pinned)
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "verifier key that the backup has to be signed with")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printManifest(out io.Writer, name string, m backup.Manifest, pinned bool) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	by := "its own key only; --key KEY shows whose it is"
	if pinned {
		by = "the key you gave"
	}
	fmt.Fprintf(w, "backup\t%s\nof\t%s\nappliance\t%s\nmade by\toneclawd %s, schema %d\nrecords\t%d\naudit events\t%d\nrecovery key\t%s\nsigned with\t%s\n",
		name, m.CreatedAt.Local().Format(time.DateTime), m.Instance, m.Oneclawd, m.Schema, m.State.Records, m.Audit.Size, escrowed(m.Escrow), by)
	_ = w.Flush()
}

// escrowed says what a recovery key opens of a backup.
func escrowed(e *backup.Escrow) string {
	if e == nil {
		return "none: it opens with its HSM alone"
	}
	return fmt.Sprintf("%s, for %d of %d values", backup.RecoveryName(e.Recipient), e.Keys, e.Total())
}

func newBackupRestore(g *global) *cobra.Command {
	var dry bool
	var key, pinFile string
	cmd := &cobra.Command{
		Use: "restore FILE",
		Example: `  oneclawd backup restore today.backup --config oneclawd.toml --dry-run
  oneclawd backup restore today.backup --config oneclawd.toml`,
		Short: "Put a backup into the data folder, which must be empty",
		Long: `Put a backup into the data folder of the configuration, which must be empty (but
for the keys of a local module or CA). All of it is verified, and opened with
the HSM, before anything is written. With --dry-run nothing is.

The HSM remembers a longer audit log than the backup has, so the daemon refuses
to start on it until you say ` + "`oneclawd serve --accept-rollback`" + ` once.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			return restore(cmd, cfg, args[0], key, pinFile, dry)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&dry, "dry-run", false, "say what would be done, and whether the HSM opens it")
	f.StringVar(&key, "key", "", "verifier key that the backup has to be signed with")
	f.StringVar(&pinFile, "pin-file", "", "file with the PIN, where the configuration names none")
	return cmd
}

func restore(cmd *cobra.Command, cfg appliance.Config, path, key, pinFile string, dry bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	named, err := appliance.NamesPIN(cfg)
	if err != nil {
		return err
	}
	var pin plain.Bytes
	if !named {
		if pin, err = secretOrFile(cmd, pinFile, "PIN: "); err != nil {
			return err
		}
		defer pin.Wipe()
	}
	keys, err := appliance.OpenKeys(cmd.Context(), cfg, pin)
	if err != nil {
		return err
	}
	defer keys.Close()
	show := newMeter(cmd.ErrOrStderr(), "done")
	o := backup.Options{
		Keys: keys, VerifierKey: key, Retention: time.Duration(cfg.Audit.Retention), Log: logger(cfg, cmd.ErrOrStderr()), Progress: show.progress,
	}
	if dry {
		return dryRun(cmd, f, cfg.Data, o, show)
	}
	m, err := backup.Restore(cmd.Context(), f, cfg.Data, o)
	show.end()
	if err != nil {
		return err
	}
	cmd.Printf("Restored into %s, as of %s.\nStart it once with: oneclawd serve --accept-rollback\n", cfg.Data, m.CreatedAt.Local().Format(time.DateTime))
	return nil
}

func dryRun(cmd *cobra.Command, f io.ReadSeeker, dir string, o backup.Options, show *meter) error {
	plan, err := backup.Inspect(cmd.Context(), f, dir, o)
	show.end()
	if err != nil {
		return err
	}
	printManifest(cmd.OutOrStdout(), dir, plan.Manifest, plan.Pinned)
	for _, file := range plan.Files {
		cmd.Printf("would write %s, %s\n", file.Name, size(file.Bytes))
	}
	if err := errors.Join(plan.Keys, plan.Target); err != nil {
		return err
	}
	cmd.Println("The HSM opens it, and the folder can take it. Nothing was written.")
	return nil
}

func newDrill(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "drill FILE",
		Example: "  oneclawd drill /mnt/backups/today.backup",
		Short:   "Prove that a backup can be restored: do it on trial",
		Long: `Have the running daemon restore a backup into a scratch folder, open every
record and a sample of the values with the HSM, compare the counts, and verify
the audit log in it. The receipt is signed, and ` + "`oneclawd status`" + ` shows when
the last drill succeeded. The daemon has to be able to read the file.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			text, err := c.Drill(cmd.Context(), path)
			if err != nil {
				return err
			}
			if asJSON {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
				return err
			}
			var r backup.Receipt
			if err := json.Unmarshal(text, &r); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "proven\t%s, as of %s\nrecords\t%d in %d tables\nvalues opened\t%d of %d\naudit events\t%d verified\ntook\t%s\n",
				args[0], r.Of.Local().Format(time.DateTime), r.Records, r.Tables, r.Opened, r.Sampled-r.Leaving, r.EventsVerified, r.Finished.Sub(r.Started).Round(time.Millisecond))
			if r.RecoveryKey != "" {
				fmt.Fprintf(w, "recovery key\t%s, with keys for %d values\n", r.RecoveryKey, r.Escrowed)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the signed receipt")
	return cmd
}

// meter shows progress on a terminal, and nothing elsewhere.
type meter struct {
	out   io.Writer
	what  string
	n     int64
	began time.Time
	shown time.Time
	on    bool
}

func newMeter(out io.Writer, what string) *meter {
	f, ok := out.(*os.File)
	return &meter{out: out, what: what, began: time.Now(), on: ok && term.IsTerminal(int(f.Fd()))}
}

// Write implements io.Writer: it counts.
func (m *meter) Write(p []byte) (int, error) {
	m.progress(backup.Progress{Bytes: m.n + int64(len(p)), Elapsed: time.Since(m.began)})
	return len(p), nil
}

func (m *meter) progress(p backup.Progress) {
	m.n = p.Bytes
	if m.on && time.Since(m.shown) > 100*time.Millisecond {
		m.shown = time.Now()
		fmt.Fprintf(m.out, "\r%s %s, %s/s ", size(p.Bytes), m.what, size(int64(p.Rate())))
	}
}

func (m *meter) end() {
	if m.on && !m.shown.IsZero() {
		fmt.Fprintln(m.out)
	}
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
