package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/tailscale/hujson"

	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/mcp"
)

// modelClient is a program that has MCP servers in a configuration file.
type modelClient struct {
	name    string
	user    func(home, configs string) string // its file for everything
	project string                            // its file in a project, "" if it has none
	section string                            // the member that holds the servers
	typed   bool                              // whether an entry says its transport
}

// modelClients are the programs that are known. The second argument of user is where
// programs of this system keep their settings.
var modelClients = []modelClient{
	{"claude-desktop", func(_, configs string) string { return filepath.Join(configs, "Claude", "claude_desktop_config.json") }, "", "mcpServers", false},
	{"claude-code", func(home, _ string) string { return filepath.Join(home, ".claude.json") }, ".mcp.json", "mcpServers", true},
	{"cursor", func(home, _ string) string { return filepath.Join(home, ".cursor", "mcp.json") }, filepath.Join(".cursor", "mcp.json"), "mcpServers", false},
	{"vscode", func(_, configs string) string { return filepath.Join(configs, "Code", "User", "mcp.json") }, filepath.Join(".vscode", "mcp.json"), "servers", true},
}

// serverName is what the server is called in these files, as the hosted product's is.
const serverName = "1claw"

// serverEntry is how a client starts the server.
type serverEntry struct {
	Type    string            `json:"type,omitempty"`
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env,omitempty"`
}

func newMCPInstall(c *cli, profile *string) *cobra.Command {
	var in input
	var project, show bool
	var vault string
	cmd := &cobra.Command{
		Use:   "install CLIENT",
		Short: "Add the server to a client: claude-desktop, claude-code, cursor or vscode",
		Long: `Add the server to the configuration of claude-desktop, claude-code, cursor or vscode, beside
what is there, and keep a copy of the file as it was. The key of the agent (ocv_…) is
asked for, or read from --stdin or --file, and kept where sign-ins are: it is not in the
client's configuration. If one is kept already, it is used.

  oneclaw agent create assistant --key-file assistant.key
  oneclaw mcp install cursor --file assistant.key
  oneclaw mcp install vscode --project
  oneclaw mcp install claude-code --print     only shows what would be written`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"claude-desktop", "claude-code", "cursor", "vscode"},
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := findClient(args[0], project)
			if err != nil {
				return err
			}
			entry, err := c.serverEntry(target.client, *profile, vault)
			if err != nil {
				return err
			}
			if show {
				return printJSON(cmd.OutOrStdout(), map[string]any{target.client.section: map[string]any{serverName: entry}})
			}
			if err := c.keepAgentKey(cmd, in, *profile); err != nil {
				return err
			}
			saved, err := addServer(target.file, target.client.section, entry)
			if err != nil {
				return err
			}
			if saved != "" {
				c.say(cmd, "The file as it was is %s.", saved)
			}
			c.say(cmd, "Added %s to %s. Restart %s to use it.", serverName, target.file, target.client.name)
			return nil
		},
	}
	in.flags(cmd)
	cmd.Flags().BoolVar(&project, "project", false, "for the project in this folder alone")
	cmd.Flags().BoolVar(&show, "print", false, "print what would be written, and write nothing")
	cmd.Flags().StringVarP(&vault, "vault", "v", "", "id of the vault to use, if not the agent's first")
	return cmd
}

// target is a client and the file of it that is meant.
type target struct {
	client modelClient
	file   string
}

func findClient(name string, project bool) (target, error) {
	for _, m := range modelClients {
		if m.name != name {
			continue
		}
		if project {
			if m.project == "" {
				return target{}, usagef("%s has no configuration of a project", name)
			}
			file, err := filepath.Abs(m.project)
			return target{m, file}, err
		}
		home, err := os.UserHomeDir()
		if err != nil {
			return target{}, err
		}
		configs, err := os.UserConfigDir()
		if runtime.GOOS == "linux" { // not XDG_CONFIG_HOME, which these programs do not ask
			configs, err = filepath.Join(home, ".config"), nil
		}
		return target{m, m.user(home, configs)}, err
	}
	return target{}, usagef("unknown client %q", name)
}

// serverEntry says how to start this program, with what is no secret.
func (c *cli) serverEntry(m modelClient, profile, vault string) (serverEntry, error) {
	self, err := os.Executable()
	if err != nil {
		return serverEntry{}, err
	}
	e := serverEntry{Command: self, Args: []string{"mcp"}, Env: map[string]string{mcp.EnvBaseURL: c.address()}}
	if m.typed {
		e.Type = "stdio"
	}
	if profile != defaultProfile {
		e.Args = append(e.Args, "--profile", profile)
	}
	if c.ca != "" {
		if e.Env["ONECLAW_CA_FILE"], err = filepath.Abs(c.ca); err != nil {
			return e, err
		}
	}
	if vault != "" {
		e.Env[mcp.EnvVault] = vault
	}
	return e, nil
}

// keepAgentKey tries the key of an agent and keeps it, unless one is there already and no
// other is given.
func (c *cli) keepAgentKey(cmd *cobra.Command, in input, profile string) error {
	s, err := c.store()
	if err != nil {
		return err
	}
	name := profileName(c.address(), profile)
	if _, there, err := s.load(name); err != nil || there && !in.stdin && in.file == "" {
		return err
	}
	key, err := in.read(cmd, "Key of the agent (ocv_…)")
	if err != nil {
		return err
	}
	key = strings.TrimSpace(key)
	if !strings.HasPrefix(key, agentKey) {
		return usagef("that is no key of an agent: one begins with ocv_; `oneclaw agent create NAME` makes one")
	}
	remote, err := c.connect(client.Options{Key: key})
	if err != nil {
		return err
	}
	self, err := remote.GetAgentSelf(cmd.Context())
	if err != nil {
		return err
	}
	where, err := s.save(name, credential{Key: key, UserID: self.ID, OrgID: self.OrgID})
	if err != nil {
		return err
	}
	c.say(cmd, "The key of the agent %s is kept in %s.", self.Name, where)
	return nil
}

// addServer puts the entry into a file beside what is there, and says where the file as
// it was is kept, if there was one. Comments stay, as some of these programs have them.
func addServer(file, section string, entry serverEntry) (saved string, err error) {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real // a link stays one
	}
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	after, err := withServer(before, section, entry)
	if err != nil {
		return "", fmt.Errorf("%s %w, and is left alone: add what --print prints by hand", file, err)
	}
	if before != nil {
		saved = file + ".before-oneclaw-" + time.Now().Format("20060102-150405")
		if err := writePrivate(saved, before); err != nil {
			return "", err
		}
	}
	return saved, writePrivate(file, after)
}

// withServer is a configuration with the entry in it: everything else is as it was, to
// the byte.
func withServer(before []byte, section string, entry serverEntry) ([]byte, error) {
	if len(bytes.TrimSpace(before)) == 0 {
		return json.MarshalIndent(map[string]any{section: map[string]any{serverName: entry}}, "", "  ")
	}
	all, err := hujson.Parse(before)
	if err != nil {
		return nil, errors.New("is no JSON, with comments or without")
	}
	if _, object := all.Value.(*hujson.Object); !object {
		return nil, errors.New("is not an object")
	}
	where := "/" + section
	type change struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	patch := []change{{"add", where + "/" + serverName, entry}}
	switch have := all.Find(where); {
	case have == nil, have.Value.Kind() == 'n': // missing, or null
		patch = []change{{"add", where, map[string]any{serverName: entry}}}
	case have.Value.Kind() != '{':
		return nil, fmt.Errorf("has a %s that is not an object", section)
	}
	text, err := json.MarshalIndent(patch, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := all.Patch(text); err != nil {
		return nil, fmt.Errorf("cannot be changed (%w)", err)
	}
	return all.Pack(), nil
}
