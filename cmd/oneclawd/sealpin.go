package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/seal"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func newSealPIN(g *global) *cobra.Command {
	var pinFile, passphraseFile string
	var shares, threshold int
	cmd := &cobra.Command{
		Use:   "pin",
		Short: "Keep the PIN sealed: for this machine and image, and for people",
		Long: `Write the PIN of the token (or the passphrase of the local module) into the data
folder, encrypted. On an SEV-SNP machine this image on this chip can open it by
itself, and no other. People always can, when the machine is gone or the image
is another: with a passphrase, or so many of them together with a share each.

The daemon must not be serving. The PIN is tried once.`,
		Example: "  oneclawd seal pin --shares 5 --threshold 3 --config oneclawd.toml\n  oneclawd seal pin --passphrase-file recovery.txt --pin-file pin.txt --config oneclawd.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			recovery, texts, err := recoverySlot(cmd, passphraseFile, shares, threshold)
			if err != nil {
				return err
			}
			pin, err := secretOrFile(cmd, pinFile, "PIN: ")
			if err != nil {
				return err
			}
			defer pin.Wipe()
			machine, err := appliance.SealPIN(cmd.Context(), cfg, pin, recovery)
			if err != nil {
				return err
			}
			cmd.Printf("The PIN is sealed in %s.\n", cfg.SealFile())
			if !machine {
				cmd.Println("This machine cannot open it by itself: it derives no keys, or attest.mode is none.")
			}
			for i, text := range texts {
				cmd.Printf("Share %d: %s\n", i+1, text.Reveal())
				text.Wipe()
			}
			if len(texts) > 0 {
				cmd.Println("\nThey are shown this once. Give each to another person.")
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&pinFile, "pin-file", "", "file with the PIN, instead of asking")
	f.StringVar(&passphraseFile, "passphrase-file", "", "file with the recovery passphrase, instead of asking")
	f.IntVar(&shares, "shares", 0, "recovery by people with a share each, instead of a passphrase: how many")
	f.IntVar(&threshold, "threshold", 0, "how many of them are needed")
	cmd.MarkFlagsRequiredTogether("shares", "threshold")
	cmd.MarkFlagsMutuallyExclusive("shares", "passphrase-file")
	return cmd
}

// recoverySlot is the way in for people, with the shares to hand out if it is
// one of shares.
func recoverySlot(cmd *cobra.Command, file string, shares, threshold int) (seal.Slot, []plain.Bytes, error) {
	if shares > 0 {
		return seal.NewShamirSlot(threshold, shares)
	}
	pass, err := secretOrFile(cmd, file, "Recovery passphrase (12 characters or more): ")
	if err != nil {
		return seal.Slot{}, nil, err
	}
	defer pass.Wipe()
	slot, err := seal.NewPassphraseSlot(pass)
	return slot, nil, err
}

// secretOrFile reads a line of a file, or asks for one.
func secretOrFile(cmd *cobra.Command, file, question string) (plain.Bytes, error) {
	if file == "" {
		return readSecret(cmd.ErrOrStderr(), question)
	}
	f, err := os.Open(file)
	if err != nil {
		return plain.Bytes{}, err
	}
	defer f.Close()
	return firstLine(f)
}

func firstLine(r io.Reader) (plain.Bytes, error) {
	text, err := io.ReadAll(io.LimitReader(r, 4096))
	for i, b := range text {
		if b == '\n' || b == '\r' {
			clear(text[i:])
			text = text[:i]
			break
		}
	}
	return plain.New(text), err
}

func newSealSlots(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "slots",
		Example: "  oneclawd seal slots --config oneclawd.toml",
		Short:   "List who can open the sealed PIN",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := g.sealFile()
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(f.Describe())
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "SLOT\tOPENED BY")
			for _, s := range f.Describe() {
				fmt.Fprintf(w, "%s\t%s\n", s.ID, openedBy(s))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func openedBy(s seal.SlotInfo) string {
	switch s.Kind {
	case seal.KindSNP:
		return "this image on this chip: " + s.Measurement
	case seal.KindUpgrade:
		return "a code, in the image " + s.Measurement
	case seal.KindShamir:
		return fmt.Sprintf("%d of %d shares", s.Threshold, s.Shares)
	}
	return "a passphrase"
}

func newSealUpgrade(g *global) *cobra.Command {
	var passphraseFile string
	cmd := &cobra.Command{
		Use:     "upgrade MEASUREMENT",
		Example: "  oneclawd seal upgrade 4f1c…e2 --config oneclawd.toml",
		Short:   "Let the next image open the sealed PIN once, with a code",
		Long: `Let the image with this measurement (96 hexadecimal digits) open the sealed PIN
once, with a code that is printed. Keep the code apart from the data, start the
image, and give it the code: oneclawd unseal --code. From then on the image
opens the PIN by itself. The daemon must not be serving.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			next, err := hex.DecodeString(args[0])
			if err != nil {
				return errors.New("a measurement is 96 hexadecimal digits")
			}
			f, err := g.sealFile()
			if err != nil {
				return err
			}
			slot, code, err := seal.NewUpgradeSlot(next)
			if err != nil {
				return err
			}
			defer code.Wipe()
			pass, err := secretOrFile(cmd, passphraseFile, "Recovery passphrase: ")
			if err != nil {
				return err
			}
			defer pass.Wipe()
			if err := f.AddSlot(cmd.Context(), seal.Passphrase(pass), slot); err != nil {
				return err
			}
			cmd.Printf("Code: %s\n\nIt is shown this once.\n", code.Reveal())
			return nil
		},
	}
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "file with the recovery passphrase, instead of asking")
	return cmd
}

func newSealRemove(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "remove SLOT",
		Example: "  oneclawd seal remove 2 --config oneclawd.toml",
		Short:   "Remove a slot of the sealed PIN",
		Long: `Remove a slot of the sealed PIN. The last by which people can open it stays.
Whoever has an older copy of the file can still open that: change the PIN.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := g.sealFile()
			if err != nil {
				return err
			}
			return f.RemoveSlot(args[0])
		},
	}
}

func (g *global) sealFile() (*seal.File, error) {
	cfg, err := g.loadUnchecked()
	if err != nil {
		return nil, err
	}
	f, err := appliance.OpenSealFile(cfg)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("there is no sealed PIN here; `oneclawd seal pin` makes one")
	}
	return f, err
}
