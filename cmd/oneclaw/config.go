package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The settings that there are. Others in the file are kept: it is shared with other
// clients of the same API.
const (
	keyAPIURL = "api-url"
	keyFormat = "output-format"
	keyVault  = "default-vault"
	keyStore  = "credential-store"
)

const (
	formatTable = "table"
	formatJSON  = "json"
)

var settings = map[string]string{
	keyAPIURL: "base URL of the appliance",
	keyFormat: "what is printed: table or json",
	keyVault:  "id or name of the vault where none is named",
	keyStore:  "where login keeps what it got: auto, keyring or file",
}

// config is the configuration file.
type config struct {
	path   string
	values map[string]json.RawMessage
}

// configDir is the folder of everything that is kept for this user.
func configDir() (string, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "1claw"), nil
}

func configFile() (string, error) {
	dir, err := configDir()
	return filepath.Join(dir, "config.json"), err
}

// readConfig reads the file; one that is not there says nothing.
func readConfig(path string) (*config, error) {
	c := &config{path: path, values: map[string]json.RawMessage{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &c.values); err != nil {
		return nil, fmt.Errorf("%s is not JSON as it should be: %w; mend or remove it", path, err)
	}
	return c, nil
}

// get is a setting, "" if it is not made.
func (c *config) get(key string) string {
	var s string
	_ = json.Unmarshal(c.values[key], &s) // what is no string is none of ours
	return s
}

// set makes a setting; "" unmakes it.
func (c *config) set(key, value string) error {
	if value == "" {
		delete(c.values, key)
	} else {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		c.values[key] = text
	}
	text, err := json.MarshalIndent(c.values, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(c.path, append(text, '\n'))
}

// writePrivate replaces a file by one that only this user reads, whole or not at all.
func writePrivate(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is gone if all went well
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// checkSetting refuses what could not be used.
func checkSetting(key, value string) error {
	if _, known := settings[key]; !known {
		return usagef("there is no setting %q; there are %s", key, strings.Join(sortedKeys(settings), ", "))
	}
	oneOf := func(values ...string) error {
		if slices.Contains(values, value) {
			return nil
		}
		return usagef("%s is one of %s, not %q", key, strings.Join(values, ", "), value)
	}
	switch key {
	case keyFormat:
		return oneOf(formatTable, formatJSON)
	case keyStore:
		return oneOf(storeAuto, storeKeyring, storeFile)
	case keyAPIURL:
		if u, err := url.Parse(value); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
			return usagef("%s must look like https://vault.internal:8200", key)
		}
	}
	return nil
}

func newConfig(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Settings that are kept for you on this machine",
		Long: `Settings are kept in 1claw/config.json of your configuration folder (XDG_CONFIG_HOME,
or ~/.config). Flags win over the environment, the environment over settings.

  api-url           base URL of the appliance
  output-format     table or json
  default-vault     id or name of the vault where none is named
  credential-store  where login keeps what it got: auto, keyring or file

No credential is ever kept in this file.`,
	}
	get := &cobra.Command{
		Use: "get KEY", Short: "Print a setting", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, known := settings[args[0]]; !known {
				return checkSetting(args[0], "")
			}
			cmd.Println(c.config.get(args[0]))
			return nil
		},
	}
	set := &cobra.Command{
		Use: "set KEY VALUE", Short: "Make a setting; an empty value unmakes it", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if args[1] != "" || settings[args[0]] == "" {
				if err := checkSetting(args[0], args[1]); err != nil {
					return err
				}
			}
			return c.config.set(args[0], args[1])
		},
	}
	list := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "Print all settings", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			made := map[string]string{}
			var rows [][]string
			for _, key := range sortedKeys(settings) {
				made[key] = c.config.get(key)
				rows = append(rows, []string{key, or(made[key], "-"), settings[key]})
			}
			return c.list(cmd, made, []string{"SETTING", "VALUE", "WHAT IT IS"}, rows)
		},
	}
	for _, sub := range []*cobra.Command{get, set} {
		sub.ValidArgs = sortedKeys(settings)
	}
	return group(cmd, get, set, list)
}
