package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/api"
)

const (
	devData  = "oneclawd-dev"
	devVault = "demo"
)

func newDev(g *global) *cobra.Command {
	var asJSON, tour, sealed bool
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Set up and run a daemon to play with, in one folder",
		Long: `Set up (on first use) and run a daemon on this machine only, with everything on
its defaults and all data in one folder: a SoftHSM token if SoftHSM is
installed, an owner, a vault. Delete the folder to start over.

  oneclawd dev          prints where it listens and three lines to try
  oneclawd dev --tour   does the main job once first and shows each step
  oneclawd dev --data DIR --listen 127.0.0.1:0 --json
                        prints one JSON line for scripts, once it is ready`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := devConfig(g)
			if err != nil {
				return err
			}
			return runDev(cmd, cfg, asJSON, tour, sealed)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line when ready")
	cmd.Flags().BoolVar(&tour, "tour", false, "do the main job once, showing each step, then go on serving")
	cmd.Flags().BoolVar(&sealed, "sealed", false, "wait for an operator to unseal")
	return cmd
}

func devConfig(g *global) (appliance.Config, error) {
	overrides, err := g.overrides()
	if err != nil {
		return appliance.Config{}, err
	}
	if _, ok := overrides["data"]; !ok && os.Getenv("ONECLAW_DATA") == "" && g.config == "" {
		overrides["data"] = devData
	}
	if _, ok := overrides["log.level"]; !ok && os.Getenv("ONECLAW_LOG_LEVEL") == "" {
		overrides["log.level"] = "warn"
	}
	if _, ok := overrides["accounts.signup"]; !ok && os.Getenv("ONECLAW_ACCOUNTS_SIGNUP") == "" && g.config == "" {
		overrides["accounts.signup"] = "dev"
	}
	for _, beside := range []struct{ key, env, address string }{
		{"shroud.listen", "ONECLAW_SHROUD_LISTEN", "127.0.0.1:8201"}, {"mcp.listen", "ONECLAW_MCP_LISTEN", "127.0.0.1:8202"},
	} {
		if _, ok := overrides[beside.key]; !ok && os.Getenv(beside.env) == "" && g.config == "" {
			overrides[beside.key] = devListen(overrides, beside.address)
		}
	}
	cfg, err := appliance.Load(g.config, os.Getenv, overrides)
	if err != nil {
		return cfg, err
	}
	if cfg.Attest.Mode == "" {
		cfg.Attest.Mode = "none" // a machine to play on proves nothing
	}
	if cfg.HSM.Library == "" && cfg.HSM.URI == "" {
		if err := appliance.DevKeys(&cfg); err != nil {
			return cfg, err
		}
	}
	return cfg, cfg.Check()
}

// devListen is beside the API, or, where the API was put elsewhere, at any free port:
// several may run at once.
func devListen(overrides map[string]string, address string) string {
	if _, moved := overrides["api.listen"]; moved || os.Getenv("ONECLAW_API_LISTEN") != "" {
		return "127.0.0.1:0"
	}
	return address
}

func runDev(cmd *cobra.Command, cfg appliance.Config, asJSON, tour, sealed bool) error {
	log := logger(cfg, cmd.ErrOrStderr())
	warnOfSlips(log)
	owner, err := devOwner(cmd.Context(), cfg, cmd)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	err = appliance.Run(ctx, cfg, appliance.Options{
		Version: version, Log: log, Sealed: sealed,
		Ready: func(r appliance.Running) {
			go func() {
				if err := welcome(ctx, cmd, cfg, owner, r, asJSON, tour); err != nil {
					cancel(err)
				}
			}()
		},
	})
	if sealed := (*appliance.SealedError)(nil); errors.As(err, &sealed) {
		return reseal(sealed.Listen)
	}
	if cause := context.Cause(ctx); err == nil && cause != nil && cmd.Context().Err() == nil {
		return cause
	}
	return err
}

// devOwner sets the appliance up and returns its owner, whose key a crash
// during the first start may have lost: then a new one is made.
func devOwner(ctx context.Context, cfg appliance.Config, cmd *cobra.Command) (appliance.DevOwner, error) {
	owner, err := appliance.LoadDevOwner(cfg.Data)
	if err != nil || owner.APIKey != "" {
		return owner, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return owner, err
	}
	if err := owner.Save(cfg.Data); err != nil { // before anything knows the password
		return owner, err
	}
	log := logger(cfg, cmd.ErrOrStderr())
	done, err := appliance.Init(ctx, cfg, appliance.Owner{Email: owner.Email, Password: owner.Password, Org: "Development"}, log)
	if err != nil || done.APIKey == "" {
		return owner, err
	}
	owner.APIKey = done.APIKey
	return owner, owner.Save(cfg.Data)
}

func welcome(ctx context.Context, cmd *cobra.Command, cfg appliance.Config, owner appliance.DevOwner, r appliance.Running, asJSON, tour bool) error {
	c := &client{base: r.API, key: owner.APIKey, http: http.Client{Timeout: time.Minute}}
	c.trust(r.CAFile)
	if owner.APIKey == "" {
		if err := newKey(ctx, c, &owner); err != nil {
			return err
		}
		if err := owner.Save(cfg.Data); err != nil {
			return err
		}
	}
	out := cmd.OutOrStdout()
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{
			"api": r.API, "owner": owner, "pid": os.Getpid(), "hsm": r.HSM.Kind, "shroud": r.Shroud, "mcp": r.MCP,
		})
	}
	v, err := demoVault(ctx, c)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "oneclawd %s listens on %s\n", version, r.API)
	if r.Shroud != "" {
		fmt.Fprintf(out, "shroud, the proxy between agents and models, on %s\n", r.Shroud)
	}
	if r.MCP != "" {
		fmt.Fprintf(out, "mcp, for the clients of models, on %s/mcp\n", r.MCP)
	}
	fmt.Fprintf(out, "keys: %s%s\ndata: %s\n", r.HSM.Kind, token(r), cfg.Data)
	if tour {
		if err := runTour(ctx, out, c, v.ID); err != nil {
			return fmt.Errorf("the tour stopped: %w", err)
		}
	}
	printTry(out, r, v.ID, owner.APIKey)
	return nil
}

func token(r appliance.Running) string {
	if r.HSM.HSM {
		return " (" + r.HSM.Model + ", token " + r.HSM.Token + ")"
	}
	return " (not an HSM)"
}

// newKey signs in with the password and makes a key.
func newKey(ctx context.Context, c *client, owner *appliance.DevOwner) error {
	var login api.LoginResponse
	if err := c.call(ctx, "POST", "/v1/auth/token", api.LoginRequest{Email: owner.Email, Password: owner.Password}, &login); err != nil {
		return err
	}
	c.key = login.AccessToken
	var made api.ApiKeyCreatedResponse
	if err := c.call(ctx, "POST", "/v1/auth/api-keys", api.CreateApiKeyRequest{Name: "development"}, &made); err != nil {
		return err
	}
	owner.APIKey, c.key = made.APIKey, made.APIKey
	return nil
}

// demoVault finds the vault of an earlier start or makes it.
func demoVault(ctx context.Context, c *client) (api.VaultResponse, error) {
	var all api.VaultListResponse
	if err := c.call(ctx, "GET", "/v1/vaults", nil, &all); err != nil {
		return api.VaultResponse{}, err
	}
	for _, v := range all.Vaults {
		if v.Name == devVault {
			return v, nil
		}
	}
	var v api.VaultResponse
	err := c.call(ctx, "POST", "/v1/vaults", api.CreateVaultRequest{Name: devVault}, &v)
	return v, err
}

// printTry prints lines that work when pasted.
func printTry(w io.Writer, r appliance.Running, vault, key string) {
	curl := "curl -s"
	if r.CAFile != "" {
		curl += " --cacert " + r.CAFile
	}
	fmt.Fprintf(w, `
Try it:

  %[4]s -X PUT %[1]s/v1/vaults/%[2]s/secrets/api-keys/openai -H 'Authorization: Bearer %[3]s' -H 'Content-Type: application/json' -d '{"type":"api_key","value":"sk-demo-0123456789"}'
  %[4]s %[1]s/v1/vaults/%[2]s/secrets/api-keys/openai -H 'Authorization: Bearer %[3]s'
  %[4]s '%[1]s/v1/audit/events?limit=3' -H 'Authorization: Bearer %[3]s'

Press Ctrl-C to stop.
`, r.API, vault, key, curl)
}
