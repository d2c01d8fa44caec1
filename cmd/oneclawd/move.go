package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// moveFormat names the content of an exported vault: JSON, one value a line; a
// header, a line for each secret, and an end that counts them.
const moveFormat = "oneclawd vault 1"

type movedVault struct {
	Format      string    `json:"format"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	ExportedAt  time.Time `json:"exported_at"`
}

type movedSecret struct {
	Path      string   `json:"path"`
	Type      string   `json:"type"`
	Metadata  any      `json:"metadata,omitempty"`
	ExpiresAt api.Time `json:"expires_at,omitzero"`
	Values    []string `json:"values"` // oldest version first
}

type movedEnd struct {
	Secrets *int `json:"secrets"`
}

func newVault() *cobra.Command {
	cmd := &cobra.Command{Use: "vault", Short: "Move a vault to another appliance"}
	cmd.AddCommand(newVaultExport(), newVaultImport())
	return cmd
}

func newVaultExport() *cobra.Command {
	var to []string
	var out, passphraseFile string
	cmd := &cobra.Command{
		Use:   "export VAULT",
		Short: "Write a vault's secrets into a file that only its recipient can read",
		Long: `Write the secrets of a vault, with the versions that can still be read, into a file
encrypted with age (age-encryption.org) to a recipient or under a passphrase. Who
asks must be allowed to read every path; each read is in the audit log, and
counts where reads are limited. Policies and shares stay behind: they name
people and agents of this appliance. VAULT is an id or a name.`,
		Example: "  oneclawd vault export production --to age1… --out production.age",
		Args:    cobra.ExactArgs(1),
	}
	connect := remote(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		recipients, err := recipientsOf(cmd, to, passphraseFile)
		if err != nil {
			return err
		}
		if out == "" && term.IsTerminal(int(os.Stdout.Fd())) {
			return errors.New("say where to: --out FILE")
		}
		pipe, w := io.Pipe()
		n := 0
		go func() {
			var err error
			n, err = exportVault(cmd.Context(), connect(), args[0], w, recipients)
			_ = w.CloseWithError(err)
		}()
		if out == "" {
			_, err = io.Copy(cmd.OutOrStdout(), pipe)
		} else {
			err = writeWhole(out, pipe)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%d secrets exported\n", n)
		return nil
	}
	f := cmd.Flags()
	f.StringArrayVar(&to, "to", nil, "age recipient (age1…); may be repeated")
	f.StringVar(&passphraseFile, "passphrase-file", "", "instead: file with a passphrase")
	f.StringVar(&out, "out", "", "file to write, instead of standard output")
	cmd.MarkFlagsMutuallyExclusive("to", "passphrase-file")
	return cmd
}

// recipientsOf is who can read the file.
func recipientsOf(cmd *cobra.Command, to []string, passphraseFile string) ([]age.Recipient, error) {
	if len(to) > 0 {
		return age.ParseRecipients(strings.NewReader(strings.Join(to, "\n")))
	}
	pass, err := secretOrFile(cmd, passphraseFile, "Passphrase for the file: ")
	if err != nil {
		return nil, err
	}
	defer pass.Wipe()
	r, err := age.NewScryptRecipient(string(pass.Reveal()))
	return []age.Recipient{r}, err
}

// exportVault writes all a vault's secrets and returns how many there were.
func exportVault(ctx context.Context, c *client, name string, to io.Writer, recipients []age.Recipient) (n int, err error) {
	v, err := findVault(ctx, c, name)
	if err != nil {
		return 0, err
	}
	var list api.SecretListResponse
	if err := c.call(ctx, http.MethodGet, "/v1/vaults/"+v.ID+"/secrets", nil, &list); err != nil {
		return 0, err
	}
	w, err := age.Encrypt(to, recipients...)
	if err != nil {
		return 0, err
	}
	lines := json.NewEncoder(w)
	err = lines.Encode(movedVault{Format: moveFormat, Name: v.Name, Description: v.Description, ExportedAt: time.Now().UTC()})
	for _, s := range list.Secrets {
		if err != nil {
			return 0, err
		}
		moved, bad := exportSecret(ctx, c, v.ID, s)
		if bad != nil {
			return 0, fmt.Errorf("%s: %w", s.Path, bad)
		}
		err = lines.Encode(moved)
	}
	n = len(list.Secrets)
	return n, errors.Join(err, lines.Encode(movedEnd{Secrets: &n}), w.Close())
}

func exportSecret(ctx context.Context, c *client, vault string, s api.SecretMetadataResponse) (movedSecret, error) {
	moved := movedSecret{Path: s.Path, Type: s.Type, Metadata: s.Metadata, ExpiresAt: s.ExpiresAt}
	for version := 1; version <= s.Version; version++ {
		var r api.SecretResponse
		err := c.call(ctx, http.MethodGet, fmt.Sprintf("/v1/vaults/%s/secret-version/%s/%d", vault, escaped(s.Path), version), nil, &r)
		var no *refused
		switch {
		case errors.As(err, &no) && (no.status == http.StatusGone || no.status == http.StatusNotFound) && version < s.Version:
			continue // disabled, or expired
		case err != nil:
			return moved, err
		}
		moved.Values = append(moved.Values, r.Value)
	}
	return moved, nil
}

func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// findVault finds a vault by its id, or by a name that only one has.
func findVault(ctx context.Context, c *client, name string) (v api.VaultResponse, err error) {
	var all api.VaultListResponse
	if err := c.call(ctx, http.MethodGet, "/v1/vaults", nil, &all); err != nil {
		return v, err
	}
	found := 0
	for _, one := range all.Vaults {
		if one.ID == name {
			return one, nil
		}
		if one.Name == name {
			v, found = one, found+1
		}
	}
	switch found {
	case 0:
		return v, fmt.Errorf("there is no vault %q that you may see", name)
	case 1:
		return v, nil
	}
	return v, fmt.Errorf("%d vaults are called %q; say which by its id", found, name)
}

func newVaultImport() *cobra.Command {
	var identityFile, passphraseFile, name string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a vault of what another appliance exported",
		Long: `Make a new vault and write into it what ` + "`oneclawd vault export`" + ` wrote: every version,
oldest first. All of the file is read and checked before anything is made. If it
stops in between, delete the vault it made and start over.`,
		Example: "  oneclawd vault import production.age --identity key.txt",
		Args:    cobra.ExactArgs(1),
	}
	connect := remote(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		identities, err := identitiesOf(cmd, identityFile, passphraseFile)
		if err != nil {
			return err
		}
		v, secrets, err := readMoved(args[0], identities)
		if err != nil {
			return err
		}
		if name == "" {
			name = v.Name
		}
		c := connect()
		var made api.VaultResponse
		if err := c.call(cmd.Context(), http.MethodPost, "/v1/vaults", api.CreateVaultRequest{Name: name, Description: v.Description}, &made); err != nil {
			return err
		}
		for _, s := range secrets {
			for _, value := range s.Values {
				body := map[string]any{"type": s.Type, "value": value, "metadata": s.Metadata}
				if !s.ExpiresAt.IsZero() {
					body["expires_at"] = s.ExpiresAt
				}
				if err := c.call(cmd.Context(), http.MethodPut, "/v1/vaults/"+made.ID+"/secrets/"+escaped(s.Path), body, nil); err != nil {
					return fmt.Errorf("vault %s (%s) was made, and %s was not written: %w", made.Name, made.ID, s.Path, err)
				}
			}
		}
		cmd.Printf("vault %s (%s): %d secrets\n", made.Name, made.ID, len(secrets))
		return nil
	}
	f := cmd.Flags()
	f.StringVar(&identityFile, "identity", "", "file with the age identity (AGE-SECRET-KEY-…) that can read it")
	f.StringVar(&passphraseFile, "passphrase-file", "", "instead: file with its passphrase")
	f.StringVar(&name, "name", "", "name of the new vault; that of the old one if it is not said")
	cmd.MarkFlagsMutuallyExclusive("identity", "passphrase-file")
	return cmd
}

func identitiesOf(cmd *cobra.Command, identityFile, passphraseFile string) ([]age.Identity, error) {
	if identityFile != "" {
		f, err := os.Open(identityFile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return age.ParseIdentities(f)
	}
	pass, err := secretOrFile(cmd, passphraseFile, "Passphrase of the file: ")
	if err != nil {
		return nil, err
	}
	defer pass.Wipe()
	i, err := age.NewScryptIdentity(string(pass.Reveal()))
	return []age.Identity{i}, err
}

// readMoved reads an exported vault to its end.
func readMoved(path string, identities []age.Identity) (v movedVault, secrets []movedSecret, err error) {
	f, err := os.Open(path)
	if err != nil {
		return v, nil, err
	}
	defer f.Close()
	r, err := age.Decrypt(bufio.NewReader(f), identities...)
	if err != nil {
		return v, nil, fmt.Errorf("%s: %w", path, err)
	}
	lines := json.NewDecoder(r)
	if err := lines.Decode(&v); err != nil || v.Format != moveFormat {
		return v, nil, fmt.Errorf("%s is no vault that was exported", path)
	}
	for {
		var line struct {
			movedSecret
			movedEnd
		}
		if err := lines.Decode(&line); err != nil {
			return v, nil, fmt.Errorf("%s is damaged or cut short: %w", path, err)
		}
		if line.Secrets == nil {
			secrets = append(secrets, line.movedSecret)
			continue
		}
		if *line.Secrets != len(secrets) {
			return v, nil, fmt.Errorf("%s has %d secrets and says that it has %d", path, len(secrets), *line.Secrets)
		}
		return v, secrets, nil
	}
}
