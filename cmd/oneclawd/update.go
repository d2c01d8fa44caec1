package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/update"
	"github.com/oneclaw/oneclawd/store"
)

// releaseKey is the public key of whoever publishes this build, set by it.
var releaseKey string

func newUpdate(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Verify a signed bundle with a newer oneclawd, without a network",
		Long: `A release comes as one signed file: the Debian package, the binary, the bill of
materials and the checksums. Bring it to the machine and say

  oneclawd update verify oneclawd.update --extract new
  sudo apt install ./new/oneclawd_*.deb

The keys that are trusted are those given with --key, or else those of the
setting update.keys and the one that was built in.`,
	}
	cmd.AddCommand(newUpdateVerify(g), newUpdateBundle(), newUpdateKeygen())
	return cmd
}

// verification is what `update verify` is told.
type verification struct {
	keyFiles  []string
	extract   string
	downgrade bool
	asJSON    bool
}

func newUpdateVerify(g *global) *cobra.Command {
	var v verification
	cmd := &cobra.Command{
		Use:     "verify FILE",
		Example: "  oneclawd update verify --key release.pub oneclawd-1.2.0.bundle",
		Short:   "Check a bundle's signature and every byte, and whether it may be installed here",
		Long: `Check that a bundle is whole and signed by a trusted key, and say what it is,
whether it is for this machine, whether it opens the data of this oneclawd,
and what to run next. With --extract its files are put into a new folder, if
all is well. An older version, or one whose order cannot be told, is refused
unless you say --allow-downgrade.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := g.trusted(v.keyFiles)
			if err != nil {
				return err
			}
			return v.run(cmd.OutOrStdout(), args[0], keys)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&v.keyFiles, "key", nil, "file with public keys that are trusted, one a line, instead of the settings'; may be repeated")
	f.StringVar(&v.extract, "extract", "", "folder to make, for the files of the bundle")
	f.BoolVar(&v.downgrade, "allow-downgrade", false, "accept a version that is not newer")
	f.BoolVar(&v.asJSON, "json", false, "print JSON")
	return cmd
}

// trusted are the keys that a bundle may be signed with.
func (g *global) trusted(files []string) (keys []string, err error) {
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		more, err := update.Keys(string(text))
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	if len(files) == 0 {
		cfg, err := g.loadUnchecked()
		if err != nil {
			return nil, err
		}
		keys, err = update.Keys(strings.Join(append(cfg.Update.Keys, releaseKey), "\n"))
		if err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 {
		return nil, update.ErrUntrusted.Detail("no key is trusted: this oneclawd was built without one; give one with --key FILE or the setting update.keys")
	}
	return keys, nil
}

func (v verification) run(out io.Writer, path string, keys []string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	open, finish, err := v.target()
	if err != nil {
		return err
	}
	b, err := update.Read(f, keys, open)
	if err == nil {
		err = b.Manifest.Judge(here())
	}
	overruled := errors.Is(err, update.ErrDowngrade) && v.downgrade
	if overruled {
		err = nil
	}
	if err := finish(err); err != nil {
		return err
	}
	if v.asJSON {
		return json.NewEncoder(out).Encode(map[string]any{"manifest": b.Manifest, "signed_by": b.SignedBy, "downgrade": overruled})
	}
	return v.print(out, path, b, overruled)
}

func here() update.Here {
	return update.Here{Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH, Schema: store.Schema}
}

// target is where the files go: to a folder that has its name only once all of
// them were verified. finish takes what came of it.
func (v verification) target() (open func(update.File) (io.WriteCloser, error), finish func(error) error, err error) {
	if v.extract == "" {
		return nil, func(err error) error { return err }, nil
	}
	if _, err := os.Lstat(v.extract); err == nil {
		return nil, nil, fmt.Errorf("%s is there already; name a new folder", v.extract)
	}
	dir := filepath.Clean(v.extract)
	part, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*.part")
	if err != nil {
		return nil, nil, err
	}
	open = func(f update.File) (io.WriteCloser, error) {
		w, err := os.OpenFile(filepath.Join(part, f.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		return w, w.Chmod(0o644) // a release is for everybody to read
	}
	finish = func(err error) error {
		if err == nil {
			err = os.Chmod(part, 0o755) //nolint:gosec // apt reads it as a user of its own
		}
		if err == nil {
			err = os.Rename(part, dir)
		}
		if err != nil {
			_ = os.RemoveAll(part)
		}
		return err
	}
	return open, finish, nil
}

func (v verification) print(out io.Writer, path string, b update.Bundle, overruled bool) error {
	m := b.Manifest
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "bundle\t%s\nholds\toneclawd %s, commit %s, for %s/%s\nsigned by\t%s\n", path, m.Version, m.Commit, m.OS, m.Arch, strings.Join(b.SignedBy, ", "))
	fmt.Fprintf(w, "here\toneclawd %s, %s/%s: %s\n", version, runtime.GOOS, runtime.GOARCH, map[bool]string{true: "a downgrade, as you allowed", false: "it can be installed"}[overruled])
	fmt.Fprintf(w, "data\t%s\n", schemas(m))
	if m.Measurement != "" {
		fmt.Fprintf(w, "measurement\t%s\n", m.Measurement)
	}
	for _, f := range m.Files {
		fmt.Fprintf(w, "file\t%s, %d bytes, sha256 %s\n", f.Name, f.Size, f.SHA256)
	}
	fmt.Fprintf(w, "next\t%s\n", v.next(m, path))
	return w.Flush()
}

// schemas says what becomes of the data.
func schemas(m update.Manifest) string {
	switch {
	case store.Schema == m.Schema.To:
		return fmt.Sprintf("stays as it is (schema %d)", store.Schema)
	case store.Schema > m.Schema.To:
		return fmt.Sprintf("of schema %d is refused by it (it knows up to %d): restore a backup from before", store.Schema, m.Schema.To)
	}
	return fmt.Sprintf("is upgraded from schema %d to %d at the first start, after a backup", store.Schema, m.Schema.To)
}

func (v verification) next(m update.Manifest, path string) string {
	seal := ""
	if m.Measurement != "" {
		seal = "in an attested machine `oneclawd seal upgrade` first; then "
	}
	switch name := m.Package(); {
	case v.extract == "":
		return fmt.Sprintf("oneclawd update verify %s --extract new", path)
	case name != "":
		return seal + "sudo apt install " + filepath.Join(absolute(v.extract), name)
	default:
		return seal + "install the binary in " + absolute(v.extract)
	}
}

// absolute is a path that apt takes for one.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func newUpdateBundle() *cobra.Command {
	var keyFile, out, commit, from, measurement string
	cmd := &cobra.Command{
		Use:     "bundle --key FILE --out FILE FILE...",
		Example: "  oneclawd update bundle --key release.key --out oneclawd-1.2.0.bundle oneclawd_1.2.0_amd64.deb",
		Short:   "Make a signed bundle of a release of this very oneclawd",
		Long: `Make a bundle of the files of a release. Version, machine and schemas are those
of the oneclawd that makes it: use the one that is released.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := os.ReadFile(keyFile)
			if err != nil {
				return err
			}
			m := update.Manifest{
				Version: version, Commit: commit, OS: runtime.GOOS, Arch: runtime.GOARCH,
				Schema: update.Schema{From: store.OldestSchema, To: store.Schema}, UpgradeFrom: from, Measurement: measurement,
			}
			return create(out, 0o644, func(w io.Writer) error { return update.Write(w, m, args, strings.TrimSpace(string(key))) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&keyFile, "key", "", "file with the private key")
	f.StringVar(&out, "out", "", "the bundle, a file that is not there yet")
	f.StringVar(&commit, "commit", "", "commit that it was built from")
	f.StringVar(&from, "upgrade-from", "", "oldest version that it may be installed over")
	f.StringVar(&measurement, "measurement", "", "what an attested machine reports that boots it, in hex")
	_ = cmd.MarkFlagRequired("key")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func newUpdateKeygen() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "keygen NAME --out FILE",
		Example: "  oneclawd update keygen release-2026 --out release.key",
		Short:   "Make a key pair to sign bundles with; prints the public key",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			private, public, err := update.NewKey(args[0])
			if err != nil {
				return err
			}
			if err := create(out, 0o600, func(w io.Writer) error { _, err := fmt.Fprintln(w, private); return err }); err != nil {
				return err
			}
			cmd.Println(public)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file for the private key, which is not there yet")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// create makes a file that is not there yet; on an error nothing is left.
func create(path string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(mode), write(f), f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}
