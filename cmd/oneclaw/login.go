package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

func newLogin(c *cli) *cobra.Command {
	var byMail, byKey, noBrowser bool
	var lasts string
	cmd := &cobra.Command{
		Use:   "login [EMAIL]",
		Short: "Sign in at an appliance",
		Long: `Sign in, and keep what that gives for the commands after: in the keyring of the
system or, where there is none, in a file that only you can read. It is used for this
appliance's address and for no other.

  oneclaw login                  in the browser: shows a code, which you compare there
  oneclaw login --email          asks for address, password and, if you have one, the code
                                 of your authenticator app
  oneclaw login --api-key        asks for a 1ck_ key, or reads it from standard input

A sign-in ends by itself, soon. With --keep 30d a key that is good for so long is made and
kept instead; logout revokes it. In scripts ONECLAW_API_KEY does without all of this.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (byKey || !strings.Contains(args[0], "@")) {
				return usagef("the only thing that login takes is an e-mail address; keys and passwords are asked for")
			}
			if exposed(c.address()) {
				c.say(cmd, "Warning: %s is not encrypted: others on the way can read what you send.", c.address())
			}
			end, err := parseEnd("keep", lasts)
			if err != nil {
				return err
			}
			anybody, err := c.connect(client.Options{})
			if err != nil {
				return err
			}
			var got credential
			switch {
			case byKey:
				got, err = readAPIKey(cmd)
			case byMail || len(args) == 1:
				got, err = passwordSignIn(cmd, anybody, args)
			default:
				got, err = browserSignIn(cmd, anybody, noBrowser)
			}
			if err != nil {
				return err
			}
			return c.keep(cmd, got, end)
		},
	}
	cmd.Flags().BoolVar(&byMail, "email", false, "sign in with address and password")
	cmd.Flags().BoolVar(&byKey, "api-key", false, "sign in with a 1ck_ or ocv_ key, from standard input or a prompt")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "open no browser, only print where to go")
	cmd.Flags().StringVar(&lasts, "keep", "", "make a key that is good for so long (30d), or until a date, and keep that")
	cmd.MarkFlagsMutuallyExclusive("email", "api-key", "no-browser")
	cmd.MarkFlagsMutuallyExclusive("api-key", "keep")
	return cmd
}

func readAPIKey(cmd *cobra.Command) (credential, error) {
	key, err := (&input{}).read(cmd, "API key")
	if err != nil {
		return credential{}, err
	}
	key = strings.TrimSpace(key)
	if !strings.HasPrefix(key, personKey) && !strings.HasPrefix(key, agentKey) {
		return credential{}, usagef("that is no key: one begins with 1ck_ (a person's) or ocv_ (an agent's)")
	}
	return credential{Key: key}, nil
}

func passwordSignIn(cmd *cobra.Command, anybody *client.Client, args []string) (credential, error) {
	address := strings.Join(args, "")
	var err error
	if address == "" {
		if address, err = ask(cmd, "E-mail: "); err != nil {
			return credential{}, err
		}
	}
	password, err := askSecret(cmd, "Password: ")
	if err != nil {
		return credential{}, err
	}
	got, err := anybody.Login(cmd.Context(), api.LoginRequest{Email: address, Password: password})
	if err != nil {
		return credential{}, err
	}
	if !got.MFARequired {
		return credential{Token: got.AccessToken, ExpiresAt: inSeconds(got.ExpiresIn)}, nil
	}
	code, err := ask(cmd, "Code of your authenticator app, or a recovery code: ")
	if err != nil {
		return credential{}, err
	}
	verified, err := anybody.MFAVerify(cmd.Context(), api.MfaVerifyRequest{MFAToken: got.MFAToken, Code: code})
	return credential{Token: verified.AccessToken, ExpiresAt: inSeconds(verified.ExpiresIn)}, err
}

// deviceGrant is what RFC 8628 calls polling for the token.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

func browserSignIn(cmd *cobra.Command, anybody *client.Client, noBrowser bool) (credential, error) {
	ctx := cmd.Context()
	asked, err := anybody.DeviceCode(ctx, api.DeviceCodeRequest{ClientID: "cli"})
	if err != nil {
		return credential{}, err
	}
	page := asked.VerificationURI + "?code=" + url.QueryEscape(asked.UserCode)
	out := cmd.ErrOrStderr()
	fmt.Fprintf(out, "Open  %s\nand compare the code:  %s\n", printable(page), printable(asked.UserCode))
	if !noBrowser {
		browse(ctx, page) // where that fails, the address is on the screen
	}
	fmt.Fprintln(out, "Waiting. Ctrl-C gives up.")
	ctx, cancel := context.WithTimeout(ctx, time.Duration(asked.ExpiresIn)*time.Second)
	defer cancel()
	got, err := poll(ctx, anybody, asked)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("nobody confirmed the code in time; `oneclaw login` starts over")
	}
	return credential{Token: got.AccessToken, ExpiresAt: inSeconds(got.ExpiresIn)}, err
}

// poll asks for the token until somebody decided, at the pace that is asked for.
func poll(ctx context.Context, anybody *client.Client, asked api.DeviceCodeResponse) (api.DeviceTokenResponse, error) {
	pause := time.Duration(max(asked.Interval, 1)) * time.Second
	for {
		select {
		case <-ctx.Done():
			return api.DeviceTokenResponse{}, ctx.Err()
		case <-time.After(pause):
		}
		got, err := anybody.DeviceToken(ctx, api.DeviceTokenRequest{DeviceCode: asked.DeviceCode, GrantType: deviceGrant})
		switch {
		case errors.Is(err, client.ErrRateLimited), errors.Is(err, client.ErrUnavailable):
		case err != nil:
			return got, err
		case got.AccessToken != "":
			return got, nil
		}
		switch got.Error {
		case "slow_down":
			pause += 5 * time.Second
		case "expired_token":
			return got, context.DeadlineExceeded
		case "access_denied":
			return got, errors.New("the sign-in was denied in the browser")
		}
	}
}

// keep tries what a sign-in gave, and keeps it, or a key that ends later.
func (c *cli) keep(cmd *cobra.Command, got credential, end api.Time) error {
	remote, err := c.connect(withKey(or(got.Key, got.Token)))
	if err != nil {
		return err
	}
	me, err := identify(cmd.Context(), remote)
	if err != nil {
		return err
	}
	if !end.IsZero() {
		if got, err = longer(cmd.Context(), remote, end); err != nil {
			return err
		}
	}
	got.Email, got.UserID, got.OrgID = me.Email, me.ID, me.OrgID
	s, err := c.store()
	if err != nil {
		return err
	}
	where, err := s.save(c.address(), got)
	if err != nil {
		return err
	}
	c.say(cmd, "Signed in at %s as %s. Kept in %s.", c.address(), me.name(), where)
	switch {
	case got.KeyID != "":
		c.say(cmd, "With a key that is good until %s; `oneclaw logout` revokes it.", when(end))
	case !got.ExpiresAt.IsZero():
		c.say(cmd, "Good until %s. For longer: `oneclaw login --keep 30d`.", when(api.At(got.ExpiresAt)))
	}
	if _, name := environment(); name != "" {
		c.say(cmd, "Note: %s is set, and goes before it.", name)
	}
	return nil
}

// longer makes a key in the place of a token, and revokes the token.
func longer(ctx context.Context, remote *client.Client, end api.Time) (credential, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "a machine"
	}
	made, err := remote.CreateAPIKey(ctx, api.CreateApiKeyRequest{Name: "oneclaw on " + host, ExpiresAt: end})
	if err != nil {
		return credential{}, err
	}
	_, err = remote.RevokeToken(ctx)
	return credential{Key: made.APIKey, KeyID: made.Key.ID, ExpiresAt: end.Time}, err
}

func inSeconds(n int) time.Time {
	return time.Now().Add(time.Duration(n) * time.Second).Truncate(time.Second)
}

// identity is who a credential is of.
type identity struct {
	Kind      string `json:"type"` // user or agent
	ID        string `json:"id"`
	Name      string `json:"name"`
	Email     string `json:"email,omitempty"`
	OrgID     string `json:"org_id"`
	Role      string `json:"role,omitempty"`
	Appliance string `json:"api_url,omitempty"`
	By        string `json:"credential,omitempty"` // where it is from
}

func (i identity) name() string { return or(i.Email, "agent "+i.Name) }

// identify asks who the caller is: a person, or else an agent.
func identify(ctx context.Context, c *client.Client) (identity, error) {
	me, err := c.GetMe(ctx)
	if err == nil {
		return identity{Kind: "user", ID: me.ID, Name: me.DisplayName, Email: me.Email, OrgID: me.OrgID, Role: me.Role}, nil
	}
	if !errors.Is(err, client.ErrForbidden) && !errors.Is(err, client.ErrNotFound) {
		return identity{}, err
	}
	self, err := c.GetAgentSelf(ctx)
	return identity{Kind: "agent", ID: self.ID, Name: self.Name, OrgID: self.OrgID}, err
}

func newLogout(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "Sign out: revoke the token and forget it",
		Long: `Revoke the sign-in at the appliance and forget it on this machine. A key that was given to
login --api-key is forgotten here only: it stays good until it is revoked.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.store()
			if err != nil {
				return err
			}
			kept, there, err := s.load(c.address())
			if err != nil {
				return err
			}
			if !there {
				c.say(cmd, "You were not signed in at %s.", c.address())
				return nil
			}
			revoked := c.revoke(cmd.Context(), kept)
			if err := s.remove(c.address()); err != nil {
				return err
			}
			if revoked != nil {
				return fmt.Errorf("forgotten here, but not revoked: %w", revoked)
			}
			c.say(cmd, "Signed out at %s.", c.address())
			return nil
		},
	}
}

// revoke ends what login made; what was over is no error.
func (c *cli) revoke(ctx context.Context, kept credential) error {
	if kept.Token == "" && kept.KeyID == "" {
		return nil
	}
	remote, err := c.connect(withKey(or(kept.Key, kept.Token)))
	if err != nil {
		return err
	}
	if kept.KeyID != "" {
		err = remote.RevokeAPIKey(ctx, kept.KeyID)
	} else {
		_, err = remote.RevokeToken(ctx)
	}
	if errors.Is(err, client.ErrUnauthenticated) {
		return nil
	}
	return err
}

func newWhoami(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Say who you are to the appliance",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			remote, err := c.open()
			if err != nil {
				return err
			}
			me, err := identify(cmd.Context(), remote)
			if err != nil {
				return err
			}
			me.Appliance, me.By = c.address(), "login"
			if _, name := environment(); name != "" {
				me.By = name
			}
			return c.one(cmd, me, [][2]string{
				{"ID", me.ID}, {"Type", me.Kind}, {"Name", me.Name}, {"E-mail", me.Email}, {"Role", me.Role},
				{"Organisation", me.OrgID}, {"Appliance", me.Appliance}, {"Credential", me.By},
			})
		},
	}
}
