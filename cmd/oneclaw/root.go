package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/internal/completion"
)

// cli holds the flags that every command takes, and what they lead to.
type cli struct {
	apiURL           string
	ca, policy       string // of whom the appliance has to be
	json, quiet, yes bool
	config           *config // read when it is first asked for
}

func newRoot() *cobra.Command {
	c := &cli{}
	root := &cobra.Command{
		Use:   "oneclaw",
		Short: "Secrets for people and their agents, kept by a oneclawd",
		Long: `oneclaw keeps and uses the secrets that a oneclawd keeps: people store them, say
which agent may use which, and run programs with them.

  oneclaw login                          sign in, in the browser
  oneclaw secret set api-keys/stripe     asks for the value
  oneclaw run -- npm start               secrets in the environment of one program
  oneclaw doctor                         what is wrong, in words

Which appliance: --api-url, else ONECLAW_BASE_URL or ONECLAW_API_URL, else the
setting api-url (oneclaw config), else http://127.0.0.1:8200.
As whom: ONECLAW_TOKEN, else ONECLAW_API_KEY or ONECLAW_AGENT_API_KEY, else what
` + "`oneclaw login`" + ` keeps, for this address only, in the keyring of the system or, where
there is none, in a file that nobody else can read.
Which vault: --vault with an id or a name, else ONECLAW_VAULT_ID, else the setting
default-vault, else the only one that you reach.

Values of secrets are read from standard input, a file, or a prompt that does not
show them. They are never taken from the command line, which others can see.

` + exitCodes,
		SilenceUsage: true, SilenceErrors: true,
		Version: version,
	}
	root.SetOut(os.Stdout) // or cobra's Printf would write to standard error
	f := root.PersistentFlags()
	f.StringVar(&c.apiURL, "api-url", "", "base URL of the appliance")
	f.StringVar(&c.ca, "ca", os.Getenv("ONECLAW_CA_FILE"), "file with the CA that the appliance's certificate is of (or ONECLAW_CA_FILE)")
	f.StringVar(&c.policy, "attest", os.Getenv("ONECLAW_ATTEST_POLICY"), "appraisal policy: send nothing to a machine or image that it does not accept (or ONECLAW_ATTEST_POLICY)")
	f.BoolVar(&c.json, "json", false, "print JSON, for programs")
	f.BoolVarP(&c.quiet, "quiet", "q", false, "print what was asked for and nothing else: a value, or ids")
	f.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return c.prepare() }
	root.AddCommand(
		newLogin(c), newLogout(c), newWhoami(c),
		newVault(c), newSecret(c), newEnv(c), newTopRun(c), newPolicy(c), newShare(c), newCMEK(c),
		newAgent(c), newTx(c), newApproval(c), newOrg(c), newAudit(c),
		newInspect(c), newMCP(c), newDoctor(c), newConfig(c), newVersion(),
	)
	completion.InBash(root)
	return root
}

// prepare reads the configuration, which says what is printed where no flag does.
func (c *cli) prepare() error {
	path, err := configFile()
	if err != nil {
		return err
	}
	if c.config, err = readConfig(path); err != nil {
		return err
	}
	if c.config.get(keyFormat) == formatJSON {
		c.json = true
	}
	return nil
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(cmd *cobra.Command, _ []string) { cmd.Println(version) },
	}
}

// group is a command that only has others below it: what is not one of them is wrong
// usage, where cobra would show the help and call it done.
func group(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(below...)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("unknown command %q for %q\n→ `%s --help` lists them", args[0], cmd.CommandPath(), cmd.CommandPath())
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}
