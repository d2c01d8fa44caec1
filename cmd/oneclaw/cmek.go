package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

// vaultKeys are the keys of one vault's values, the current one first. Earlier ones are
// kept until a rotation has ended.
type vaultKeys struct {
	Keys []string `json:"keys"`
}

// keys is where keys of vaults are kept: as sign-ins are, and apart from them.
func (c *cli) keys() (store[vaultKeys], error) {
	return openStore[vaultKeys](c, "oneclaw keys", "cmek-keys.json")
}

// loadKeys are the keys that are kept for a vault.
func (c *cli) loadKeys(vault string) ([]cmek.Key, error) {
	s, err := c.keys()
	if err != nil {
		return nil, err
	}
	kept, _, err := s.load(profileName(c.address(), vault))
	if err != nil {
		return nil, err
	}
	var all []cmek.Key
	for _, text := range kept.Keys {
		k, err := cmek.ParseKey(text)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

func (c *cli) saveKeys(vault string, all ...cmek.Key) (where string, err error) {
	s, err := c.keys()
	if err != nil {
		return "", err
	}
	var kept vaultKeys
	for _, k := range all {
		kept.Keys = append(kept.Keys, k.Encode())
	}
	return s.save(profileName(c.address(), vault), kept)
}

// sealer returns what makes of a value what the vault takes: the value itself, or, where
// writers encrypt, the value under the vault's key. Without that key nothing is written:
// the appliance would get a value that it must not see.
func (p *place) sealer(ctx context.Context, remote *client.Client, vault string) (func(string) string, error) {
	v, err := remote.GetVault(ctx, vault)
	if err != nil {
		return nil, err
	}
	if !v.CMEKEnabled {
		return func(value string) string { return value }, nil
	}
	all, err := p.loadKeys(vault)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.Fingerprint() == v.CMEKFingerprint {
			return k.Seal, nil
		}
	}
	return nil, notFound(fmt.Sprintf("values of %s are encrypted by whoever writes them, and its key %.12s… is not on this machine\n→ `oneclaw cmek import --vault %s --key FILE`", v.Name, v.CMEKFingerprint, vault))
}

// unseal decrypts what the appliance cannot.
func (p *place) unseal(vault string, s api.SecretResponse, err error) (api.SecretResponse, error) {
	if err != nil || !s.CMEKEncrypted {
		return s, err
	}
	all, err := p.loadKeys(vault)
	if err != nil {
		return s, err
	}
	for _, k := range all {
		if value, err := k.Open(s.Value); err == nil {
			s.Value = value
			return s, nil
		}
	}
	return api.SecretResponse{}, notFound(fmt.Sprintf("%s was encrypted by whoever wrote it, with a key that is not on this machine\n→ `oneclaw cmek import --vault %s --key FILE`", s.Path, vault))
}

func newCMEK(c *cli) *cobra.Command {
	p := &place{cli: c}
	cmd := &cobra.Command{
		Use:   "cmek",
		Short: "Keys of your own: values that the appliance cannot read",
		Long: `In a vault with a key of your own, values are encrypted on this machine before they are
sent, and decrypted here after they were read. The appliance knows the key's fingerprint.
Keys are kept where sign-ins are. Without the key the values are lost: keep a copy.

  oneclaw cmek enable --vault production
  oneclaw cmek export --vault production --out production.key    a copy, for a safe place
  oneclaw cmek import --vault production --key production.key    on another machine

Whoever else writes or reads in the vault needs the key.`,
	}
	vaultFlag(cmd, &p.vault)
	return group(cmd, newCMEKKeygen(c), newCMEKEnable(p), newCMEKImport(p), newCMEKExport(p), newCMEKRotate(p), newCMEKDisable(p))
}

// readKey reads the key in a file, or makes one up where none is named.
func readKey(file string) (cmek.Key, error) {
	if file == "" {
		return cmek.NewKey(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return cmek.Key{}, err
	}
	k, err := cmek.ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return k, fmt.Errorf("%s: %w", file, err)
	}
	return k, nil
}

// writeKey puts a key into a new file.
func writeKey(cmd *cobra.Command, file string, k cmek.Key) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already, and may be a key: nothing was done", filepath.Base(file))
	}
	return deliver(cmd, file, func(w io.Writer) error { _, err := fmt.Fprintln(w, k.Encode()); return err })
}

func newCMEKKeygen(c *cli) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "keygen", Short: "Make a key, put it into a file and print its fingerprint", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			k := cmek.NewKey()
			if err := writeKey(cmd, out, k); err != nil {
				return err
			}
			return c.one(cmd, map[string]string{"fingerprint": k.Fingerprint(), "file": out}, [][2]string{{"Fingerprint", k.Fingerprint()}, {"File", out}})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to make (mode 0600)")
	_ = cmd.MarkFlagRequired("out") // it fails for a flag that is not there
	return cmd
}

func newCMEKEnable(p *place) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "enable", Short: "Encrypt a vault's values here from now on", Args: cobra.NoArgs,
		Long: `Encrypt the values that are written into a vault from now on, with the key in a file or
one that is made up. What is there already stays as it is until it is written again.`,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			k, err := readKey(file)
			if err != nil {
				return err
			}
			v, err := remote.GetVault(cmd.Context(), vault)
			if err != nil {
				return err
			}
			if v.CMEKEnabled && v.CMEKFingerprint != k.Fingerprint() {
				return errors.New("the vault has a key already\n→ `oneclaw cmek rotate` gives it another one")
			}
			where, err := p.saveKeys(vault, k) // first: a key that only the vault knows of is lost
			if err != nil {
				return err
			}
			if v, err = remote.EnableCMEK(cmd.Context(), vault, api.EnableCmekRequest{Fingerprint: k.Fingerprint()}); err != nil {
				return err
			}
			p.say(cmd, "The key is kept in %s. Without it the values are lost: `oneclaw cmek export` makes a copy.", where)
			return p.one(cmd, v, [][2]string{{"Fingerprint", v.CMEKFingerprint}, {"Vault", v.Name}})
		}),
	}
	cmd.Flags().StringVar(&file, "key", "", "file with the key, instead of one that is made up")
	return cmd
}

func newCMEKImport(p *place) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "import", Short: "Keep a vault's key on this machine", Args: cobra.NoArgs,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			k, err := readKey(file)
			if err != nil {
				return err
			}
			v, err := remote.GetVault(cmd.Context(), vault)
			if err != nil {
				return err
			}
			if v.CMEKEnabled && v.CMEKFingerprint != k.Fingerprint() {
				return usagef("that is key %.12s…, and %s has %.12s…", k.Fingerprint(), v.Name, v.CMEKFingerprint)
			}
			where, err := p.saveKeys(vault, k)
			if err != nil {
				return err
			}
			p.say(cmd, "The key of %s is kept in %s.", v.Name, where)
			return nil
		}),
	}
	cmd.Flags().StringVar(&file, "key", "", "file with the key")
	_ = cmd.MarkFlagRequired("key") // it fails for a flag that is not there
	return cmd
}

func newCMEKExport(p *place) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "export", Short: "Write a copy of a vault's key to a file", Args: cobra.NoArgs,
		RunE: p.work(func(cmd *cobra.Command, _ *client.Client, vault string, _ []string) error {
			all, err := p.loadKeys(vault)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				return notFound("no key of this vault is kept on this machine")
			}
			if err := writeKey(cmd, out, all[0]); err != nil {
				return err
			}
			p.say(cmd, "Key %.12s… is in %s. Whoever has it can read the values.", all[0].Fingerprint(), out)
			return nil
		}),
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to make (mode 0600)")
	_ = cmd.MarkFlagRequired("out") // it fails for a flag that is not there
	return cmd
}

func newCMEKRotate(p *place) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "rotate", Short: "Encrypt all values of a vault with another key", Args: cobra.NoArgs,
		Long: `Have the appliance decrypt each value of a vault and encrypt it with another key: the one
in a file, or one that is made up. For that it gets both keys, and forgets them when it is
done. This waits until then.`,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			all, err := p.loadKeys(vault)
			if err != nil {
				return err
			}
			v, err := remote.GetVault(cmd.Context(), vault)
			if err != nil {
				return err
			}
			from, ok := current(all, v)
			if !ok {
				return notFound("the key that the vault has is not on this machine, or it has none\n→ `oneclaw cmek import`, or `oneclaw cmek enable`")
			}
			to, err := readKey(file)
			if err != nil {
				return err
			}
			if err := p.confirm(cmd, "Give the appliance both keys, to encrypt all values of "+v.Name+" with another?"); err != nil {
				return err
			}
			if _, err := p.saveKeys(vault, to, from); err != nil { // both are good until it is done
				return err
			}
			job, err := remote.RotateCMEK(cmd.Context(), vault, from, to)
			if err != nil {
				_, kept := p.saveKeys(vault, from)
				return errors.Join(err, kept)
			}
			return p.follow(cmd, remote, vault, job, to)
		}),
	}
	cmd.Flags().StringVar(&file, "key", "", "file with the other key, instead of one that is made up")
	return cmd
}

// current is the key among some that the vault has.
func current(all []cmek.Key, v api.VaultResponse) (cmek.Key, bool) {
	for _, k := range all {
		if v.CMEKEnabled && k.Fingerprint() == v.CMEKFingerprint {
			return k, true
		}
	}
	return cmek.Key{}, false
}

// follow waits for a rotation, and forgets the key before when it is done.
func (p *place) follow(cmd *cobra.Command, remote *client.Client, vault string, job api.CmekRotationJobResponse, to cmek.Key) error {
	for job.Status == "pending" || job.Status == "running" {
		select {
		case <-cmd.Context().Done():
			return errors.New("the rotation goes on; both keys are kept")
		case <-time.After(200 * time.Millisecond):
		}
		var err error
		if job, err = remote.GetCMEKRotationJob(cmd.Context(), vault, job.ID); err != nil {
			return err
		}
	}
	if job.Status != "completed" {
		return fmt.Errorf("the rotation %s: %s; both keys are kept", job.Status, job.Error)
	}
	where, err := p.saveKeys(vault, to)
	if err != nil {
		return err
	}
	p.say(cmd, "The new key is kept in %s: make a copy of it with `oneclaw cmek export`.", where)
	return p.one(cmd, job, [][2]string{{"Fingerprint", job.NewFingerprint}, {"Values", fmt.Sprintf("%d of %d", job.Processed, job.TotalSecrets)}})
}

func newCMEKDisable(p *place) *cobra.Command {
	return &cobra.Command{
		Use: "disable", Short: "Send a vault's values as they are from now on", Args: cobra.NoArgs,
		Long: `Send the values that are written into a vault from now on as they are. Those that were
encrypted stay so, and the key is kept here to read them.`,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			if err := p.confirm(cmd, "Send new values of the vault as they are?"); err != nil {
				return err
			}
			v, err := remote.DisableCMEK(cmd.Context(), vault)
			if err != nil {
				return err
			}
			p.say(cmd, "%s has no key of its own any more. What was encrypted stays so until it is written again.", v.Name)
			return nil
		}),
	}
}
