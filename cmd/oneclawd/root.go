package main

import (
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/internal/completion"
)

// global holds the flags that every command takes.
type global struct {
	config string
	data   string
	listen string
	set    []string
}

func newRoot() *cobra.Command {
	g := &global{}
	root := &cobra.Command{
		Use:   "oneclawd",
		Short: "Secrets for AI agents, on your own machine",
		Long: `oneclawd keeps secrets for AI agents: people store them, policies say which
agent may use which, keys stay in your HSM, and an audit log that cannot be
rewritten shows who read what.

To look around, run   oneclawd dev
To set up for real:   oneclawd config defaults > oneclawd.toml   (then edit it)
                      oneclawd init  --config oneclawd.toml
                      oneclawd serve --config oneclawd.toml

Every setting can also come from the environment (ONECLAW_API_LISTEN for
api.listen) or from --set api.listen=127.0.0.1:8200. Flags win over the
environment, the environment over the file.`,
		SilenceUsage: true, SilenceErrors: true,
		Version: version,
	}
	root.SetOut(os.Stdout) // or cobra's Printf would write to standard error
	f := root.PersistentFlags()
	f.StringVarP(&g.config, "config", "c", os.Getenv("ONECLAW_CONFIG"), "configuration file (TOML)")
	f.StringVar(&g.data, "data", "", "folder of everything that must survive a restart (setting data)")
	f.StringVar(&g.listen, "listen", "", "address of the API (setting api.listen)")
	f.StringArrayVar(&g.set, "set", nil, "any other setting, as key=value; may be repeated")
	complete(root, "set", settingNames)
	root.AddCommand(
		newInit(g), newServe(g), newDev(g), newUnseal(g), newSeal(g), newAttest(), newStatus(g), newBackup(g), newRecovery(g), newDrill(g), newVault(), newExamine(g), newInspect(), newMCP(), newAudit(), newOutbox(), newHSM(g), newKEK(g), newTLS(g), newForward(g), newUpdate(g), newConfig(g), newVersion(), newBroker(),
	)
	completion.InBash(root)
	return root
}

// complete has the shell offer what offered returns for the values of a flag.
func complete(cmd *cobra.Command, flag string, offered cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offered); err != nil {
		panic(err) // there is no such flag
	}
}

func settingNames(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	cfg := appliance.Defaults()
	var out []cobra.Completion
	for _, s := range cfg.Settings() {
		out = append(out, cobra.CompletionWithDesc(s.Key+"=", s.Doc))
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// overrides are the settings given as flags.
func (g *global) overrides() (map[string]string, error) {
	out := map[string]string{}
	for _, s := range g.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, appliance.ErrConfig.Detail("--set %s: write it as key=value", s)
		}
		out[strings.TrimSpace(key)] = value
	}
	if g.data != "" {
		out["data"] = g.data
	}
	if g.listen != "" {
		out["api.listen"] = g.listen
	}
	return out, nil
}

// load reads the configuration and checks it.
func (g *global) load() (appliance.Config, error) {
	cfg, err := g.loadUnchecked()
	if err != nil {
		return cfg, err
	}
	return cfg, cfg.Check()
}

// loadUnchecked is load for commands that only need to find a daemon.
func (g *global) loadUnchecked() (appliance.Config, error) {
	overrides, err := g.overrides()
	if err != nil {
		return appliance.Config{}, err
	}
	return appliance.Load(g.config, os.Getenv, overrides)
}

// logger is the configured log, which is also the process's.
func logger(c appliance.Config, w io.Writer) *slog.Logger {
	l := c.Log.Logger(w)
	slog.SetDefault(l)
	return l
}

// warnOfSlips tells of names in the environment that were meant for settings and
// are not read.
func warnOfSlips(log *slog.Logger) {
	for _, s := range appliance.Slips(os.Environ()) {
		log.Warn("a variable of the environment is no setting and is not read", "name", s.Name, "meant", s.Meant)
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Example: "  oneclawd version",
		Short:   "Print the version",
		Args:    cobra.NoArgs,
		Run:     func(cmd *cobra.Command, _ []string) { cmd.Println(version) },
	}
}
