package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

const (
	formatDotenv = "dotenv"
	formatShell  = "shell"

	typeBundle = "env_bundle"
	bundlePath = "config/env"
)

// environmentTypes are the types of secrets that programs get in their environment.
var environmentTypes = []string{typeBundle, "api_key", "password"}

func newEnv(c *cli) *cobra.Command {
	p := &place{cli: c}
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Environments of programs: keep .env files, get them back, run with them",
		Long: `Secrets of the types env_bundle, api_key and password are the environment of programs. A
bundle is a whole .env file; any other secret is one variable, named by its path in
capitals, with _ for / and -. Where two have the same name, the later path wins.

  oneclaw env push .env
  oneclaw env pull -o .env.local
  eval "$(oneclaw env pull --format shell)"
  oneclaw run -- npm start`,
	}
	vaultFlag(cmd, &p.vault)
	return group(cmd, newEnvPull(p), newEnvPush(p), newRun(p))
}

func newEnvPull(p *place) *cobra.Command {
	var prefix, format, output string
	cmd := &cobra.Command{
		Use: "pull", Short: "Write the environment as .env, JSON or shell lines", Args: cobra.NoArgs,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			if p.json && !cmd.Flags().Changed("format") {
				format = formatJSON
			}
			if err := checkFormat(format); err != nil {
				return err
			}
			if err := p.mayShow(cmd, output); err != nil {
				return err
			}
			variables, _, err := p.environment(cmd, remote, vault, prefix)
			if err != nil {
				return err
			}
			if err := deliver(cmd, output, func(w io.Writer) error { return writeVariables(w, format, variables) }); err != nil {
				return err
			}
			if output != "" {
				p.say(cmd, "Wrote %d variables to %s.", len(variables), output)
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "only secrets whose path begins with it")
	cmd.Flags().StringVarP(&format, "format", "f", formatDotenv, "dotenv, json or shell")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write (mode 0600), instead of standard output")
	return cmd
}

func newEnvPush(p *place) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "push FILE", Short: "Keep a .env file as one secret, with its comments", Args: cobra.ExactArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			text, err := readValue(f, args[0])
			if err != nil {
				return err
			}
			variables, err := parseDotenv(text)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			seal, err := p.sealer(cmd.Context(), remote, vault)
			if err != nil {
				return err
			}
			if _, err := remote.PutSecret(cmd.Context(), vault, path, api.PutSecretRequest{Value: seal(text), Type: typeBundle}); err != nil {
				return err
			}
			p.say(cmd, "Kept %d variables of %s at %s.", len(variables), args[0], path)
			return nil
		}),
	}
	cmd.Flags().StringVarP(&path, "path", "p", bundlePath, "path of the secret")
	return cmd
}

// environment is what programs get, and the secrets it came from.
func (p *place) environment(cmd *cobra.Command, remote *client.Client, vault, prefix string) ([]variable, []item, error) {
	items, err := p.readAll(cmd, remote, vault, prefix, environmentTypes)
	if err != nil {
		return nil, nil, err
	}
	var all []variable
	at := map[string]int{}
	for _, it := range items {
		found := []variable{{environmentName(it.Path), it.Value}}
		if it.Type == typeBundle {
			if found, err = parseDotenv(it.Value); err != nil {
				return nil, nil, fmt.Errorf("%s is not a .env file: %w", it.Path, err)
			}
		}
		for _, v := range found {
			if i, twice := at[v.Name]; twice {
				all[i] = v
				continue
			}
			at[v.Name] = len(all)
			all = append(all, v)
		}
	}
	return all, items, nil
}

// environmentName is the name of the variable that a secret becomes.
func environmentName(path string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, path)
	name = strings.ToUpper(name)
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "_" + name // no name begins with a digit
	}
	return name
}

// distinct fails where two secrets would be one variable.
func distinct(variables []variable) error {
	seen := map[string]bool{}
	for _, v := range variables {
		if seen[v.Name] {
			return fmt.Errorf("two secrets would both be %s: export them as JSON, or each with its --prefix", v.Name)
		}
		seen[v.Name] = true
	}
	return nil
}

func checkFormat(format string) error {
	switch format {
	case formatDotenv, formatJSON, formatShell:
		return nil
	}
	return usagef("--format is dotenv, json or shell, not %q", format)
}

func writeVariables(w io.Writer, format string, variables []variable) error {
	if format == formatJSON {
		values := map[string]string{}
		for _, v := range variables {
			values[v.Name] = v.Value
		}
		return printJSON(w, values)
	}
	line := dotenvLine
	if format == formatShell {
		line = shellLine
	}
	for _, v := range variables {
		if _, err := fmt.Fprintln(w, line(v)); err != nil {
			return err
		}
	}
	return nil
}
