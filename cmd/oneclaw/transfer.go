package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// item is a secret on its way in or out.
type item struct {
	Path  string `json:"path"`
	Type  string `json:"type,omitempty"`
	Value string `json:"value"`
}

func newSecretImport(p *place) *cobra.Command {
	var prefix, kind string
	var force, dry bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Write secrets from a .env or JSON file, each to a path of its own",
		Long: `Write a secret for each variable of a .env file, or each member of a JSON file: an object
of names and values, or a list as export writes it. Without FILE, or with -, standard
input is read. What is there already is left alone without --force.

  oneclaw secret import .env --prefix prod/ --dry-run

To keep a .env file as one secret: oneclaw env push.`,
		Args: cobra.MaximumNArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			items, err := readItems(cmd, strings.Join(args, ""))
			if err != nil {
				return err
			}
			there, err := remote.ListSecrets(cmd.Context(), vault, "")
			if err != nil {
				return err
			}
			known := map[string]bool{}
			for _, s := range there.Secrets {
				known[s.Path] = true
			}
			seal, err := p.sealer(cmd.Context(), remote, vault)
			if err != nil {
				return err
			}
			written := 0
			for _, it := range items {
				it.Path = prefix + it.Path
				if known[it.Path] && !force {
					p.say(cmd, "left alone: %s is there already (--force writes another version)", it.Path)
					continue
				}
				if it.Type = or(it.Type, kind); it.Type == "" && !known[it.Path] {
					it.Type = defaultType
				}
				if !dry {
					if _, err := remote.PutSecret(cmd.Context(), vault, it.Path, api.PutSecretRequest{Value: seal(it.Value), Type: it.Type}); err != nil {
						return fmt.Errorf("%s, after %d were written: %w", it.Path, written, err)
					}
				}
				written++
				p.say(cmd, "%s%s", map[bool]string{true: "would write ", false: "wrote "}[dry], it.Path)
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "put before each path, such as prod/")
	cmd.Flags().StringVarP(&kind, "type", "t", "", "type of what has none in the file")
	cmd.Flags().BoolVar(&force, "force", false, "write another version of what is there already")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be written")
	return cmd
}

// readItems reads a file, whose first character says which of the two it is.
func readItems(cmd *cobra.Command, name string) ([]item, error) {
	in := cmd.InOrStdin()
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := readValue(in, or(name, "standard input"))
	if err != nil {
		return nil, err
	}
	items, err := parseItems(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", or(name, "standard input"), err)
	}
	return items, nil
}

// errJSONItems says nothing of what is wrong: decoders show what they stumbled over,
// which may be a secret.
var errJSONItems = errors.New(`not JSON as it should be: {"NAME": "value", …} or [{"path": …, "value": …}, …]`)

func parseItems(text string) ([]item, error) {
	var items []item
	switch trimmed := strings.TrimSpace(text); {
	case strings.HasPrefix(trimmed, "["):
		if json.Unmarshal([]byte(text), &items) != nil {
			return nil, errJSONItems
		}
	case strings.HasPrefix(trimmed, "{"):
		values := map[string]string{}
		if json.Unmarshal([]byte(text), &values) != nil {
			return nil, errJSONItems
		}
		for _, name := range sortedKeys(values) {
			items = append(items, item{Path: name, Value: values[name]})
		}
	default:
		variables, err := parseDotenv(text)
		if err != nil {
			return nil, err
		}
		for _, v := range variables {
			items = append(items, item{Path: v.Name, Value: v.Value})
		}
	}
	for _, it := range items {
		if it.Path == "" {
			return nil, errJSONItems
		}
	}
	return items, nil
}

func newSecretExport(p *place) *cobra.Command {
	var prefix, output, format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all values that you may read to a file",
		Long: `Read every secret below a prefix and write it down: as JSON, with paths and types, which
import reads back; or as .env or shell lines, whose names are the paths in capitals, with
_ for what names cannot have. A file is made for you alone (mode 0600). On a terminal it
asks first.

Each value is read, and so is in the audit log and counts where reads are limited.`,
		Args: cobra.NoArgs,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			if err := p.mayShow(cmd, output); err != nil {
				return err
			}
			items, err := p.readAll(cmd, remote, vault, prefix, nil)
			if err != nil {
				return err
			}
			if format == formatJSON {
				return deliver(cmd, output, func(w io.Writer) error { return printJSON(w, items) })
			}
			variables := make([]variable, len(items))
			for i, it := range items {
				variables[i] = variable{environmentName(it.Path), it.Value}
			}
			if err := distinct(variables); err != nil {
				return err
			}
			return deliver(cmd, output, func(w io.Writer) error { return writeVariables(w, format, variables) })
		}),
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "only what begins with it")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write, instead of standard output")
	cmd.Flags().StringVar(&format, "format", formatJSON, "json, dotenv or shell")
	return cmd
}

// mayShow asks before many values go to a screen.
func (c *cli) mayShow(cmd *cobra.Command, output string) error {
	if _, shown := terminal(cmd.OutOrStdout()); !shown || output != "" || c.quiet {
		return nil
	}
	return c.confirm(cmd, "Show the values on this screen?")
}

// readAll reads the values below a prefix, of some types or of all.
func (p *place) readAll(cmd *cobra.Command, remote *client.Client, vault, prefix string, types []string) ([]item, error) {
	all, err := remote.ListSecrets(cmd.Context(), vault, prefix)
	if err != nil {
		return nil, err
	}
	items := []item{}
	for _, meta := range all.Secrets {
		if !oneOf(types, meta.Type) {
			continue
		}
		s, err := p.fetch(cmd.Context(), remote, vault, meta.Path, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", meta.Path, err)
		}
		items = append(items, item{Path: s.Path, Type: s.Type, Value: s.Value})
	}
	return items, nil
}

func oneOf(all []string, s string) bool {
	for _, one := range all {
		if one == s {
			return true
		}
	}
	return len(all) == 0
}

// deliver writes to a file that only this user reads, or to standard output.
func deliver(cmd *cobra.Command, output string, write func(io.Writer) error) error {
	if output == "" {
		return write(cmd.OutOrStdout())
	}
	var b strings.Builder
	if err := write(&b); err != nil {
		return err
	}
	whole, err := filepath.Abs(output)
	if err != nil {
		return err
	}
	return writePrivate(whole, []byte(b.String()))
}
