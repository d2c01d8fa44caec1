package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/appliance/seal"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// recovery is one run of `backup recover`.
type recovery struct {
	cmd        *cobra.Command
	cfg        appliance.Config
	file       *os.File
	key        string // verifier key, pinned
	pinFile    string
	shareFiles []string
	dry        bool
}

func newBackupRecover(g *global) *cobra.Command {
	var r recovery
	var unpinned bool
	cmd := &cobra.Command{
		Use:   "recover FILE",
		Short: "Put a backup onto a new HSM, with the shares of the recovery key",
		Long: `For when the HSM is gone. Put a backup that was made with a recovery key into the
data folder of the configuration, which must be empty, for a new HSM, which must
be that of no appliance. All of the backup is read and checked before anything is
written or any key made. With --dry-run nothing is.

The shares are asked for one after the other, or read from files of one line, or
from standard input, one a line. Of what hung below the old HSM everything is
made anew below the new one: values are sealed anew, tokens have to be bought
again, and the audit log goes on under another key, which is printed. API keys,
passwords, policies and shared secrets are what they were. Vaults whose keys are in
other modules (hsm.modules) keep them there, unless those were escrowed too.

The verifier key (--key) shows that the backup is of your appliance. Without it
whoever knows the public half of the recovery key can have made it.`,
		Example: `  oneclawd backup recover today.backup --key verifier.key --config oneclawd.toml
  oneclawd backup recover today.backup --key verifier.key --share-file a.txt --share-file b.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			r.cmd = cmd
			if r.cfg, err = g.loadUnchecked(); err != nil { // the file of the public half may be gone as well
				return err
			}
			if err := r.cfg.CheckHSM(); err != nil {
				return err
			}
			switch {
			case r.key == "" && !unpinned:
				return errors.New("say with --key which verifier key the backup has to be signed with (what `oneclawd audit key` printed), or with --unpinned that you trust it anyhow")
			case r.key != "":
				if r.key, err = keyOrFile(r.key); err != nil {
					return err
				}
			}
			if r.file, err = os.Open(args[0]); err != nil {
				return err
			}
			defer r.file.Close()
			return r.run()
		},
	}
	f := cmd.Flags()
	f.BoolVar(&r.dry, "dry-run", false, "say what would be done, and whether the shares open it")
	f.StringVar(&r.key, "key", "", "verifier key that the backup has to be signed with, or a file that holds it")
	f.BoolVar(&unpinned, "unpinned", false, "take a backup although nothing shows who made it")
	f.StringArrayVar(&r.shareFiles, "share-file", nil, "file with a share; may be repeated")
	f.StringVar(&r.pinFile, "pin-file", "", "file with the PIN of the new HSM, where the configuration names none")
	cmd.MarkFlagsMutuallyExclusive("key", "unpinned")
	return cmd
}

func (r *recovery) run() error {
	ctx := r.cmd.Context()
	m, err := backup.RecoveryOf(ctx, r.file, r.key)
	if err != nil {
		return err
	}
	if err := backup.CheckTarget(r.cfg.Data, m); err != nil && !r.dry {
		return err // before anybody types a share
	}
	who, err := r.identity(m)
	if err != nil {
		return err
	}
	pin, err := r.pin()
	if err != nil {
		return err
	}
	defer pin.Wipe()
	module, err := appliance.OpenKeys(ctx, r.cfg, pin)
	if err != nil {
		return err
	}
	defer module.Close()
	show := newMeter(r.cmd.ErrOrStderr(), "done")
	o := backup.RecoverOptions{
		Identity: who, Module: module, VerifierKey: r.key, Retention: time.Duration(r.cfg.Audit.Retention),
		Progress: show.progress, Log: logger(r.cfg, r.cmd.ErrOrStderr()),
	}
	if r.dry {
		return r.try(o)
	}
	done, err := backup.Recover(ctx, r.file, r.cfg.Data, o)
	show.end()
	if err != nil {
		return err
	}
	r.report(done)
	return appliance.KeepRecoveryKey(r.cfg, who.Key())
}

// try is the dry run.
func (r *recovery) try(o backup.RecoverOptions) error {
	plan, err := backup.InspectRecovery(r.cmd.Context(), r.file, r.cfg.Data, o)
	if err != nil {
		return err
	}
	out := r.cmd.OutOrStdout()
	printManifest(out, r.cfg.Data, plan.Manifest, plan.Pinned)
	r.counts(*plan.Manifest.Escrow)
	if err := errors.Join(plan.Keys, plan.Target); err != nil {
		return err
	}
	r.cmd.Println("The shares open it, and the HSM and the folder can take it. Nothing was written.")
	return nil
}

// counts says which values there will be.
func (r *recovery) counts(e backup.Escrow) {
	r.cmd.Printf("values with a recovery key: %d\n", e.Keys)
	if e.Elsewhere > 0 {
		r.cmd.Printf("values whose keys stay in other HSM modules: %d\n", e.Elsewhere)
	}
	if e.Damaged > 0 {
		r.cmd.Printf("values that were damaged before: %d\n", e.Damaged)
	}
}

func (r *recovery) report(done backup.Recovered) {
	r.cmd.Printf("Recovered into %s, as of %s: %d values of %d vaults were sealed anew.\n",
		r.cfg.Data, done.Manifest.CreatedAt.Local().Format(time.DateTime), done.Values, done.Vaults)
	r.counts(*done.Manifest.Escrow)
	r.cmd.Printf("The audit log is signed by another key from here on:\n  %s\nwhat was signed before is verified with\n  %s\nStart it with: oneclawd serve\n",
		done.VerifierKey, done.Before)
}

// pin is that of the new HSM; empty if the configuration names it.
func (r *recovery) pin() (plain.Bytes, error) {
	named, err := appliance.NamesPIN(r.cfg)
	if err != nil || named {
		return plain.Bytes{}, err
	}
	pin, err := secretOrFile(r.cmd, r.pinFile, "PIN of the new HSM: ")
	if err == nil && pin.Len() == 0 {
		err = errors.New("the PIN of the new HSM is needed: set hsm.pin_file, or give --pin-file")
	}
	return pin, err
}

// identity is the private half of the backup's recovery key, from its shares.
func (r *recovery) identity(m backup.Manifest) (*backup.RecoveryIdentity, error) {
	name := backup.RecoveryName(m.Escrow.Recipient)
	g := seal.Gather(backup.RecoverySet(m.Escrow.Recipient))
	defer g.Wipe()
	var err error
	switch {
	case len(r.shareFiles) > 0:
		err = fromFiles(g, r.shareFiles)
	case term.IsTerminal(int(os.Stdin.Fd())):
		err = r.ask(g, name)
	default:
		err = fromLines(g, os.Stdin)
	}
	if err != nil {
		return nil, err
	}
	secret, err := g.Secret()
	if err != nil {
		return nil, err
	}
	defer secret.Wipe()
	who, err := backup.NewRecoveryIdentity(secret)
	if err == nil && who.Key().Digest() != m.Escrow.Recipient {
		return nil, fmt.Errorf("%w: one of the shares is not what was handed out for recovery key %s", backup.ErrOtherRecovery, name)
	}
	return who, err
}

// ask asks for shares on the terminal until there are enough. What is mistyped is
// asked for again.
func (r *recovery) ask(g *seal.Gathering, name string) error {
	to := r.cmd.ErrOrStderr()
	for missing := 1; missing > 0; {
		text, err := readSecret(to, fmt.Sprintf("A share (OCR1-…) of recovery key %s: ", name))
		if err != nil {
			return err
		}
		if text.Len() == 0 {
			return seal.ErrMissing
		}
		missing, err = g.Add(text)
		text.Wipe()
		switch {
		case err != nil:
			fmt.Fprintf(to, "Not taken: %v\n", words(err))
		case missing > 0:
			fmt.Fprintf(to, "Taken; %d more needed.\n", missing)
		}
	}
	return nil
}

// words is an error without the code that programs read.
func words(err error) string {
	if f := fault.As(err); f != nil {
		return f.Msg
	}
	return err.Error()
}

func fromFiles(g *seal.Gathering, files []string) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		text, err := firstLine(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		_, err = g.Add(text)
		text.Wipe()
		if err != nil {
			return fmt.Errorf("%s: %s", name, words(err))
		}
	}
	return nil
}

// fromLines reads shares, one a line, to the end.
func fromLines(g *seal.Gathering, in io.Reader) error {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text := plain.New(lines.Bytes())
		if text.Len() == 0 {
			continue
		}
		_, err := g.Add(text)
		text.Wipe()
		if err != nil {
			return fmt.Errorf("line %d: %s", n, words(err))
		}
	}
	return lines.Err()
}
