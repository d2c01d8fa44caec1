package appliance

import "github.com/oneclaw/oneclawd/vault/site"

// AccountsConfig says who may have an account.
type AccountsConfig struct {
	Signup string `toml:"signup" doc:"Who may sign up: invite (who was invited), open (who confirms an address), closed (nobody) or dev (everybody at once, unconfirmed). The setting signup_mode, set while the daemon runs, goes before it."`
}

func (c Config) checkAccounts() error {
	switch site.SignupMode(c.Accounts.Signup) {
	case site.SignupInvite, site.SignupOpen, site.SignupClosed, site.SignupDev:
		return nil
	}
	return bad("accounts.signup", "%q is not invite, open, closed or dev", c.Accounts.Signup)
}
