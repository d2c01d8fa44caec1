package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/backup"
)

func newRecovery(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recovery",
		Short: "Make a dead HSM survivable",
		Long: `Everything hangs below a key in the HSM, and backups too: without the HSM, or a
copy of its token, they are noise. A recovery key is the second way in. Its
private half is in no file, only in shares that people keep; so many of them
together recover a backup onto a new HSM:

  oneclawd recovery init --shares 5 --threshold 3    once, ahead of time
  oneclawd backup recover today.backup               when the HSM is gone`,
	}
	cmd.AddCommand(newRecoveryInit(g))
	return cmd
}

func newRecoveryInit(g *global) *cobra.Command {
	var shares, threshold int
	cmd := &cobra.Command{
		Use:   "init --shares N --threshold M",
		Short: "Make the recovery key and show its private half in shares, this once",
		Long: `Make the recovery key, once: a hybrid of ML-KEM-768 and X25519 (age's). The public
half is put into the file that the setting backup.recovery_file names, where the
daemon reads it at its next start; from then on backups are sealed to it as
well. The private half is shown as N shares, any M of which make it, and kept
nowhere. Fewer tell nothing.

Give each share to another person, on paper or in a safe. Whoever has M shares and
any backup has everything. Keep the verifier key (oneclawd audit key) with them:
it shows at a recovery that the backup is yours.

It takes no daemon and no HSM; another machine will do, if the file is taken over.`,
		Example: "  oneclawd recovery init --shares 5 --threshold 3 --config oneclawd.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.loadUnchecked() // the file that it makes is not there yet
			if err != nil {
				return err
			}
			k, texts, err := appliance.NewRecoveryKey(cfg, threshold, shares)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "Recovery key %s. Its public half is in %s.\n", backup.RecoveryName(k.Digest()), cfg.Backup.RecoveryFile)
			for i, text := range texts {
				_, failed := fmt.Fprintf(out, "Share %d: %s\n", i+1, text.Reveal())
				text.Wipe()
				if err == nil {
					err = failed
				}
			}
			if err != nil { // a key that nobody can have is worse than none
				_ = os.Remove(cfg.Backup.RecoveryFile)
				return fmt.Errorf("the shares could not be shown, so there is no recovery key: %w", err)
			}
			fmt.Fprintf(out, "\nThey are shown this once. Give each to another person; any %d make the key.\nRestart the daemon: backups from then on can be recovered with them.\n", threshold)
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&shares, "shares", 0, "how many shares")
	f.IntVar(&threshold, "threshold", 0, "how many of them make the key")
	_ = cmd.MarkFlagRequired("shares")
	_ = cmd.MarkFlagRequired("threshold")
	return cmd
}
